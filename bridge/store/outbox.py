"""The outbox: deliveries in lanes. A lane is leased by one worker, worked oldest first, and given up or kept.

A claim is the note 'an attempt begins' (`attempts`, `doubt`): should the process die in the middle, the next
one knows that the message may already be there. A settle counts only while the lease and the attempt are
still the worker's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, bindparam, case, delete, exists, func, or_, select, update

from bridge.domain.conversation.refusals import Fault, Refusal
from bridge.domain.deadlines import CALL_SECONDS, call_limit
from bridge.store.engine.prepared import Prepared, among
from bridge.store.engine.sql import insert_missing, wake
from bridge.store.guests import Budget, Guest, Returned, admit, give_back
from bridge.store.refusals import judge
from bridge.store.rows import dump
from bridge.store.tables import deliveries, envelopes, lanes, messages, threads

PARKED = "parked"  # the owner of a lane that Webex has us leave alone, whatever news there is of it


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


class Settled(NamedTuple):
    """How an attempt ended. `outcome`: done | again | dead | agent-refused."""

    work: Work
    outcome: str
    now: float
    lease: float
    again_at: float = 0
    doubt: bool = False
    quiet_until: float = 0
    counted: bool = True  # False: nothing was attempted, e.g. there was no token to do it with
    error: str | None = None
    webex_id: str | None = None
    room_id: str | None = None
    webex_created: float | None = None
    listen_at: float | None = None  # when the thread is read for an answer
    webhook: str | None = None  # what a guest's webhook should be, where answers come by webhook
    budget: Budget | None = None
    blamed: bool = False  # an agent who was refused to different guests: none of them can write there
    call_seconds: float = CALL_SECONDS


class Next(NamedTuple):
    """What a settle leads to: `lost` if the lease was, and the lane's next delivery if there is one."""

    lost: bool = False
    work: Work | None = None


def claim(connection: Connection, claims: Sequence[Claim]) -> list[list[Work]]:
    return [_claim(connection, one) for one in claims]


claim.rank = 2  # type: ignore[attr-defined]  # after intake has decided, in the same transaction


def _claim(connection: Connection, wish: Claim) -> list[Work]:
    return begin(
        connection, lease(connection, wish.stage, wish.owner, wish.now, wish.lease, wish.limit), wish
    )


def begin(connection: Connection, keys: Sequence[str], wish: Claim) -> list[Work]:
    """The oldest delivery of each of these lanes, which were leased for `wish`; an attempt at it has begun."""
    return sorted(_heads(connection, keys, wish).values(), key=lambda work: work.id)


def lease(
    connection: Connection, stage: str, owner: str, now: float, seconds: float, limit: int
) -> list[str]:
    """Up to `limit` lanes of `stage` whose time has come are `owner`'s for so many seconds; their keys."""
    leased = _LEASE.one(connection, stage=stage, now=now, most=limit, new_owner=owner, until=now + seconds)
    return [row.key for row in leased]


def let_go(connection: Connection, lanes_at: Mapping[str, float]) -> None:
    """Gives leases up; each lane is looked at again at its time."""
    _LET_GO.many(connection, [{"lane": key, "at": at} for key, at in lanes_at.items()])


def _heads(connection: Connection, keys: Sequence[str], wish: Claim) -> dict[str, Work]:
    """The oldest open delivery of each leased lane; lanes that have none, or must wait, are let go."""
    if not keys:
        return {}
    rows = {row.lane: row for row in _OLDEST.one(connection, keys=keys)}
    if empty := [key for key in keys if key not in rows]:
        _EMPTY.one(connection, keys=empty)
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
    by_guest = {lane.partition(":")[2]: row for lane, row in rows.items()}
    admitted, put_off = admit(connection, by_guest, budget, wish.now)
    rooms = {
        (row.guest_id, row.agent_email): row.room_id for row in _ROOMS.one(connection, guests=list(admitted))
    }
    let_go(connection, {by_guest[guest].lane: at for guest, at in put_off.items()})
    return {
        by_guest[ident].lane: (guest, rooms.get((ident, by_guest[ident].address or "")))
        for ident, guest in admitted.items()
    }


