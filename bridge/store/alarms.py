"""What leads were told is wrong: told once, told again when it gets worse, and told when it is over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from bridge.store.bot import put_alert
from bridge.store.rows import dump
from bridge.store.tables import alarms


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong now. `told`: the leads hear of each case when it happens; only its end is news.

    `cleared`: what is said when it is over; empty where it is told once and for all.
    """

    key: str
    text: str
    cleared: str
    leads: tuple[str, ...]
    level: int = 1
    told: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that is wrong at `now`."""

    now: float
    alarms: tuple[Alarm, ...]


def look(connection: Connection, items: Sequence[Standing]) -> list[int]:
    """Compares what is wrong with what was told; how many lines that made."""
    return [_look(connection, one) for one in items]


def _look(connection: Connection, standing: Standing) -> int:
    known = {row.key: row for row in connection.execute(select(alarms))}
    said = 0
    for one in standing.alarms:
        before = known.pop(one.key, None)
        now = {"level": one.level, "leads": dump(one.leads), "cleared": one.cleared}
        if before is None:
            connection.execute(insert(alarms), [{"key": one.key, "since": standing.now, **now}])
        elif (before.level, before.leads, before.cleared) != tuple(now.values()):
            connection.execute(update(alarms).where(alarms.c.key == one.key).values(**now))
        if not one.told and one.level > (before.level if before else 0):
            said += _tell(connection, one.leads, one.text, standing.now)
    for key, row in known.items():
        if not row.cleared:  # told once and for all, whoever remembers it now
            continue
        connection.execute(delete(alarms).where(alarms.c.key == key))
        said += _tell(connection, json.loads(row.leads), f"All clear: {row.cleared}", standing.now)
    return said


def _tell(connection: Connection, leads: Sequence[str], text: str, now: float) -> int:
    for email in leads:
        put_alert(connection, email, text, now)
    return len(leads)
