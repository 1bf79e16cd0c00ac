"""How something that is to be done gets into the outbox: its row, and the wake of its lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from bridge.store.engine.sql import insert_all
from bridge.store.lanes import CALL, stage_of, wake
from bridge.store.tables import deliveries


class NewDelivery(NamedTuple):
    """One thing to be done at Webex or at a source's receiver. `payload`: JSON, by `kind`.

    `kind`: say (a customer's words) | callback (news for the source) | note (the bot's words) | heard (words to the
    bot) | envelope (what could not be decided, kept as a dead letter).
    """

    lane: str
    kind: str
    conversation_id: str
    payload: str
    created_at: float
    seq: int | None = None
    part: int = 0
    last: int = 1
    doubt: int = 0
    agent: str | None = None
    address: str | None = None
    state: str = "open"
    error: str | None = None
    done_at: float | None = None


def put_deliveries(connection: Connection, fresh: Sequence[NewDelivery]) -> set[str]:
    """Stores deliveries and wakes the lanes of those that are open; the stages that have new work."""
    insert_all(connection, deliveries, [one._asdict() for one in fresh])
    open_ones = [one for one in fresh if one.state == "open"]
    sources: dict[str, Any] = {
        one.lane: one.address if stage_of(one.lane) == CALL else "" for one in open_ones
    }
    if open_ones:
        wake(connection, sources, open_ones[0].created_at)
    return {stage_of(lane) for lane in sources}
