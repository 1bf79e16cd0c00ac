"""After a start or a gap: what agents said while nobody listened is read back, at a pace that Webex can bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from bridge.store.engine.prepared import Prepared
from bridge.store.engine.sql import wake
from bridge.store.outbox import thread_lane
from bridge.store.tables import conversations, lanes, threads


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
    open_ones = {thread_lane(row.guest_id, row.agent_email) for row in connection.execute(query)}
    wake(connection, "hear", open_ones, wish.now)
    due = select(lanes.c.key).where(lanes.c.stage == "hear").order_by(lanes.c.ready_at, lanes.c.key)
    keys = [key for key in connection.execute(due).scalars() if key in open_ones]
    _TURN.many(
        connection,
        [
            {"lane": key, "at": wish.now + index / wish.per_second, "now": wish.now}
            for index, key in enumerate(keys)
        ],
    )
    return len(keys)


# A lane that is being worked on, or parked, keeps its time.
_TURN = Prepared(
    update(lanes)
    .where(
        lanes.c.key == bindparam("lane"),
        or_(
            lanes.c.ready_at <= bindparam("now"),
            and_(lanes.c.owner.is_(None), lanes.c.ready_at > bindparam("at")),
        ),
    )
    .values(owner=None, ready_at=bindparam("at")),
    distinct=True,
)
