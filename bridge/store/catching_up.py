"""After a start or a gap: what agents said while nobody listened is read back, at a pace that Webex can bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bridge.store.lanes import HEAR, hear_lane, spread, wake
from bridge.store.tables import conversations, threads


@dataclass(frozen=True, slots=True)
class LookAgain:
    """After a start or a gap: every thread of an open conversation is read once, so many a second."""

    now: float
    per_second: float


def listen_again(connection: Connection, wishes: Sequence[LookAgain]) -> list[int]:
    """Those that have waited longest come first. What is due already waits for its turn too."""
    return [_listen_again(connection, wish) for wish in wishes]


def _listen_again(connection: Connection, wish: LookAgain) -> int:
    query = (
        select(threads.c.guest_id, threads.c.agent_email)
        .join(conversations, conversations.c.id == threads.c.conversation_id)
        .where(conversations.c.status == "open", threads.c.room_id.is_not(None))
    )
    open_ones = {hear_lane(row.guest_id, row.agent_email) for row in connection.execute(query)}
    wake(connection, open_ones, wish.now)
    return spread(connection, HEAR, open_ones, wish.now, wish.per_second)
