"""What leads and agents changed for a while; each ends by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, delete, insert, or_, select

from bridge.domain.duty.duty import Override
from bridge.store.engine.prepared import Prepared
from bridge.store.tables import audit, overrides

NO_END = 4102444800.0  # the year 2100: until somebody says otherwise


@dataclass(frozen=True, slots=True)
class Overrides:
    """In force or to come: changes of agents' duty, and teams that take nobody new."""

    agents: tuple[Override, ...] = ()
    paused: frozenset[str] = frozenset()


def current(connection: Connection, now: float) -> Overrides:
    rows = _CURRENT.one(connection, now=now)
    return Overrides(
        tuple(
            Override(
                row.agent, row.kind, _moment(row.starts_at), _moment(row.ends_at), row.for_agent, row.team
            )
            for row in rows
            if row.kind != "pause"
        ),
        frozenset(row.team for row in rows if row.kind == "pause" and row.starts_at <= now),
    )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """A new override, said by `by` (an e-mail). What it replaces: see `replace`."""

    kind: str  # off | on | cover | pause
    starts_at: float
    ends_at: float
    by: str
    at: float
    agent: str | None = None
    for_agent: str | None = None
    team: str | None = None


def put(connection: Connection, changes: Sequence[Change]) -> list[None]:
    """The newest word of an agent's duty or a team's pause takes the place of the earlier ones."""
    for one in changes:
        lift(connection, [Lift(one.agent, one.team if one.kind == "pause" else None)])
        connection.execute(
            insert(overrides),
            [
                {
                    "kind": one.kind,
                    "agent": one.agent,
                    "for_agent": one.for_agent,
                    "team": one.team,
                    "starts_at": one.starts_at,
                    "ends_at": one.ends_at,
                    "by": one.by,
                    "created_at": one.at,
                }
            ],
        )
    return [None] * len(changes)


@dataclass(frozen=True, slots=True)
class Lift:
    """An agent's overrides end, or a team's pause."""

    agent: str | None = None
    team: str | None = None


def lift(connection: Connection, wishes: Sequence[Lift]) -> list[None]:
    o = overrides.c
    for wish in wishes:
        which = []
        if wish.agent:
            which.append((o.agent == wish.agent) & (o.kind != "pause"))
        if wish.team:
            which.append((o.team == wish.team) & (o.kind == "pause"))
        if which:
            connection.execute(delete(overrides).where(or_(*which)))
    return [None] * len(wishes)


def forget_ended(connection: Connection, moments: Sequence[float]) -> list[None]:
    connection.execute(delete(overrides).where(overrides.c.ends_at <= min(moments)))
    return [None] * len(moments)


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the audit: who asked for what, and what came of it."""

    at: float
    who: str
    what: str
    outcome: str


def note_deeds(connection: Connection, deeds: Sequence[Deed]) -> list[None]:
    connection.execute(
        insert(audit),
        [{"at": one.at, "who": one.who, "what": one.what, "outcome": one.outcome} for one in deeds],
    )
    return [None] * len(deeds)


_CURRENT = Prepared(
    select(
        overrides.c.kind,
        overrides.c.agent,
        overrides.c.for_agent,
        overrides.c.team,
        overrides.c.starts_at,
        overrides.c.ends_at,
    )
    .where(overrides.c.ends_at > bindparam("now"))
    .order_by(overrides.c.id)
)
