"""What leads and agents changed for a while; each ends by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from bridge.domain.duty.duty import Override
from bridge.domain.duty.newest_word import Left, left_after_return, left_of
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
            _override(row.agent, row.kind, row.starts_at, row.ends_at, row.for_agent, row.team)
            for row in rows
            if row.kind != "pause"
        ),
        frozenset(row.team for row in rows if row.kind == "pause" and row.starts_at <= now),
    )


def plans(connection: Connection, now: float) -> dict[int, Override]:
    """What holds about agents' duty, now or later, by its number, in the order of time."""
    o = overrides.c
    query = select(overrides).where(o.ends_at > now, o.kind != "pause").order_by(o.starts_at, o.id)
    return {
        row.id: _override(row.agent, row.kind, row.starts_at, row.ends_at, row.for_agent, row.team)
        for row in connection.execute(query)
    }


def _override(
    agent: Any, kind: Any, starts_at: float, ends_at: float, for_agent: str | None, team: str | None
) -> Override:
    return Override(agent, kind, _moment(starts_at), _moment(ends_at), for_agent, team)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """A new override, said by `by` (an e-mail) at `at`."""

    kind: str  # off | on | cover | pause
    starts_at: float
    ends_at: float
    by: str
    at: float
    agent: str | None = None
    for_agent: str | None = None
    team: str | None = None

    def as_override(self) -> Override:
        """The same for the decisions; not of a pause."""
        return _override(self.agent, self.kind, self.starts_at, self.ends_at, self.for_agent, self.team)


def put(connection: Connection, changes: Sequence[Change]) -> list[None]:
    """Writes what was said down; the newest word takes its time from the earlier ones (see `newest_word`)."""
    for one in changes:
        if one.kind == "pause":
            _end_pause(connection, one.team)
        else:
            _leave(connection, one.at, partial(left_of, new=one.as_override()))
        connection.execute(insert(overrides), [_row(one)])
    return [None] * len(changes)


def _row(change: Change) -> dict[str, Any]:
    row = asdict(change)
    return {**row, "created_at": row.pop("at")}


@dataclass(frozen=True, slots=True)
class Lift:
    """An agent is back to the rota at `now`, a team's pause ends, or what was said under a number is taken back."""

    agent: str | None = None
    team: str | None = None
    number: int | None = None
    now: float = NO_END


def lift(connection: Connection, wishes: Sequence[Lift]) -> list[None]:
    """Ends what is in force about an agent, a team's pause, or one plan."""
    for wish in wishes:
        if wish.agent:
            _leave(connection, 0.0, partial(left_after_return, agent=wish.agent, now=wish.now))
        if wish.team:
            _end_pause(connection, wish.team)
        if wish.number is not None:
            connection.execute(delete(overrides).where(overrides.c.id == wish.number))
    return [None] * len(wishes)


def _end_pause(connection: Connection, team: str | None) -> None:
    o = overrides.c
    connection.execute(delete(overrides).where(o.team == team, o.kind == "pause"))


def _leave(connection: Connection, now: float, left: Callable[[Override], Left]) -> None:
    """Shortens, parts or deletes what was said earlier and is not over."""
    o = overrides.c
    for row in connection.execute(select(overrides).where(o.kind != "pause", o.ends_at > now)).all():
        earlier = _override(row.agent, row.kind, row.starts_at, row.ends_at, row.for_agent, row.team)
        rest = left(earlier)
        if rest == (earlier,):
            continue
        connection.execute(delete(overrides).where(o.id == row.id))
        kept = {key: value for key, value in row._mapping.items() if key != "id"}
        parts = [{**kept, "starts_at": one.start.timestamp(), "ends_at": one.end.timestamp()} for one in rest]
        if parts:
            connection.execute(insert(overrides), parts)


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
