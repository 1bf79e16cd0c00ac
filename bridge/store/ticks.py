"""What time alone brings about: conversations that are due for a look, lanes that lost their row, old data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, select, update

from bridge.store.sql import insert_missing, wake
from bridge.store.tables import (
    agents,
    choices,
    conversations,
    deliveries,
    envelopes,
    file_chunks,
    files,
    guest_tokens,
    guests,
    held,
    lanes,
    locks,
    messages,
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
    due = [
        {
            # With the time of the tick: the same moment may be due again, e.g. by a process whose clock is behind.
            "key": f"due:{row.id}:{row.due_at:.3f}:{now:.3f}",
            "lane": f"in:{row.customer}",
            "kind": "due",
            "conversation_id": row.id,
            "body": "{}",
            "answered": "",
            "received_at": now,
        }
        for row in rows
    ]
    insert_missing(connection, envelopes, due)
    connection.execute(update(conversations).where(c.id.in_([row.id for row in rows])).values(due_at=None))
    wake(connection, "in", [one["lane"] for one in due], now)
    return len(due)


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
        for table, open_rows, prefixes in (
            (envelopes, envelopes.c.done_at.is_(None), {"in:": "in"}),
            (
                deliveries,
                deliveries.c.state == "open",
                {"say:": "say", "call:": "call", "bot:": "bot", "bot-in:": "bot-in"},
            ),
        ):
            lost = (
                select(table.c.lane)
                .where(open_rows, ~exists().where(lanes.c.key == table.c.lane))
                .distinct()
                .limit(_AT_ONCE)
            )
            keys = connection.execute(lost).scalars().all()
            for prefix, stage in prefixes.items():
                mine = [key for key in keys if key.startswith(prefix)]
                wake(connection, stage, mine, tick.now)
                count += len(mine)
        counts.append(count)
    return counts


@dataclass(frozen=True, slots=True)
class Jump:
    """The machine's time of day was set forward (positive) or back by so many seconds."""

    seconds: float


def rebase(connection: Connection, jumps: Sequence[Jump]) -> list[None]:
    """Moves everything that waits, or runs out, by as much as the clock jumped: what was an hour away still is."""
    by = sum(jump.seconds for jump in jumps)
    for table, columns, where in (
        (lanes, ("ready_at",), None),
        (locks, ("until",), None),
        (
            guests,
            ("token_issued_at", "token_expires_at", "reissue_at", "minting_until", "parked_until"),
            None,
        ),
        (guest_tokens, ("issued_at", "expires_at"), None),
        (agents, ("last_given_at", "refused_until", "absent_until"), None),
        (refusals, ("at",), None),
        (deliveries, ("quiet_until",), deliveries.c.doubt == 1),
        (conversations, _WAITING_TIMES, conversations.c.status != "ended"),
        (threads, ("back_at",), threads.c.back_at.is_not(None)),
    ):
        statement = update(table).values({name: table.c[name] + by for name in columns})
        connection.execute(statement if where is None else statement.where(where))
    return [None] * len(jumps)


_WAITING_TIMES = (
    "queued_at", "given_at", "opened_at", "customer_at", "agent_at", "warned_at", "alerted_at", "asked_at",
    "owed_at", "due_at",
)  # fmt: skip


def forget(connection: Connection, conversation_ids: Sequence[str]) -> None:
    """Removes these conversations with all that was said in them."""
    mine = list(conversation_ids)
    file_ids = list(connection.execute(select(files.c.id).where(files.c.conversation_id.in_(mine))).scalars())
    if file_ids:
        connection.execute(delete(file_chunks).where(file_chunks.c.file_id.in_(file_ids)))
    for table in (files, messages, deliveries, held, choices):
        connection.execute(delete(table).where(table.c.conversation_id.in_(mine)))
    # The envelope stays as long as its webhook-id must be remembered, without its content.
    connection.execute(update(envelopes).where(envelopes.c.conversation_id.in_(mine)).values(body="{}"))
    connection.execute(delete(conversations).where(conversations.c.id.in_(mine)))