def settle(connection: Connection, settled: Sequence[Settled]) -> list[Next]:
    """Writes down how attempts ended and takes the lanes' next deliveries on the same lease."""
    states = still_mine(connection, [one.work for one in settled])
    valid = _judged(connection, [one for one, state in zip(settled, states, strict=True) if state == "open"])
    # Taken back while it was on its way: the former agent may have got it all the same, and the lane goes on.
    taken_back = [one for one, state in zip(settled, states, strict=True) if state == "dropped"]
    _save_done(connection, [one for one in valid + taken_back if one.outcome == "done"])
    _save_again(connection, [one for one in valid + taken_back if one.outcome == "again"])
    _save_ended(connection, [one for one in valid if one.outcome in ("dead", "agent-refused")])
    not_said = [one for one in taken_back if one.outcome in ("dead", "agent-refused")]
    _NOT_SAID.many(connection, [{"delivery": one.work.id, "why": one.error} for one in not_said])
    going_on = [one for one in valid if one.outcome in ("done", "dead")]
    going_on += [one for one in taken_back if one.outcome != "again"]
    following = _following(connection, going_on)
    return [
        Next(lost=True) if state is None else Next(work=following.get(one.work.lane))
        for one, state in zip(settled, states, strict=True)
    ]


def _judged(connection: Connection, settled: list[Settled]) -> list[Settled]:
    """Of a guest whom several agents' Webex refused, the words are given up; else somebody else is asked."""
    refused = [one for one in settled if one.outcome == "agent-refused"]
    if not refused:
        return settled
    faults = judge(connection, [(_refusal(one), one.work.id) for one in refused])
    by_id = {one.work.id: fault for one, fault in zip(refused, faults, strict=True)}
    return [_by_fault(one, by_id.get(one.work.id)) for one in settled]


def _refusal(one: Settled) -> Refusal:
    work = one.work
    return Refusal(work.agent or "", work.lane.partition(":")[2], work.conversation_id, one.now)


def _by_fault(one: Settled, fault: Fault | None) -> Settled:
    if fault is Fault.WORDS:
        return one._replace(
            outcome="dead", error=f"Webex refused this customer at several agents: {one.error}"
        )
    return one._replace(blamed=fault is Fault.AGENT)


class Unused(NamedTuple):
    """A delivery that a settle led to, and that is not attempted after all: the process stops."""

    work: Work
    now: float


def unclaim(connection: Connection, unused: Sequence[Unused]) -> list[Next]:
    """As if it had not been claimed: whoever comes next need not doubt, and does not wait for the lease."""
    for work, now in unused:
        if work.guest is not None and work.guest.grant_at is not None:
            give_back(connection, [Returned(work.guest.id, work.guest.grant_at, now)])
    return settle(
        connection,
        [
            Settled(
                work,
                "again",
                now,
                lease=0,
                again_at=now,
                doubt=work.doubt,
                quiet_until=work.quiet_until,
                counted=False,
            )
            for work, now in unused
        ],
    )


def still_mine(connection: Connection, works: Sequence[Work]) -> list[str | None]:
    """For each attempt the state of its delivery, open or dropped (meanwhile); None where it does not count.

    It counts while its worker has the lane and no later attempt was begun; of two accounts of it, the first.
    """
    locked = _OWNERS.one(connection, keys={work.lane for work in works})
    owners = {row.key: row.owner for row in locked}
    begun = _ATTEMPTS.one(connection, ids={work.id for work in works})
    states = {(row.id, row.attempts): row.state for row in begun}
    return [
        states.pop((work.id, work.attempt), None) if owners.get(work.lane) == work.owner else None
        for work in works
    ]


def _save_done(connection: Connection, done: Sequence[Settled]) -> None:
    if not done:
        return
    _DONE.many(connection, [{"delivery": one.work.id, "webex": one.webex_id, "at": one.now} for one in done])
    sent = [one.work for one in done if one.work.stage == "say" and one.work.last]
    _SENT.many(
        connection,
        [
            {"conversation": work.conversation_id, "number": work.seq, "state": "sent"}
            for work in sent
            if not work.part
        ],
    )
    _SENT_WHOLE.many(
        connection,
        [
            {"conversation": work.conversation_id, "number": work.seq, "reader": work.address}
            for work in sent
            if work.part
        ],
    )
    rooms = [one for one in done if one.room_id and one.work.guest]
    _ROOM.many(
        connection,
        [
            {
                "guest": one.work.guest.id if one.work.guest else None,
                "email": one.work.address,
                "carried": one.work.conversation_id,
                "room": one.room_id,
                "first": one.webex_created,
                "first_id": one.webex_id,
                "at": one.now,
            }
            for one in rooms
        ],
    )
    listen = {
        thread_lane(one.work.guest.id, one.work.address or ""): one.listen_at
        for one in rooms
        if one.work.guest and one.listen_at is not None
    }
    for at in sorted(set(listen.values())):
        wake(connection, "hear", [key for key, when in listen.items() if when == at], at)
    unhooked = [
        one for one in rooms if one.webhook and one.work.guest and one.work.guest.webhook != one.webhook
    ]
    wake(connection, "hook", [f"hook:{one.work.guest.id}" for one in unhooked if one.work.guest], done[0].now)


