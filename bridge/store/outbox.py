"""The outbox: deliveries in lanes. A lane is leased by one worker, worked oldest first, and given up or kept.

A claim is the note 'an attempt begins' (`attempts`, `doubt`): should the process die in the middle, the next
one knows that the message may already be there. How an attempt ended: `settling`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, or_, select, update

from bridge.domain.deadlines import CALL_SECONDS, call_limit
from bridge.store.engine.prepared import Prepared, among
from bridge.store.guests import Budget, Guest, admit
from bridge.store.lanes import lease, let_go, owners, remove, still_owned, whose
from bridge.store.tables import deliveries, threads


class Claim(NamedTuple):
    """A worker asks for up to `limit` lanes of `stage` until `now + lease`.

    `call_seconds`: how long each of its calls may take, beside the time that a file needs.
    """

    stage: str
    owner: str
    now: float
    lease: float
    limit: int
    budget: Budget | None = None  # for what is sent with a guest's token
    call_seconds: float = CALL_SECONDS


class Work(NamedTuple):
    """One delivery to be attempted now, with what its attempt needs to know."""

    id: int
    lane: str
    stage: str
    owner: str
    attempt: int
    doubt: bool  # an earlier attempt may have had its effect
    kind: str
    conversation_id: str
    seq: int | None
    last: bool
    agent: str | None
    address: str | None
    payload: str
    created_at: float
    call_seconds: float  # how long its call may take
    part: int = 0
    quiet_until: float = 0  # not to be repeated before: the lost attempt may still be on its way
    guest: Guest | None = None
    room_id: str | None = None


def claim(connection: Connection, claims: Sequence[Claim]) -> list[list[Work]]:
    return [_claim(connection, one) for one in claims]


claim.rank = 2  # type: ignore[attr-defined]  # after intake has decided, in the same transaction


def _claim(connection: Connection, wish: Claim) -> list[Work]:
    return begin(
        connection, lease(connection, wish.stage, wish.owner, wish.now, wish.lease, wish.limit), wish
    )


def begin(connection: Connection, keys: Sequence[str], wish: Claim) -> list[Work]:
    """The oldest delivery of each of these lanes, which were leased for `wish`; an attempt at it has begun."""
    return sorted(heads_of(connection, keys, wish).values(), key=lambda work: work.id)


def heads_of(connection: Connection, keys: Sequence[str], wish: Claim) -> dict[str, Work]:
    """The oldest open delivery of each leased lane; lanes that have none, or must wait, are let go."""
    if not keys:
        return {}
    rows = {row.lane: row for row in _OLDEST.one(connection, keys=keys)}
    if empty := [key for key in keys if key not in rows]:
        remove(connection, empty)
    ready: dict[str, tuple[Guest | None, str | None]] = dict.fromkeys(rows, (None, None))
    if wish.budget and rows:
        ready = _with_guests(connection, rows, wish, wish.budget)
    works = {lane: _work(rows[lane], wish, guest, room) for lane, (guest, room) in ready.items()}
    _begin(connection, wish, works.values())
    return works


def _begin(connection: Connection, wish: Claim, works: Iterable[Work]) -> None:
    """Notes that attempts begin. A call leaves while the lease lasts, and then takes its time at most; so after
    that nothing of it can still come about, even if its sender dies."""
    by_limit: dict[float, list[int]] = {}
    for work in works:
        by_limit.setdefault(work.call_seconds, []).append(work.id)
    for limit, ids in by_limit.items():
        _BEGUN.one(connection, ids=ids, quiet=wish.now + wish.lease + limit)


def _call_seconds(row: Any, seconds: float) -> float:
    """Words have `seconds`; a file as long as it may flow."""
    if row.kind != "say" or not row.payload.startswith('{"file"'):
        return seconds
    return call_limit(seconds, json.loads(row.payload)["file"].get("size") or 0)


def _work(row: Any, wish: Claim, guest: Guest | None, room: str | None) -> Work:
    return Work(
        id=row.id,
        lane=row.lane,
        stage=wish.stage,
        owner=wish.owner,
        attempt=row.attempts + 1,
        doubt=bool(row.doubt),
        kind=row.kind,
        conversation_id=row.conversation_id,
        seq=row.seq,
        last=bool(row.last),
        agent=row.agent,
        address=row.address,
        payload=row.payload,
        created_at=row.created_at,
        call_seconds=_call_seconds(row, wish.call_seconds),
        part=row.part,
        quiet_until=row.quiet_until,
        guest=guest,
        room_id=room,
    )


def _with_guests(
    connection: Connection, rows: dict[str, Any], wish: Claim, budget: Budget
) -> dict[str, tuple[Guest | None, str | None]]:
    """Each lane's guest and room; lanes whose guest can neither use nor mint a token now are put off."""
    by_guest = {whose(lane): row for lane, row in rows.items()}
    admitted, put_off = admit(connection, by_guest, budget, wish.now)
    rooms = {
        (row.guest_id, row.agent_email): row.room_id for row in _ROOMS.one(connection, guests=list(admitted))
    }
    let_go(connection, {by_guest[guest].lane: at for guest, at in put_off.items()})
    return {
        by_guest[ident].lane: (guest, rooms.get((ident, by_guest[ident].address or "")))
        for ident, guest in admitted.items()
    }


