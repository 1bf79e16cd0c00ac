"""Guests' tokens: new ones kept, failures noted, re-issues that are due. Who may use or mint one: `guests`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, delete, func, select, update

from bridge.store.engine.prepared import Prepared
from bridge.store.engine.sql import insert_for
from bridge.store.guests import GUEST_COLUMNS, MINT_PARK, MINTING_SECONDS, Budget, Guest, grant, guest_of
from bridge.store.tables import guest_tokens, guests, locks


class Minted(NamedTuple):
    """A new token. `reissue_at` is kept only while the guest has an open conversation."""

    guest_id: str
    grant_at: float
    token: str
    issued_at: float
    expires_at: float
    reissue_at: float
    name: str
    person_id: str | None
    email: str | None


def save_tokens(connection: Connection, minted: Sequence[Minted]) -> list[None]:
    newest = {one.guest_id: one for one in minted}
    _SAVE_TOKEN.many(
        connection,
        [
            {
                "guest": one.guest_id,
                "new_token": one.token,
                "issued": one.issued_at,
                "expires": one.expires_at,
                "due": one.reissue_at,
                "name": one.name,
                "person": one.person_id,
                "mail": one.email,
            }
            for one in newest.values()
        ],
    )
    _KNOWN_END.many(
        connection,
        [{"guest": one.guest_id, "granted": one.grant_at, "expires": one.expires_at} for one in minted],
    )
    return [None] * len(minted)


@dataclass(frozen=True, slots=True)
class MintFailed:
    """`certain`: no token was made. The two parks are None where nothing is parked."""

    guest_id: str
    grant_at: float
    certain: bool
    retry_at: float
    park_guest_until: float | None = None
    park_all_until: float | None = None


def mint_failed(connection: Connection, failures: Sequence[MintFailed]) -> list[None]:
    connection.execute(
        _MINT_FAILED,
        [
            {"guest": one.guest_id, "parked": one.park_guest_until or 0, "due": one.retry_at}
            for one in failures
        ],
    )
    certain = [{"guest": one.guest_id, "granted": one.grant_at} for one in failures if one.certain]
    if certain:
        connection.execute(_NO_TOKEN, certain)
    parks = [one.park_all_until for one in failures if one.park_all_until]
    if parks:
        park(connection, MINT_PARK, max(parks))
    return [None] * len(failures)


@dataclass(frozen=True, slots=True)
class Returned:
    """A leave to mint that was not used; `due_at` moves a re-issue."""

    guest_id: str
    grant_at: float
    due_at: float


def give_back(connection: Connection, returned: Sequence[Returned]) -> list[None]:
    """As if the leave had never been given; one that has run out meanwhile may be somebody else's now."""
    connection.execute(
        _GIVEN_BACK,
        [
            {"guest": one.guest_id, "due": one.due_at, "given": one.grant_at + MINTING_SECONDS}
            for one in returned
        ],
    )
    connection.execute(_NO_TOKEN, [{"guest": one.guest_id, "granted": one.grant_at} for one in returned])
    return [None] * len(returned)


def park(connection: Connection, name: str, until: float) -> None:
    statement = insert_for(connection, locks)
    later = case((locks.c.until > statement.excluded.until, locks.c.until), else_=statement.excluded.until)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"until": later}),
        [{"name": name, "owner": None, "until": until}],
    )


@dataclass(frozen=True, slots=True)
class Revoked:
    """Webex said 401 to this token before its time."""

    guest_id: str
    issued_at: float


def revoke(connection: Connection, revoked: Sequence[Revoked]) -> list[None]:
    connection.execute(_REVOKE, [{"guest": one.guest_id, "issued": one.issued_at} for one in revoked])
    return [None] * len(revoked)


@dataclass(frozen=True, slots=True)
class Due:
    """Asks for up to `limit` guests whose token is due for re-issue."""

    now: float
    budget: Budget
    limit: int


def take_due(connection: Connection, wishes: Sequence[Due]) -> list[list[Guest]]:
    """Guests that may be re-issued now; taking one is a lease, for its due time moves on at once."""
    return [_take_due(connection, wish) for wish in wishes]