def thread_lane(guest_id: str, agent_email: str) -> str:
    return f"hear:{guest_id}:{agent_email}"


def _save_again(connection: Connection, again: Sequence[Settled]) -> None:
    if not again:
        return
    _AGAIN.many(
        connection,
        [
            {
                "delivery": one.work.id,
                "doubtful": int(one.doubt),
                "quiet": one.quiet_until,
                "why": one.error,
                "back": int(not one.counted),
            }
            for one in again
        ],
    )
    let_go(connection, {one.work.lane: one.again_at for one in again})


def _save_ended(connection: Connection, ended: Sequence[Settled]) -> None:
    """What is given up: a dead letter and word of it, or an agent whom Webex refuses and a new choice."""
    if not ended:
        return
    _ENDED.many(
        connection,
        [
            {
                "delivery": one.work.id,
                "ended_as": "dead" if one.outcome == "dead" else "dropped",
                "why": one.error,
                "at": one.now,
            }
            for one in ended
        ],
    )
    failed = [one for one in ended if one.outcome == "dead" and one.work.stage == "say"]
    _SENT.many(
        connection,
        [
            {"conversation": one.work.conversation_id, "number": one.work.seq, "state": "failed"}
            for one in failed
        ],
    )
    refused = [one for one in ended if one.outcome == "agent-refused"]
    _tell_intake(
        connection,
        [_failed_envelope(connection, one) for one in failed]
        + [_refused(connection, one) for one in refused],
    )
    let_go(connection, {one.work.lane: one.again_at for one in refused})


def _failed_envelope(connection: Connection, one: Settled) -> dict[str, Any]:
    """One for a message, of however many of its parts."""
    body = {"message_id": _message_id(connection, one.work), "reason": one.error}
    key = f"failed:{one.work.conversation_id}:{one.work.seq}"
    return _envelope(one, key, "delivery-failed", body)


def _message_id(connection: Connection, work: Work) -> str | None:
    where = (messages.c.conversation_id == work.conversation_id, messages.c.seq == work.seq)
    return connection.execute(select(messages.c.id).where(*where)).scalar()


def _refused(connection: Connection, one: Settled) -> dict[str, Any]:
    """It says which words as well: should the conversation be over by then, they have failed."""
    work = one.work
    body = {
        "agent": work.agent,
        "reason": one.error,
        "blamed": one.blamed,
        "delivery": work.id,
        "seq": work.seq,
        "message_id": _message_id(connection, work),
    }
    # With the time of its beginning: an operator may have it begun anew, and its attempts with it.
    return _envelope(one, f"refused:{work.id}:{work.created_at:.3f}:{work.attempt}", "agent-refused", body)