def still_mine(connection: Connection, works: Sequence[Work]) -> list[str | None]:
    """For each attempt the state of its delivery, open or dropped (meanwhile); None where it does not count.

    It counts while its worker has the lane and no later attempt was begun; of two accounts of it, the first.
    """
    workers = owners(connection, {work.lane for work in works})
    begun = _ATTEMPTS.one(connection, ids={work.id for work in works})
    states = {(row.id, row.attempts): row.state for row in begun}
    return [
        states.pop((work.id, work.attempt), None) if workers.get(work.lane) == work.owner else None
        for work in works
    ]


class Calling(NamedTuple):
    """An attempt under way. Its call, should it leave as late as the lease allows, is over at `quiet_until`."""

    lane: str
    id: int
    attempt: int
    quiet_until: float


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`owner` still works on the lanes `keys`, and on these attempts."""

    owner: str
    until: float
    keys: frozenset[str]
    calling: tuple[Calling, ...] = ()


def extend(connection: Connection, beats: Sequence[Heartbeat]) -> list[frozenset[str]]:
    """Keeps the leases on lanes that this process is still working on; those that are still its own."""
    kept = []
    for beat in beats:
        kept.append(still_owned(connection, beat.owner, beat.keys, beat.until))
        calling = [one for one in beat.calling if one.lane in kept[-1]]
        _STILL_CALLING.many(
            connection,
            [{"delivery": one.id, "attempt": one.attempt, "quiet": one.quiet_until} for one in calling],
        )
    return kept


def attributed(connection: Connection, webex_ids: Iterable[str]) -> dict[str, set[int]]:
    """Which of these Webex messages are known to be ours already, and the deliveries that they are."""
    query = select(deliveries.c.webex_id, deliveries.c.id).where(deliveries.c.webex_id.in_(list(webex_ids)))
    found: dict[str, set[int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.webex_id, set()).add(row.id)
    return found


_COLUMNS = (
    deliveries.c.id,
    deliveries.c.lane,
    deliveries.c.kind,
    deliveries.c.conversation_id,
    deliveries.c.seq,
    deliveries.c.part,
    deliveries.c.last,
    deliveries.c.agent,
    deliveries.c.address,
    deliveries.c.payload,
    deliveries.c.attempts,
    deliveries.c.doubt,
    deliveries.c.created_at,
    deliveries.c.quiet_until,
)
_STILL_CALLING = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.attempts == bindparam("attempt"))
    .values(quiet_until=bindparam("quiet")),
    distinct=True,
)
_OLDEST = Prepared(
    select(*_COLUMNS).where(
        deliveries.c.id.in_(
            select(func.min(deliveries.c.id))
            .where(among(deliveries.c.lane, "keys"), deliveries.c.state == "open")
            .group_by(deliveries.c.lane)
            .scalar_subquery()
        )
    )
)
_BEGUN = Prepared(
    update(deliveries)
    .where(among(deliveries.c.id, "ids"))
    .values(attempts=deliveries.c.attempts + 1, doubt=1, quiet_until=bindparam("quiet"))
)
_ROOMS = Prepared(
    select(threads.c.guest_id, threads.c.agent_email, threads.c.room_id).where(
        among(threads.c.guest_id, "guests")
    )
)
_ATTEMPTS = Prepared(
    select(deliveries.c.id, deliveries.c.attempts, deliveries.c.state).where(
        among(deliveries.c.id, "ids"), or_(deliveries.c.state == "open", deliveries.c.state == "dropped")
    )
)
