"""The envelopes of one round of intake: taken oldest first within their lanes, and done with at its end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from bridge.domain.conversation.answer import Answer
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


def done(
    connection: Connection, taken: Taken, now: float, answers: Mapping[str, Answer] = MappingProxyType({})
) -> None:
    """Ends the envelopes of a round, and frees their lanes. `answers`: by key, what their senders are told."""
    alike: dict[str, list[int]] = {}
    for row in taken.rows:
        answer = answers.get(row.key)
        alike.setdefault(answer.text() if answer else "", []).append(row.id)
    if rest := alike.pop("", None):
        _ENVELOPES_DONE.one(connection, ids=rest, at=now)
    for text, ids in alike.items():
        _ENVELOPES_ANSWERED.one(connection, ids=ids, at=now, text=text)
    if taken.keys and len(taken.rows) < _ENVELOPES:  # else later envelopes may still wait in these lanes
        remove(connection, taken.keys)


_WAITING = Prepared(
    select(*ENVELOPE_COLUMNS)
    .where(among(envelopes.c.lane, "keys"), envelopes.c.done_at.is_(None))
    .order_by(envelopes.c.id)
    .limit(_ENVELOPES)
)
_THESE = update(envelopes).where(among(envelopes.c.id, "ids"))
_ENVELOPES_DONE = Prepared(_THESE.values(done_at=bindparam("at")))
_ENVELOPES_ANSWERED = Prepared(_THESE.values(done_at=bindparam("at"), answered=bindparam("text")))
