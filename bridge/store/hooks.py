"""Which guests still need their webhook, and which are due for a look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from bridge.domain.throttling import SENDING
from bridge.store import gates
from bridge.store.guests import Budget, Guest, admit
from bridge.store.lanes import HOOK, finish, hear_lane, hook_lane, lease, let_go, soon, wake, whose
from bridge.store.tables import guests, threads


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
    keys = lease(connection, HOOK, wish.owner, wish.now, wish.lease, wish.limit)
    ids = [whose(key) for key in keys]
    if not ids:
        return []
    # Who may not send messages now writes no webhooks either.
    closed = gates.closed_until(connection, ids, SENDING, wish.now)
    admitted, put_off = admit(connection, [one for one in ids if one not in closed], wish.budget, wish.now)
    put_off |= closed
    let_go(connection, {hook_lane(ident): at for ident, at in put_off.items()})
    return [HookWork(hook_lane(ident), wish.owner, guest) for ident, guest in admitted.items()]


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
        ours = finish(connection, one.work.lane, one.work.owner, one.again_at)
        results.append(ours)
        if ours and one.webhook is not None:
            connection.execute(
                update(guests).where(guests.c.id == one.work.guest.id).values(webhook=one.webhook)
            )
            # What was said before there was a webhook told nobody: read it back.
            known = (threads.c.guest_id == one.work.guest.id, threads.c.since.is_not(None))
            emails = connection.execute(select(threads.c.agent_email).where(*known)).scalars().all()
            soon(connection, [hear_lane(one.work.guest.id, email) for email in emails], one.now)
    return results


@dataclass(frozen=True, slots=True)
class LookOver:
    """Every guest with an open conversation has its webhook looked at, spread over `spread` seconds.

    `most`: so many of them only.
    """

    now: float
    spread: float
    most: int | None = None


def look_over(connection: Connection, wishes: Sequence[LookOver]) -> list[int]:
    counts = []
    for wish in wishes:
        query = select(guests.c.id).where(guests.c.open_conversations > 0, guests.c.token.is_not(None))
        ids = sorted(connection.execute(query.order_by(guests.c.id).limit(wish.most)).scalars())
        for index in range(10):
            some = [hook_lane(ident) for ident in ids[index::10]]
            wake(connection, some, wish.now + wish.spread * index / 10)
        counts.append(len(ids))
    return counts
