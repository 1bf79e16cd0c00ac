"""Agents' messages that Webex does not give: until when each is waited for, kept over restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bridge.store.engine.sql import insert_missing
from bridge.store.tables import locks


@dataclass(frozen=True, slots=True)
class Stuck:
    """`message_ids`: the one that cannot be had, and those behind it. `until`: the end of the wait, if it is new."""

    message_ids: tuple[str, ...]
    until: float


def wait_for(connection: Connection, found: Sequence[Stuck]) -> list[float]:
    """Until when the first of each is waited for. Those behind it wait at the same time, not after it."""
    return [_wait_for(connection, one) for one in found]


def _wait_for(connection: Connection, stuck: Stuck) -> float:
    names = [f"unread:{ident}" for ident in stuck.message_ids]
    known = select(locks.c.name, locks.c.until).where(locks.c.name.in_(names))
    ends: dict[str, float] = {row.name: row.until for row in connection.execute(known)}
    missing = [name for name in names if name not in ends]
    if missing:
        insert_missing(connection, locks, [{"name": n, "owner": None, "until": stuck.until} for n in missing])
    return ends.get(names[0], stuck.until)
