"""Receivers that answered 410: they are called no more until they are configured anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from bridge.store.engine.sql import insert_for
from bridge.store.lanes import hurry_source
from bridge.store.overrides import NO_END
from bridge.store.tables import locks

_PREFIX = "callback:"


class Pause(NamedTuple):
    """`receiver`: which one of the source's it was, as `Target.fingerprint` names it."""

    source: str
    receiver: str


class Resumption(NamedTuple):
    """The news of a source goes on at `now`."""

    source: str
    now: float


def pause(connection: Connection, wanted: Sequence[Pause]) -> list[None]:
    """Remembers receivers that want no more."""
    for one in wanted:
        statement = insert_for(connection, locks)
        row = {"name": _PREFIX + one.source, "owner": one.receiver, "until": NO_END}
        connection.execute(
            statement.values(row).on_conflict_do_update(
                index_elements=["name"], set_={"owner": statement.excluded.owner}
            )
        )
    return [None for _ in wanted]


def resume(connection: Connection, wanted: Sequence[Resumption]) -> list[None]:
    """Forgets that sources are paused, and has what waits for them looked at."""
    for one in wanted:
        connection.execute(delete(locks).where(locks.c.name == _PREFIX + one.source))
        hurry_source(connection, one.source, one.now)
    return [None for _ in wanted]


def paused(connection: Connection) -> dict[str, str]:
    """The paused sources, each with the receiver that wanted no more."""
    query = select(locks.c.name, locks.c.owner).where(locks.c.name.startswith(_PREFIX))
    return {row.name.removeprefix(_PREFIX): row.owner or "" for row in connection.execute(query)}
