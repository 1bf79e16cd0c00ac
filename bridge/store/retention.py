"""Retention: takes out what is older than it is kept, in small pieces. What is open it never touches.

A conversation goes when its time is over and nothing about it waits any more: no envelope, none of the customer's
words, no news within the days in which it is tried; nobody may read it any more, and a dead letter was there for an
operator for as many days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from bridge.domain.conversation.steps import KEPT_READABLE_SECONDS
from bridge.domain.elapsed import long_ago
from bridge.domain.retry import MOST_DAYS
from bridge.store.engine.prepared import Prepared, among
from bridge.store.tables import (
    clock_jumps,
    conversations,
    deliveries,
    envelopes,
    files,
    guest_tokens,
    guests,
    heard,
    hints,
    locks,
    messages,
    refusals,
)
from bridge.store.upkeep import forget, known_jumps

_LOOKED_AT = 100  # conversations in one transaction
_MOST_MESSAGES, _MOST_BYTES = 1000, 64 * 1024 * 1024  # of those that go in it, but for a larger one alone
_ROWS = 500
DEDUPE_SECONDS = 8 * 86400  # contract 5: a webhook-id is remembered for at least 7 days
_TRIED_SECONDS = (
    MOST_DAYS * 86400.0
)  # longer than this nothing is tried; so long an operator has for a dead letter
START = (0.0, "")


@dataclass(frozen=True, slots=True)
class Purge:
    """Looks at some ended conversations, from `behind` (the time of an end and an id) on."""

    now: float
    keep_seconds: float
    behind: tuple[float, str] = START


class Purged(NamedTuple):
    """How many conversations went, and how far it looked: None where there are no more."""

    conversations: int
    behind: tuple[float, str] | None


def purge(connection: Connection, wishes: Sequence[Purge]) -> list[Purged]:
    """Takes out ended conversations with all that was said in them."""
    return [_purge(connection, wish) for wish in wishes]


def _purge(connection: Connection, wish: Purge) -> Purged:
    jumps = known_jumps(connection)
    before = long_ago(wish.now, max(wish.keep_seconds, KEPT_READABLE_SECONDS), jumps)
    ended_at, ident = wish.behind
    rows = _ENDED.one(connection, before=before, ended=ended_at, ident=ident, most=_LOOKED_AT)
    if not rows:
        return Purged(0, None)
    kept = _kept(connection, [row.id for row in rows], wish, jumps)
    kept |= {row.id for row in rows if row.key_dead_at is not None and row.key_dead_at > wish.now}
    old = [row for row in rows if row.id not in kept]
    going = _at_once(connection, old)
    if going:
        forget(connection, [row.id for row in going])
        _FORGET_NAMES.one(connection, ids={row.guest_id for row in going})
    if len(going) < len(old):
        return Purged(len(going), (going[-1].ended_at, going[-1].id))
    more = len(rows) == _LOOKED_AT
    return Purged(len(going), (rows[-1].ended_at, rows[-1].id) if more else None)


def _at_once(connection: Connection, old: list[Any]) -> list[Any]:
    """The first ones, at least one, as far as one transaction should go."""
    sizes = {row.conversation_id: row.size for row in _SIZES.one(connection, ids=[row.id for row in old])}
    said, stored = 0, 0
    for number, row in enumerate(old):
        said, stored = said + row.last_seq, stored + int(sizes.get(row.id, 0))
        if number and (said > _MOST_MESSAGES or stored > _MOST_BYTES):
            return old[:number]
    return old


def _kept(
    connection: Connection, ids: list[str], wish: Purge, jumps: Sequence[tuple[float, float]]
) -> set[str]:
    """Those of which something is open, or was given up not long ago."""
    as_long = max(wish.keep_seconds, _TRIED_SECONDS)
    tried = long_ago(wish.now, as_long, jumps)
    ended = long_ago(wish.now, wish.keep_seconds + _TRIED_SECONDS, jumps)
    found = [
        # What is open moves along when the clock is set (`ticks.rebase`).
        *_UNDELIVERED.one(connection, ids=ids, tried=tried, open_since=wish.now - as_long),
        *_UNDECIDED.one(connection, ids=ids),
        *_PENDING.one(connection, ids=ids, ended=ended),
    ]
    return {row.conversation_id for row in found}


@dataclass(frozen=True, slots=True)
class Tidy:
    """Looks at all that belongs to no conversation in particular, or is kept for a time of its own."""

    now: float
    keep_seconds: float


def tidy(connection: Connection, wishes: Sequence[Tidy]) -> list[bool]:
    """Takes out what is old of it; whether there is more."""
    return [_tidy(connection, wish) for wish in wishes]


def _tidy(connection: Connection, wish: Tidy) -> bool:
    jumps = known_jumps(connection)
    kept = long_ago(wish.now, wish.keep_seconds, jumps)
    accepted = long_ago(wish.now, DEDUPE_SECONDS, jumps)
    remembered = long_ago(wish.now, max(wish.keep_seconds, DEDUPE_SECONDS), jumps)
    d = deliveries.c
    rules: Iterable[tuple[Column[Any], ColumnElement[bool]]] = (
        (guest_tokens.c.id, guest_tokens.c.expires_at < wish.now),
        (envelopes.c.id, envelopes.c.done_at < accepted),
        (heard.c.message_id, and_(heard.c.at < remembered, ~_STILL_OPEN)),
        # What the bot was told and said of no conversation in particular; and hushes that are long over.
        (d.id, and_(_OF_NONE, d.done_at < kept)),
        # These move along when the clock is set (`ticks.rebase`).
        (hints.c.message_id, hints.c.at < wish.now - 86400),
        (locks.c.name, locks.c.until < wish.now - 86400),
        (refusals.c.delivery_id, refusals.c.at < wish.now - 86400),
        (clock_jumps.c.id, clock_jumps.c.at < min(remembered, wish.now - wish.keep_seconds - _TRIED_SECONDS)),
    )
    full = [_some(connection, key, old) for key, old in rules]
    return any(full)


def _some(connection: Connection, key: Column[Any], old: ColumnElement[bool]) -> bool:
    """Deletes some of the rows that are old; whether there may be more."""
    table = key.table
    some = select(key).where(old).limit(_ROWS).scalar_subquery()
    return connection.execute(delete(table).where(key.in_(some))).rowcount == _ROWS


_OF_NONE = deliveries.c.conversation_id == literal_column("''")  # the index is for this very text
_c = conversations.c
# What was heard of a customer is known as long as one of their conversations is open, else it would be heard again.
_STILL_OPEN = exists().where(
    guests.c.id == heard.c.guest_id,
    _c.customer == guests.c.customer,
    _c.accepting == 1,
)
_ENDED = Prepared(
    select(_c.id, _c.ended_at, _c.last_seq, _c.guest_id, _c.key_dead_at)
    .where(
        _c.status == "ended",
        _c.ended_at < bindparam("before"),
        tuple_(_c.ended_at, _c.id) > tuple_(bindparam("ended"), bindparam("ident")),
    )
    .order_by(_c.ended_at, _c.id)
    .limit(bindparam("most", type_=Integer))
)
_SIZES = Prepared(
    select(files.c.conversation_id, func.sum(files.c.size).label("size"))
    .where(among(files.c.conversation_id, "ids"), files.c.url.is_(None))
    .group_by(files.c.conversation_id)
)
_UNDELIVERED = Prepared(
    select(deliveries.c.conversation_id)
    .where(
        among(deliveries.c.conversation_id, "ids"),
        or_(
            and_(deliveries.c.state == "open", deliveries.c.kind == "say"),
            and_(deliveries.c.state == "open", deliveries.c.created_at >= bindparam("open_since")),
            and_(deliveries.c.state == "dead", deliveries.c.done_at >= bindparam("tried")),
        ),
    )
    .distinct()
)
_UNDECIDED = Prepared(
    select(envelopes.c.conversation_id)
    # Not `IS NULL`, for which the index of all open envelopes would be searched from end to end.
    .where(among(envelopes.c.conversation_id, "ids"), func.coalesce(envelopes.c.done_at, 0) == 0)
    .distinct()
)
_PENDING = Prepared(
    select(messages.c.conversation_id)
    .join(conversations, _c.id == messages.c.conversation_id)
    .where(
        among(messages.c.conversation_id, "ids"),
        messages.c.delivery == "pending",
        _c.ended_at >= bindparam("ended"),
    )
    .distinct()
)
# A guest without any conversation left keeps only a keyed hash of the name, which tells people apart.
_FORGET_NAMES = Prepared(
    update(guests)
    .where(
        among(guests.c.id, "ids"),
        guests.c.display_name != "",
        ~exists().where(_c.customer == guests.c.customer, _c.guest_id == guests.c.id),
    )
    .values(display_name="", minted_name=None, email=None)
)
