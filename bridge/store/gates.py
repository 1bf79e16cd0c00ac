"""Until when Webex has somebody wait, for a restart and for the other processes (`bridge.webex.gates`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, case, delete, select

from bridge.store.engine.prepared import Prepared, among
from bridge.store.engine.sql import insert_for
from bridge.store.tables import locks

_PREFIX = "gate:"


class Gate(NamedTuple):
    """Nothing of this flow by this owner's tokens before `until`."""

    owner: str
    flow: str
    until: float


def close(connection: Connection, gates: Sequence[Gate]) -> list[None]:
    """Writes them down; one that is known to be closed for longer stays so."""
    latest: dict[str, float] = {}
    for gate in gates:
        name = _name(gate.owner, gate.flow)
        latest[name] = max(gate.until, latest.get(name, 0.0))
    statement = insert_for(connection, locks)
    fresh = statement.excluded.until
    later = {"until": case((locks.c.until > fresh, locks.c.until), else_=fresh)}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_=later),
        [{"name": name, "owner": None, "until": latest[name]} for name in sorted(latest)],
    )
    return [None] * len(gates)


def closed(connection: Connection, now: float) -> list[Gate]:
    """All that are closed now."""
    query = select(locks.c.name, locks.c.until).where(locks.c.name.startswith(_PREFIX), locks.c.until > now)
    found = []
    for row in connection.execute(query):
        flow, _, owner = row.name.removeprefix(_PREFIX).partition(":")
        found.append(Gate(owner, flow, row.until))
    return found


def closed_until(connection: Connection, owners: Iterable[str], flow: str, now: float) -> dict[str, float]:
    """Until when each of these owners must wait; those that need not are left out."""
    names = {_name(owner, flow): owner for owner in owners}
    rows = _UNTIL.one(connection, names=list(names)) if names else []
    return {names[row.name]: row.until for row in rows if row.until > now}


def forget(connection: Connection, guest_ids: Collection[str]) -> None:
    """Takes out what is kept of these guests."""
    every = connection.execute(select(locks.c.name).where(locks.c.name.startswith(_PREFIX))).scalars().all()
    mine = [name for name in every if name.rpartition(":")[2] in guest_ids]
    connection.execute(delete(locks).where(locks.c.name.in_(mine)))


def _name(owner: str, flow: str) -> str:
    return f"{_PREFIX}{flow}:{owner}"


_UNTIL = Prepared(select(locks.c.name, locks.c.until).where(among(locks.c.name, "names")))
