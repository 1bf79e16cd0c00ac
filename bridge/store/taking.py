"""The envelopes of one round of intake: taken oldest first within their lanes, and done with at its end."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from bridge.store.engine.prepared import Prepared, among
from bridge.store.lanes import IN, ready, remove
from bridge.store.rows import ENVELOPE_COLUMNS
from bridge.store.tables import envelopes

_LANES, _ENVELOPES = 64, 1000


class Taken(NamedTuple):
    """Lanes whose time has come, and the rows of their envelopes. `more`: another round finds more."""

    keys: list[str]
    rows: list[Any]
    more: bool


def take(connection: Connection, now: float) -> Taken:
    keys = ready(connection, IN, now, _LANES)
    rows = _WAITING.one(connection, keys=keys) if keys else []
    return Taken(keys, rows, len(rows) == _ENVELOPES or len(keys) == _LANES)


def done(connection: Connection, taken: Taken, now: float) -> None:
    if taken.rows:
        _ENVELOPES_DONE.one(connection, ids=[row.id for row in taken.rows], at=now)
    if taken.keys and len(taken.rows) < _ENVELOPES:  # else later envelopes may still wait in these lanes
        remove(connection, taken.keys)


_WAITING = Prepared(
    select(*ENVELOPE_COLUMNS)
    .where(among(envelopes.c.lane, "keys"), envelopes.c.done_at.is_(None))
    .order_by(envelopes.c.id)
    .limit(_ENVELOPES)
)
_ENVELOPES_DONE = Prepared(
    update(envelopes).where(among(envelopes.c.id, "ids")).values(done_at=bindparam("at"))
)
