"""Which guests still need their webhook, and which are due for a look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from bridge.domain.throttling import SENDING
from bridge.store import gates
from bridge.store.engine.sql import wake
from bridge.store.guests import Budget, Guest, admit
from bridge.store.hearing import soon
from bridge.store.outbox import lease, let_go, thread_lane
from bridge.store.tables import guests, lanes, threads


@dataclass(frozen=True, slots=True)
class HookClaim:
    owner: str
    now: float
    lease: float
    limit: int
    budget: Budget


@dataclass(frozen=True, slots=True)
class HookWork:
    lane: str
    owner: str
    guest: Guest


def claim_hooks(connection: Connection, wishes: Sequence[HookClaim]) -> list[list[HookWork]]:
    return [_claim(connection, wish) for wish in wishes]


def _claim(connection: Connection, wish: HookClaim) -> list[HookWork]:
    keys = lease(connection, "hook", wish.owner, wish.now, wish.lease, wish.limit)
    ids = [key.partition(":")[2] for key in keys]
    if not ids:
        return []
    # Who may not send messages now writes no webhooks either.
    closed = gates.closed_until(connection, ids, SENDING, wish.now)
    admitted, put_off = admit(connection, [one for one in ids if one not in closed], wish.budget, wish.now)
    put_off |= closed
    let_go(connection, {f"hook:{ident}": at for ident, at in put_off.items()})
    return [HookWork(f"hook:{ident}", wish.owner, guest) for ident, guest in admitted.items()]


@dataclass(frozen=True, slots=True)
class HookDone:
    """`webhook`: what is registered now (None: unchanged); `again_at`: when to look again (None: not by itself)."""

    work: HookWork
    webhook: str | None
    again_at: float | None
    now: float


def settle_hooks(connection: Connection, done: Sequence[HookDone]) -> list[bool]:
    """Notes what is registered. False where the lease was lost: then nothing is written."""
    results = []
    for one in done:
        mine = (lanes.c.key == one.work.lane, lanes.c.owner == one.work.owner)
        if one.again_at is None:
            ours = connection.execute(delete(lanes).where(*mine)).rowcount
        else:
            ours = connection.execute(
                update(lanes).where(*mine).values(owner=None, ready_at=one.again_at)
            ).rowcount
        results.append(bool(ours))
        if ours and one.webhook is not None:
            connection.execute(
                update(guests).where(guests.c.id == one.work.guest.id).values(webhook=one.webhook)
            )
            # What was said before there was a webhook told nobody: read it back.
            known = (threads.c.guest_id == one.work.guest.id, threads.c.since.is_not(None))
            emails = connection.execute(select(threads.c.agent_email).where(*known)).scalars().all()
            soon(connection, [thread_lane(one.work.guest.id, email) for email in emails], one.now)
    return results


@dataclass(frozen=True, slots=True)
class LookOver:
    """Every guest with an open conversation has its webhook looked at, spread over `spread` seconds."""

    now: float
    spread: float


def look_over(connection: Connection, wishes: Sequence[LookOver]) -> list[int]:
    counts = []
    for wish in wishes:
        query = select(guests.c.id).where(guests.c.open_conversations > 0, guests.c.token.is_not(None))
        ids = sorted(connection.execute(query).scalars())
        for index in range(10):
            wake(
                connection,
                "hook",
                [f"hook:{ident}" for ident in ids[index::10]],
                wish.now + wish.spread * index / 10,
            )
        counts.append(len(ids))
    return counts