def _envelope(one: Settled, key: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    assert one.work.guest is not None
    return {
        "key": key,
        "lane": f"in:{one.work.guest.customer}",
        "kind": kind,
        "conversation_id": one.work.conversation_id,
        "body": dump(body),
        "answered": "",
        "received_at": one.now,
    }


def _tell_intake(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        insert_missing(connection, envelopes, rows)
        wake(connection, "in", (row["lane"] for row in rows), rows[0]["received_at"])


def _following(connection: Connection, settled: Sequence[Settled]) -> dict[str, Work]:
    found: dict[str, Work] = {}
    for stage in {one.work.stage for one in settled}:
        mine = [one for one in settled if one.work.stage == stage]
        sample = mine[-1]
        keys = [one.work.lane for one in mine]
        owner, seconds = sample.work.owner, sample.call_seconds
        wish = Claim(stage, owner, sample.now, sample.lease, len(keys), sample.budget, seconds)
        heads = _heads(connection, keys, wish)
        _EXTEND.many(connection, [{"lane": key, "at": sample.now + sample.lease} for key in heads])
        found.update(heads)
    return found


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
        mine = (lanes.c.owner == beat.owner, lanes.c.key.in_(sorted(beat.keys)))
        moved = update(lanes).where(*mine).values(ready_at=beat.until).returning(lanes.c.key)
        kept.append(frozenset(connection.execute(moved).scalars()))
        calling = [one for one in beat.calling if one.lane in kept[-1]]
        _STILL_CALLING.many(
            connection,
            [{"delivery": one.id, "attempt": one.attempt, "quiet": one.quiet_until} for one in calling],
        )
    return kept


@dataclass(frozen=True, slots=True)
class FreeAll:
    """`owner` None: every lease, for a process that knows itself to be alone."""

    owner: str | None
    now: float


def free_all(connection: Connection, wishes: Sequence[FreeAll]) -> list[None]:
    """Gives leases up at once: at a clean stop, or at the start after a crash of the only process."""
    for wish in wishes:
        held = lanes.c.owner.is_not(None) & (lanes.c.owner != PARKED)
        mine = held if wish.owner is None else lanes.c.owner == wish.owner
        connection.execute(update(lanes).where(mine).values(owner=None, ready_at=wish.now))
    return [None] * len(wishes)


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
_DONE = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(state="done", doubt=0, error=None, webex_id=bindparam("webex"), done_at=bindparam("at")),
    distinct=True,
)
_AGAIN = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(
        doubt=bindparam("doubtful"),
        quiet_until=bindparam("quiet"),
        error=bindparam("why"),
        attempts=deliveries.c.attempts - bindparam("back"),
    ),
    distinct=True,
)
_NOT_SAID = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(doubt=0, error=bindparam("why")),
    distinct=True,
)
_STILL_CALLING = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.attempts == bindparam("attempt"))
    .values(quiet_until=bindparam("quiet")),
    distinct=True,
)
_ENDED = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(state=bindparam("ended_as"), doubt=0, error=bindparam("why"), done_at=bindparam("at"))
)
_SENT = Prepared(
    update(messages)
    .where(messages.c.conversation_id == bindparam("conversation"), messages.c.seq == bindparam("number"))
    .values(delivery=bindparam("state")),
    distinct=True,
)
# The last of several parts, where this agent got the others too.
_SENT_WHOLE = Prepared(
    update(messages)
    .where(
        messages.c.conversation_id == bindparam("conversation"),
        messages.c.seq == bindparam("number"),
        ~exists().where(
            deliveries.c.conversation_id == messages.c.conversation_id,
            deliveries.c.seq == messages.c.seq,
            deliveries.c.address == bindparam("reader"),
            deliveries.c.state == "dead",
        ),
    )
    .values(delivery="sent")
)
# The last words of an earlier visit, delivered late, do not begin the present one.
_its_own = threads.c.conversation_id == bindparam("carried")
_ROOM = Prepared(
    update(threads)
    .where(threads.c.guest_id == bindparam("guest"), threads.c.agent_email == bindparam("email"))
    .values(
        room_id=bindparam("room"),
        since=case((_its_own, func.coalesce(threads.c.since, bindparam("first"))), else_=threads.c.since),
        since_id=case(
            (_its_own, func.coalesce(threads.c.since_id, bindparam("first_id"))), else_=threads.c.since_id
        ),
        quiet_since=bindparam("at"),
    ),
    distinct=True,
)
_LET_GO = Prepared(
    update(lanes).where(lanes.c.key == bindparam("lane")).values(owner=None, ready_at=bindparam("at")),
    distinct=True,
)
_EXTEND = Prepared(
    update(lanes).where(lanes.c.key == bindparam("lane")).values(ready_at=bindparam("at")), distinct=True
)
_READY = (
    select(lanes.c.key)
    .where(lanes.c.stage == bindparam("stage"), lanes.c.ready_at <= bindparam("now"))
    .order_by(lanes.c.ready_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_LEASE = Prepared(
    update(lanes)
    .where(lanes.c.key.in_(_READY.scalar_subquery()))
    .values(owner=bindparam("new_owner"), ready_at=bindparam("until"))
    .returning(lanes.c.key)
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
_EMPTY = Prepared(delete(lanes).where(among(lanes.c.key, "keys")))
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
_OWNERS = Prepared(
    select(lanes.c.key, lanes.c.owner)
    .where(among(lanes.c.key, "keys"))
    .order_by(lanes.c.key)
    .with_for_update()
)
_ATTEMPTS = Prepared(
    select(deliveries.c.id, deliveries.c.attempts, deliveries.c.state).where(
        among(deliveries.c.id, "ids"), or_(deliveries.c.state == "open", deliveries.c.state == "dropped")
    )
)
