"""Guests and their tokens: who may use one, who may mint one, what is due for re-issue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update

from bridge.domain.renewal import LONGEST_GUESS, margin
from bridge.store.engine.prepared import Prepared, among
from bridge.store.engine.sql import insert_all
from bridge.store.tables import guest_tokens, guests, locks

MINT_PARK = "park:mint"
MINTING_SECONDS = 10.0  # the process that minted is dead; its work is taken over within 15 s (contract 9)
_SOMEBODY_ELSE_MINTS = 0.25


class Budget(NamedTuple):
    """How many live tokens a guest may hold, and from which share of its life a token is due for re-issue."""

    tokens: int
    reissue_at: float


class Guest(NamedTuple):
    """A guest with its present token (encrypted); `grant_at` is set where it may mint the next one now."""

    id: str
    customer: str
    display_name: str
    minted_name: str | None
    person_id: str | None
    email: str | None
    token: str | None
    issued_at: float
    expires_at: float
    open_conversations: int
    failures: int
    webhook: str | None = None
    grant_at: float | None = None

    @property
    def usable_until(self) -> float:
        """From then on the token is left alone: a call takes time, and clocks differ."""
        return self.expires_at - margin(self.expires_at - self.issued_at)

    def usable(self, now: float) -> bool:
        return self.token is not None and now < self.usable_until


def admit(
    connection: Connection, guest_ids: Iterable[str], budget: Budget, now: float
) -> tuple[dict[str, Guest], dict[str, float]]:
    """(guests that can go on now, guests that cannot and when to look again).

    One that has a usable token goes on with it. The others get leave to mint, one caller at a time per guest,
    unless minting is parked or their budget of live tokens is used up.
    """
    rows = _GUESTS.one(connection, ids=list(guest_ids))
    ready: dict[str, Guest] = {}
    wanting: dict[str, Any] = {}
    for row in rows:
        guest = guest_of(row)
        if guest.usable(now) and guest.minted_name == guest.display_name:
            ready[guest.id] = guest
        else:
            wanting[guest.id] = row
    granted, put_off = grant(connection, wanting, budget, now)
    for ident in list(put_off):
        guest = guest_of(wanting[ident])
        if guest.usable(now):  # only the new name must wait
            ready[ident] = guest
            del put_off[ident]
    return ready | granted, put_off


def grant(
    connection: Connection, rows: Mapping[str, Any], budget: Budget, now: float
) -> tuple[dict[str, Guest], dict[str, float]]:
    """Leave to mint. The live-token count is raised before the call, so that a crash cannot hide a token."""
    if not rows:
        return {}, {}
    parked = minting_parked(connection)
    live = {row.guest_id: (row.n, row.first) for row in _LIVE.one(connection, guest_ids=list(rows), now=now)}
    granted: dict[str, Guest] = {}
    put_off: dict[str, float] = {}
    for ident, row in rows.items():
        count, first_end = live.get(ident, (0, now))
        wait_until = max(parked, row.parked_until)
        if wait_until > now:
            put_off[ident] = wait_until
        elif row.minting_until > now:
            put_off[ident] = now + _SOMEBODY_ELSE_MINTS
        elif count >= budget.tokens:
            put_off[ident] = first_end
        else:
            granted[ident] = guest_of(row, grant_at=now)
    if granted:
        values = [{"guest": ident, "until": now + MINTING_SECONDS} for ident in granted]
        _MINTING.many(connection, values)
        intents = [
            {"guest_id": ident, "issued_at": now, "expires_at": now + LONGEST_GUESS} for ident in granted
        ]
        insert_all(connection, guest_tokens, intents)
    return granted, put_off


def minting_parked(connection: Connection) -> float:
    """Until when nobody may mint, as Webex asked; 0 where it did not."""
    return max((float(row.until) for row in _PARKED.one(connection, name=MINT_PARK)), default=0.0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody needs a token of one guest, outside the outbox: to read a thread, after a 401, for the SDK."""

    guest_id: str
    budget: Budget
    now: float


@dataclass(frozen=True, slots=True)
class Lent:
    guest: Guest | None
    wait_until: float | None = None


def want(connection: Connection, wishes: Sequence[Wanted]) -> list[Lent]:
    """For each: the guest with a usable token or leave to mint, or when to ask again."""
    results = []
    for wish in wishes:
        ready, put_off = admit(connection, [wish.guest_id], wish.budget, wish.now)
        results.append(Lent(ready.get(wish.guest_id), put_off.get(wish.guest_id)))
    return results


def guest_of(row: Any, grant_at: float | None = None) -> Guest:
    return Guest(
        id=row.id,
        customer=row.customer,
        display_name=row.display_name,
        minted_name=row.minted_name,
        person_id=row.person_id,
        email=row.email,
        token=row.token,
        issued_at=row.token_issued_at or 0,
        expires_at=row.token_expires_at,
        open_conversations=row.open_conversations,
        failures=row.reissue_failures,
        webhook=row.webhook,
        grant_at=grant_at,
    )


GUEST_COLUMNS = (
    guests.c.id,
    guests.c.customer,
    guests.c.display_name,
    guests.c.minted_name,
    guests.c.person_id,
    guests.c.email,
    guests.c.token,
    guests.c.token_issued_at,
    guests.c.token_expires_at,
    guests.c.open_conversations,
    guests.c.reissue_failures,
    guests.c.webhook,
    guests.c.minting_until,
    guests.c.parked_until,
)
_LIVE = Prepared(
    select(
        guest_tokens.c.guest_id,
        func.count().label("n"),
        func.min(guest_tokens.c.expires_at).label("first"),
    )
    .where(
        among(guest_tokens.c.guest_id, "guest_ids"),
        guest_tokens.c.expires_at > bindparam("now"),
    )
    .group_by(guest_tokens.c.guest_id)
)
_MINTING = Prepared(
    update(guests).where(guests.c.id == bindparam("guest")).values(minting_until=bindparam("until")),
    distinct=True,
)
_GUESTS = Prepared(
    select(*GUEST_COLUMNS).where(among(guests.c.id, "ids")).order_by(guests.c.id).with_for_update()
)
_PARKED = Prepared(select(locks.c.until).where(locks.c.name == bindparam("name")))
