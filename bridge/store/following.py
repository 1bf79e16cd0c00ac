"""A conversation as its customer follows it: pages that are bounded in bytes, and what changed of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, func, or_, select

from bridge.domain.conversation.model import Said
from bridge.store.reads import State, conversation_state, token_issued_at
from bridge.store.rows import MESSAGE_COLUMNS, said_of
from bridge.store.tables import messages

MOST_BYTES = 256 * 1024  # of one page: its texts in UTF-8, with what belongs to them
_CHANGEABLE = 50  # of the newest items it is known whether they changed
_LEAST = 100  # characters that an item counts for, however short
# Few rows are handed out by the database before they are asked for.
_AHEAD = {"stream_results": True, "max_row_buffer": 16}

# What may change about an item: its delivery, and when it was revised.
Mark = tuple[str | None, float | None]


class Item(NamedTuple):
    said: Said
    mark: Mark


def page(connection: Connection, conversation_id: str, after: int, most: int) -> list[Said]:
    """What was said after the item `after`: at most so many items or MOST_BYTES, but one at least if there is one."""
    return [item.said for item in _page(connection, conversation_id, after, most)]


def changeable(connection: Connection, conversation_id: str, upto: int) -> list[Said]:
    """The newest items up to `upto` that may look different now from when they were first shown; MOST_BYTES at most."""
    query = (
        _ITEMS.where(_may_change(conversation_id, upto)).order_by(messages.c.seq.desc()).limit(_CHANGEABLE)
    )
    return [item.said for item in reversed(_bounded(connection, query))]


class Look(NamedTuple):
    """What is new in a conversation. `marks`: of the items that may change, as they were shown with this.

    `more`: there is more to be looked at than was read at once.
    """

    state: State
    fresh: list[Item]
    changed: list[Said]
    marks: Mapping[int, Mark]
    more: bool
    token_issued_at: float | None


def look(
    connection: Connection,
    conversation_id: str,
    after: int,
    most: int,
    known: Mapping[int, Mark] | None,
    with_token: bool,
) -> Look | None:
    """What is new after the item `after`, and which earlier items are not as `known` (None: as they are is right).

    None where there is no such conversation any more.
    """
    state = conversation_state(connection, conversation_id)
    if state is None:
        return None
    fresh = _page(connection, conversation_id, after, most)
    marks = _marks(connection, conversation_id, fresh[-1].said.seq if fresh else after)
    shown = {**(marks if known is None else known), **{item.said.seq: item.mark for item in fresh}}
    others = [seq for seq, mark in marks.items() if shown.get(seq) != mark]
    changed = _changed(connection, conversation_id, others)
    shown |= {item.said.seq: item.mark for item in changed}
    behind = bool(fresh) and fresh[-1].said.seq < state.conversation.last_seq
    return Look(
        state,
        fresh,
        [item.said for item in changed],
        {seq: shown[seq] for seq in marks if seq in shown},
        behind or len(changed) < len(others),
        token_issued_at(connection, state.conversation.guest_id) if with_token else None,
    )


def words_held(connection: Connection, conversation_id: str) -> int:
    """How many characters the customer has said in a conversation; short items count for some."""
    mine = (messages.c.conversation_id == conversation_id, messages.c.author == "customer")
    query = select(func.sum(func.length(messages.c.text) + _LEAST)).where(*mine)
    return int(connection.execute(query).scalar() or 0)


def _page(connection: Connection, conversation_id: str, after: int, most: int) -> list[Item]:
    mine = (messages.c.conversation_id == conversation_id, messages.c.seq > after)
    return _bounded(connection, _ITEMS.where(*mine).order_by(messages.c.seq).limit(most))


def _changed(connection: Connection, conversation_id: str, seqs: list[int]) -> list[Item]:
    if not seqs:
        return []
    mine = (messages.c.conversation_id == conversation_id, messages.c.seq.in_(seqs))
    return _bounded(connection, _ITEMS.where(*mine).order_by(messages.c.seq))


def _marks(connection: Connection, conversation_id: str, upto: int) -> dict[int, Mark]:
    query = (
        select(messages.c.seq, messages.c.delivery, messages.c.revised_at)
        .where(_may_change(conversation_id, upto))
        .order_by(messages.c.seq.desc())
        .limit(_CHANGEABLE)
    )
    return {row.seq: (row.delivery, row.revised_at) for row in connection.execute(query)}


def _may_change(conversation_id: str, upto: int) -> Any:
    return and_(
        messages.c.conversation_id == conversation_id,
        messages.c.seq <= upto,
        or_(messages.c.revised_at.is_not(None), messages.c.author == "customer"),
    )


def _bounded(connection: Connection, query: Select[Any]) -> list[Item]:
    """The first rows of a query that have MOST_BYTES together, one at least; the others are not fetched."""
    found: list[Item] = []
    size = 0
    with connection.execute(query, execution_options=_AHEAD) as rows:
        for row in rows:
            size += sum(len(part.encode()) for part in (row.text, row.html or "", row.files))
            if found and size > MOST_BYTES:
                break
            found.append(Item(said_of(row[:-1]), (row.delivery, row.revised_at)))
    return found


_ITEMS = select(*MESSAGE_COLUMNS, messages.c.revised_at)
