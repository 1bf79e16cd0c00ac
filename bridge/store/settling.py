"""How attempts ended: what is written down about their deliveries, and who is told.

A settle counts only while the lease and the attempt are still the worker's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, exists, func, select, update

from bridge.domain.conversation.refusals import Fault, Refusal
from bridge.domain.deadlines import CALL_SECONDS
from bridge.store.engine.prepared import Prepared
from bridge.store.envelopes import NewEnvelope, put_envelopes
from bridge.store.guests import Budget
from bridge.store.lanes import extend, hear_lane, hook_lane, let_go, wake, whose
from bridge.store.outbox import Claim, Work, heads_of, still_mine
from bridge.store.refusals import judge
from bridge.store.rows import dump
from bridge.store.tables import deliveries, messages, threads
from bridge.store.tokens import Returned, give_back


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
    return Refusal(work.agent or "", whose(work.lane), work.conversation_id, one.now)


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
        hear_lane(one.work.guest.id, one.work.address or ""): one.listen_at
        for one in rooms
        if one.work.guest and one.listen_at is not None
    }
    for at in sorted(set(listen.values())):
        wake(connection, [key for key, when in listen.items() if when == at], at)
    unhooked = [
        one for one in rooms if one.webhook and one.work.guest and one.work.guest.webhook != one.webhook
    ]
    wake(connection, [hook_lane(one.work.guest.id) for one in unhooked if one.work.guest], done[0].now)


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
    news = [_failed_envelope(connection, one) for one in failed]
    put_envelopes(connection, news + [_refused(connection, one) for one in refused])
    let_go(connection, {one.work.lane: one.again_at for one in refused})


def _failed_envelope(connection: Connection, one: Settled) -> NewEnvelope:
    """One for a message, of however many of its parts."""
    body = {"message_id": _message_id(connection, one.work), "reason": one.error}
    key = f"failed:{one.work.conversation_id}:{one.work.seq}"
    return _envelope(one, key, "delivery-failed", body)


def _message_id(connection: Connection, work: Work) -> str | None:
    where = (messages.c.conversation_id == work.conversation_id, messages.c.seq == work.seq)
    return connection.execute(select(messages.c.id).where(*where)).scalar()


def _refused(connection: Connection, one: Settled) -> NewEnvelope:
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


def _envelope(one: Settled, key: str, kind: str, body: dict[str, Any]) -> NewEnvelope:
    assert one.work.guest is not None
    return NewEnvelope(key, kind, one.work.guest.customer, one.work.conversation_id, dump(body), one.now)


def _following(connection: Connection, settled: Sequence[Settled]) -> dict[str, Work]:
    found: dict[str, Work] = {}
    for stage in {one.work.stage for one in settled}:
        mine = [one for one in settled if one.work.stage == stage]
        sample = mine[-1]
        keys = [one.work.lane for one in mine]
        owner, seconds = sample.work.owner, sample.call_seconds
        wish = Claim(stage, owner, sample.now, sample.lease, len(keys), sample.budget, seconds)
        heads = heads_of(connection, keys, wish)
        extend(connection, heads, sample.now + sample.lease)
        found.update(heads)
    return found


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
