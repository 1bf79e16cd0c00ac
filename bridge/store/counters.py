"""Numbers that are kept beside what they count: how many conversations an agent and a guest have open.

They change by one with each opening and end. Should one ever be wrong it would stay so, take an agent out of
rotation or have an absent customer's token re-issued; so they are compared with the conversations now and then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Column, Connection, bindparam, case, func, select, update

from bridge.store.engine.sql import upsert
from bridge.store.tables import agents, conversations, guests

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Suspects:
    """Whose numbers looked wrong, from a read beside the writer."""

    agents: tuple[str, ...]
    guests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was wrong: for each agent the number it was and the number it is; how many guests."""

    agents: Mapping[str, tuple[int, int]]
    guests: int


def suspects(connection: Connection) -> Suspects:
    """Reads every counter, so it is not for the writer's connection."""
    held = dict(connection.execute(select(agents.c.key, agents.c.open).where(agents.c.open != 0)).all())
    counted = select(guests.c.id, guests.c.open_conversations).where(guests.c.open_conversations != 0)
    had = dict(connection.execute(counted).all())
    return Suspects(
        _different(held, _open(connection, conversations.c.agent)),
        _different(had, _open(connection, conversations.c.guest_id)),
    )


def _different(counted: Mapping[str, int], true: Mapping[str, int]) -> tuple[str, ...]:
    keys = sorted(key for key in {*counted, *true} if counted.get(key, 0) != true.get(key, 0))
    return tuple(keys[:_AT_ONCE])


def recount(connection: Connection, wishes: Sequence[Suspects]) -> list[Corrected]:
    """Counts these anew, in the transaction that no other change can come between."""
    return [
        Corrected(_recount_agents(connection, one.agents), _recount_guests(connection, one.guests))
        for one in wishes
    ]


def _recount_agents(connection: Connection, keys: Collection[str]) -> dict[str, tuple[int, int]]:
    if not keys:
        return {}
    rows = connection.execute(select(agents.c.key, agents.c.open).where(agents.c.key.in_(keys)))
    counted, true = dict(rows.all()), _open(connection, conversations.c.agent, keys)
    wrong = {
        key: (counted.get(key, 0), true.get(key, 0))
        for key in keys
        if counted.get(key, 0) != true.get(key, 0)
    }
    upsert(connection, agents, ("key",), [{"key": key, "open": is_} for key, (_, is_) in wrong.items()])
    return wrong


def _recount_guests(connection: Connection, idents: Collection[str]) -> int:
    if not idents:
        return 0
    rows = connection.execute(
        select(guests.c.id, guests.c.open_conversations).where(guests.c.id.in_(idents)).with_for_update()
    )
    true = _open(connection, conversations.c.guest_id, idents)
    wrong = [
        {"guest": row.id, "number": true.get(row.id, 0)}
        for row in rows
        if row.open_conversations != true.get(row.id, 0)
    ]
    if wrong:
        connection.execute(_COUNT_GUEST, wrong)
    return len(wrong)


def _open(connection: Connection, by: Column[str], keys: Collection[str] | None = None) -> dict[str, int]:
    """How many conversations are open for each."""
    query = select(by, func.count()).where(conversations.c.status == "open", by.is_not(None)).group_by(by)
    return dict(connection.execute(query if keys is None else query.where(by.in_(keys))).all())


_number: BindParameter[int] = bindparam("number")
_at_once = case((guests.c.token.is_not(None), 0.0), else_=None)  # the tick then sets its true time
_COUNT_GUEST = (
    update(guests)
    .where(guests.c.id == bindparam("guest"))
    .values(
        open_conversations=_number,
        reissue_at=case((_number > 0, func.coalesce(guests.c.reissue_at, _at_once)), else_=None),
    )
)
