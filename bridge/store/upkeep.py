"""What time alone brings about: conversations that are due for a look, lanes that lost their row, old data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, exists, select, update

from bridge.store.engine.prepared import Prepared
from bridge.store.engine.sql import insert_all
from bridge.store.envelopes import NewEnvelope, put_envelopes
from bridge.store.lanes import wake
from bridge.store.tables import (
    agents,
    choices,
    clock_jumps,
    conversations,
    deliveries,
    envelopes,
    file_chunks,
    files,
    guest_tokens,
    guests,
    held,
    hints,
    lanes,
    locks,
    messages,
    ratings,
    refusals,
    threads,
)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Tick:
    now: float


def put_due(connection: Connection, ticks: Sequence[Tick]) -> list[int]:
    """An envelope for each conversation whose time has come; two schedulers make one."""
    return [_put_due(connection, tick.now) for tick in ticks]


def _put_due(connection: Connection, now: float) -> int:
    c = conversations.c
    query = select(c.id, c.customer, c.due_at).where(c.due_at <= now).order_by(c.due_at).limit(_AT_ONCE)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    if not rows:
        return 0
    put_envelopes(
        connection,
        [
            # With the time of the tick: the same moment may be due again, e.g. by a process whose clock is behind.
            NewEnvelope(f"due:{row.id}:{row.due_at:.3f}:{now:.3f}", "due", row.customer, row.id, "{}", now)
            for row in rows
        ],
    )
    connection.execute(update(conversations).where(c.id.in_([row.id for row in rows])).values(due_at=None))
    return len(rows)


def look_at_all(connection: Connection, ticks: Sequence[Tick]) -> list[None]:
    """Has every conversation looked at now, because what time brings about was changed by a lead."""
    c = conversations.c
    for tick in ticks:
        connection.execute(
            update(conversations).where(c.status.in_(("queued", "open"))).values(due_at=tick.now)
        )
    return [None] * len(ticks)


def find_stranded(connection: Connection, ticks: Sequence[Tick]) -> list[int]:
    """Work whose lane is not known is made known again. There should be none; this is the net below."""
    counts = []
    for tick in ticks:
        count = 0
        for table, open_rows in (
            (envelopes, envelopes.c.done_at.is_(None)),
            (deliveries, deliveries.c.state == "open"),
        ):
            lost = (
                select(table.c.lane)
                .where(open_rows, ~exists().where(lanes.c.key == table.c.lane))
                .distinct()
                .limit(_AT_ONCE)
            )
            keys = connection.execute(lost).scalars().all()
            wake(connection, keys, tick.now)
            count += len(keys)
        counts.append(count)
    return counts


@dataclass(frozen=True, slots=True)
class Jump:
    """The machine's time of day was set forward (positive) or back by so many seconds, to `at`."""

    seconds: float
    at: float


def rebase(connection: Connection, jumps: Sequence[Jump]) -> list[None]:
    """Moves what is compared with the clock by as much as that jumped: what was an hour away, or ago, still is.

    What happened keeps its time, and so does what was meant as a time of the clock: when messages were said and
    conversations ended, when a team opens, what leads said of somebody's duty. How long ago that was, retention
    finds by the list of jumps.
    """
    known = known_jumps(connection)
    for jump in jumps:
        if (jump.at, jump.seconds) not in known:  # else it was done, and only the answer was lost
            _rebase(connection, jump.seconds, jump.at)
            insert_all(connection, clock_jumps, [{"at": jump.at, "seconds": jump.seconds}])
    return [None] * len(jumps)


rebase.alone = True  # type: ignore[attr-defined]  # what was submitted before it goes by the old time


def _rebase(connection: Connection, by: float, at: float) -> None:
    # A key that is dead must not come back to life, nor one that is alive die before its time.
    may_differ = conversations.c.key_dead_at > min(at, at - by)
    for table, columns, where in (
        (lanes, ("ready_at",), None),
        (locks, ("until",), None),
        (guests, _GUEST_TIMES, None),
        (guest_tokens, ("issued_at", "expires_at"), None),
        (agents, ("last_given_at", "refused_until", "absent_until"), None),
        (envelopes, ("received_at",), envelopes.c.done_at.is_(None)),
        (deliveries, ("created_at", "quiet_until"), deliveries.c.state == "open"),
        (deliveries, ("quiet_until",), and_(deliveries.c.state == "dropped", deliveries.c.doubt == 1)),
        (refusals, ("at",), None),
        (conversations, _OPEN_TIMES, conversations.c.status != "ended"),
        (conversations, ("key_dead_at",), may_differ),
        (threads, ("quiet_since", "back_at"), None),
        (hints, ("at",), None),
    ):
        statement = update(table).values({name: table.c[name] + by for name in columns})
        connection.execute(statement if where is None else statement.where(where))


_GUEST_TIMES = (
    "token_issued_at", "token_expires_at", "reissue_at", "minting_until", "parked_until", "last_ended_at",
)  # fmt: skip
_OPEN_TIMES = (
    "created_at", "queued_at", "given_at", "opened_at", "customer_at", "agent_at", "warned_at", "alerted_at",
    "asked_at", "owed_at", "due_at", "former_at",
)  # fmt: skip


def known_jumps(connection: Connection) -> list[tuple[float, float]]:
    """When the clock was set, and by how much, in that order, as long as something from before it is kept."""
    return [(row.at, row.seconds) for row in _JUMPS.one(connection)]


_JUMPS = Prepared(select(clock_jumps.c.at, clock_jumps.c.seconds).order_by(clock_jumps.c.id))


def forget(connection: Connection, conversation_ids: Sequence[str]) -> None:
    """Removes these conversations with all that was said in them."""
    mine = list(conversation_ids)
    file_ids = list(connection.execute(select(files.c.id).where(files.c.conversation_id.in_(mine))).scalars())
    if file_ids:
        connection.execute(delete(file_chunks).where(file_chunks.c.file_id.in_(file_ids)))
    for table in (files, messages, deliveries, held, choices, ratings):
        connection.execute(delete(table).where(table.c.conversation_id.in_(mine)))
    # The envelope stays as long as its webhook-id must be remembered, without its content.
    connection.execute(update(envelopes).where(envelopes.c.conversation_id.in_(mine)).values(body="{}"))
    connection.execute(delete(conversations).where(conversations.c.id.in_(mine)))