def _take_due(connection: Connection, wish: Due) -> list[Guest]:
    query = (
        select(*GUEST_COLUMNS)
        .where(guests.c.reissue_at <= wish.now)
        .order_by(guests.c.reissue_at)
        .limit(wish.limit)
        .with_for_update(skip_locked=True)
    )
    rows = {row.id: row for row in connection.execute(query)}
    early: dict[str, float | None] = {}
    due: dict[str, Any] = {}
    for ident, row in rows.items():
        guest = guest_of(row)
        true_time = guest.issued_at + (guest.expires_at - guest.issued_at) * wish.budget.reissue_at
        if guest.open_conversations <= 0 or guest.token is None:
            early[ident] = None
        elif guest.failures == 0 and true_time > wish.now:
            early[ident] = true_time
        else:
            due[ident] = row
    granted, put_off = grant(connection, due, wish.budget, wish.now)
    moves = {**early, **put_off, **dict.fromkeys(granted, wish.now + MINTING_SECONDS)}
    if moves:
        connection.execute(_DUE_AGAIN, [{"guest": ident, "due": at} for ident, at in moves.items()])
    return list(granted.values())


def next_due(connection: Connection) -> float | None:
    """When the next token in use is due."""
    return connection.execute(
        select(func.min(guests.c.reissue_at)).where(guests.c.reissue_at.is_not(None))
    ).scalar()


def ending(connection: Connection, now: float) -> int:
    """How many tokens in use are in the last tenth of their life, or over, and were not re-issued although that
    was tried."""
    g = guests.c
    late = g.token_expires_at - now < 0.1 * (g.token_expires_at - g.token_issued_at)
    query = select(func.count()).select_from(guests)
    return (
        connection.execute(query.where(g.reissue_at.is_not(None), g.reissue_failures > 0, late)).scalar() or 0
    )


def live_tokens(connection: Connection, now: float) -> tuple[int, int]:
    """(tokens that Webex counts as live, guests that hold them)."""
    held = guest_tokens.c.guest_id
    query = select(func.count(), func.count(held.distinct())).where(guest_tokens.c.expires_at > now)
    tokens, holders = connection.execute(query).one()
    return tokens, holders


_SAVE_TOKEN = Prepared(
    update(guests)
    .where(guests.c.id == bindparam("guest"))
    .values(
        token=bindparam("new_token"),
        token_issued_at=bindparam("issued"),
        token_expires_at=bindparam("expires"),
        minted_name=bindparam("name"),
        person_id=func.coalesce(bindparam("person"), guests.c.person_id),
        email=func.coalesce(bindparam("mail"), guests.c.email),
        minting_until=0,
        parked_until=0,
        reissue_failures=0,
        reissue_at=case((guests.c.open_conversations > 0, bindparam("due")), else_=None),
    ),
    distinct=True,
)
_KNOWN_END = Prepared(
    update(guest_tokens)
    .where(guest_tokens.c.guest_id == bindparam("guest"), guest_tokens.c.issued_at == bindparam("granted"))
    .values(expires_at=bindparam("expires")),
    distinct=True,
)
_MINT_FAILED = (
    update(guests)
    .where(guests.c.id == bindparam("guest"))
    .values(
        minting_until=0,
        parked_until=bindparam("parked"),
        reissue_failures=guests.c.reissue_failures + 1,
        reissue_at=case((guests.c.reissue_at.is_not(None), bindparam("due")), else_=None),
    )
)
_GIVEN_BACK = (
    update(guests)
    .where(guests.c.id == bindparam("guest"), guests.c.minting_until == bindparam("given"))
    .values(
        minting_until=0, reissue_at=case((guests.c.reissue_at.is_not(None), bindparam("due")), else_=None)
    )
)
_NO_TOKEN = delete(guest_tokens).where(
    guest_tokens.c.guest_id == bindparam("guest"), guest_tokens.c.issued_at == bindparam("granted")
)
_REVOKE = (
    update(guests)
    .where(guests.c.id == bindparam("guest"), guests.c.token_issued_at == bindparam("issued"))
    .values(token_expires_at=0)
)
_DUE_AGAIN = update(guests).where(guests.c.id == bindparam("guest")).values(reissue_at=bindparam("due"))
