"""A customer's data taken out of the store, whole, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, or_, select, update

from bridge.store import gates
from bridge.store.lanes import call_lane, hear_lane, hook_lane, in_lane, remove, say_lane
from bridge.store.tables import (
    agents,
    conversations,
    envelopes,
    guest_tokens,
    guests,
    heard,
    hints,
    messages,
    refusals,
    threads,
)
from bridge.store.upkeep import forget

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class LeftAtWebex:
    """A guest that Webex keeps. `agents`: in whose 1:1 threads what was said stays."""

    person_id: str | None
    email: str | None
    agents: tuple[str, ...]
    tokens_end_at: float | None  # when the last live token lapses by itself; None: there is none


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was removed; `ended`: conversations that were going on."""

    conversations: int
    ended: int
    messages: int
    guests: tuple[LeftAtWebex, ...]


def erase(
    connection: Connection, customers: Collection[str], now: float, *, subject: str | None = None
) -> Erased:
    """Removes all that is kept of these customers (keyed names), and, with `subject`, of who was ever called so.

    What waits for delivery is not delivered any more. Of the envelopes only the ids stay, so that a repeated
    event is still known for a repeat.
    """
    c = conversations.c
    mine: list[ColumnElement[bool]] = [c.customer.in_(sorted(customers))]
    if subject is not None:
        mine.append(c.subject == subject)
    known = connection.execute(
        select(c.id, c.customer, c.guest_id, c.status, c.agent).where(or_(*mine)).with_for_update()
    ).all()
    everybody = sorted({*customers, *(row.customer for row in known)})
    own = guests.c.customer.in_(everybody)
    guest_ids = sorted(
        {row.guest_id for row in known} | set(connection.execute(select(guests.c.id).where(own)).scalars())
    )
    left = _left_at_webex(connection, guest_ids, now)
    said = _end(
        connection, [row.id for row in known], [row.agent for row in known if row.status == "open"], now
    )
    _forget_guests(connection, guest_ids)
    keys = [in_lane(customer) for customer in everybody] + [call_lane(row.id) for row in known]
    _remove(connection, keys)
    going_on = sum(row.status != "ended" for row in known)
    return Erased(len(known), going_on, said, left)


def _end(connection: Connection, ids: Sequence[str], freed: Sequence[str | None], now: float) -> int:
    """The conversations are over and forgotten, their agents free for others; how many messages there were."""
    for agent in freed:
        fewer = case((agents.c.open > 0, agents.c.open - 1), else_=0)
        connection.execute(update(agents).where(agents.c.key == agent).values(open=fewer))
    said = 0
    for some in _pieces(ids):
        count = select(func.count()).select_from(messages).where(messages.c.conversation_id.in_(some))
        said += connection.execute(count).scalar() or 0
        waiting = and_(envelopes.c.conversation_id.in_(some), envelopes.c.done_at.is_(None))
        connection.execute(update(envelopes).where(waiting).values(done_at=now))
        forget(connection, some)
    return said


def _left_at_webex(connection: Connection, guest_ids: Sequence[str], now: float) -> tuple[LeftAtWebex, ...]:
    """What is not ours to remove; guests that were never minted are not there."""
    found = []
    for some in _pieces(guest_ids):
        rows = connection.execute(
            select(guests.c.id, guests.c.person_id, guests.c.email, guests.c.minted_name).where(
                guests.c.id.in_(some)
            )
        ).all()
        rooms = connection.execute(
            select(threads.c.guest_id, threads.c.agent_email).where(
                threads.c.guest_id.in_(some), threads.c.room_id.is_not(None)
            )
        ).all()
        ends = {
            row.guest_id: row.end
            for row in connection.execute(
                select(guest_tokens.c.guest_id, func.max(guest_tokens.c.expires_at).label("end"))
                .where(guest_tokens.c.guest_id.in_(some), guest_tokens.c.expires_at > now)
                .group_by(guest_tokens.c.guest_id)
            )
        }
        found += [
            LeftAtWebex(
                row.person_id,
                row.email,
                tuple(sorted(room.agent_email for room in rooms if room.guest_id == row.id)),
                ends.get(row.id),
            )
            for row in rows
            if row.minted_name is not None
        ]
    return tuple(found)


def _forget_guests(connection: Connection, guest_ids: Sequence[str]) -> None:
    for some in _pieces(guest_ids):
        written = select(threads.c.guest_id, threads.c.agent_email).where(threads.c.guest_id.in_(some))
        keys = [hear_lane(row.guest_id, row.agent_email) for row in connection.execute(written)]
        _remove(connection, keys + [lane(one) for lane in (say_lane, hook_lane) for one in some])
        for table in (threads, heard, hints, guest_tokens, refusals):
            connection.execute(delete(table).where(table.c.guest_id.in_(some)))
        gates.forget(connection, some)
        connection.execute(delete(guests).where(guests.c.id.in_(some)))


def _remove(connection: Connection, keys: Sequence[str]) -> None:
    for some in _pieces(keys):
        remove(connection, some)


def _pieces(values: Sequence[str]) -> list[list[str]]:
    return [list(values[start : start + _AT_ONCE]) for start in range(0, len(values), _AT_ONCE)]
