"""Threads that are read for an agent's answer: which, when, and how far they were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from bridge.store.engine.prepared import Prepared
from bridge.store.guests import Budget, Guest, admit
from bridge.store.lanes import (
    HEAR,
    ReadingPark,
    hear_lane,
    hear_lanes_of,
    lease,
    let_go,
    owners,
    park_reading,
    remove,
    whose,
)
from bridge.store.new_words import NewWords, keep_new
from bridge.store.tables import conversations, hints, threads


@dataclass(frozen=True, slots=True)
class Listen:
    """A worker asks for up to `limit` threads that are due to be read."""

    owner: str
    now: float
    lease: float
    limit: int
    budget: Budget


@dataclass(frozen=True, slots=True)
class Thread:
    """A 1:1 of a guest and an agent, to be read now. `open`: its conversation is open; `present`: it is this agent's.

    `read_at`, `read_id`: the newest message that was read, by Webex's time. `unread_from`: a reading back was cut
    short, and what is older than this message comes first. `state`: what a reading is for; it counts only while
    the thread is still this.
    """

    lane: str
    owner: str
    guest: Guest
    agent_email: str
    room_id: str | None
    conversation_id: str
    since: float | None
    since_id: str | None
    quiet_since: float
    failures: int
    open: bool
    present: bool
    hints: tuple[str, ...]
    hinted_at: tuple[float, ...] = ()
    back_at: float | None = None
    read_at: float | None = None
    read_id: str | None = None
    unread_from: str | None = None
    state: tuple[object, ...] = ()


def claim_threads(connection: Connection, wishes: Sequence[Listen]) -> list[list[Thread]]:
    return [_claim_threads(connection, wish) for wish in wishes]


def _claim_threads(connection: Connection, wish: Listen) -> list[Thread]:
    keys = lease(connection, HEAR, wish.owner, wish.now, wish.lease, wish.limit)
    if not keys:
        return []
    rows = _threads(connection, keys)
    gone = [key for key in keys if key not in rows]
    remove(connection, gone)
    admitted, put_off = admit(connection, {row.guest_id for row in rows.values()}, wish.budget, wish.now)
    let_go(connection, {key: put_off[row.guest_id] for key, row in rows.items() if row.guest_id in put_off})
    hinted = _hints(connection, sorted(admitted))
    return [
        _thread(key, row, admitted[row.guest_id], hinted.get(key, {}), wish.owner)
        for key, row in rows.items()
        if row.guest_id in admitted
    ]


def _threads(connection: Connection, keys: Sequence[str]) -> dict[str, Any]:
    """The rows of these lanes' threads, each with its conversation's state."""
    guests = sorted({whose(key).partition(":")[0] for key in keys})
    c = conversations.c
    query = (
        select(threads, c.status, c.given_at, c.agent_email.label("present"))
        .join(conversations, c.id == threads.c.conversation_id)
        .where(threads.c.guest_id.in_(guests))
    )
    wanted = set(keys)
    found = {}
    for row in connection.execute(query):
        key = hear_lane(row.guest_id, row.agent_email)
        if key in wanted:
            found[key] = row
    return found


def _hints(connection: Connection, guests: Sequence[str]) -> dict[str, dict[str, float]]:
    """By lane: the messages that webhooks have named, and when they last did."""
    found: dict[str, dict[str, float]] = {}
    for row in connection.execute(select(hints).where(hints.c.guest_id.in_(guests))):
        found.setdefault(hear_lane(row.guest_id, row.agent_email), {})[row.message_id] = row.at
    return found


def _state(row: Any) -> tuple[object, ...]:
    """Whose the thread is and how far it was read: its visit, the visit's agent, and since when each."""
    return (
        row.conversation_id, row.present, row.given_at, row.since, row.since_id, row.back_at,
        row.read_at, row.read_id, row.unread_from,
    )  # fmt: skip


def _thread(key: str, row: Any, guest: Guest, hinted: dict[str, float], owner: str) -> Thread:
    return Thread(
        lane=key,
        owner=owner,
        guest=guest,
        agent_email=row.agent_email,
        room_id=row.room_id,
        conversation_id=row.conversation_id,
        since=row.since,
        since_id=row.since_id,
        quiet_since=row.quiet_since,
        failures=row.read_failures,
        open=row.status == "open",
        present=row.present == row.agent_email,
        hints=tuple(hinted),
        hinted_at=tuple(hinted.values()),
        back_at=row.back_at,
        read_at=row.read_at,
        read_id=row.read_id,
        unread_from=row.unread_from,
        state=_state(row),
    )


@dataclass(frozen=True, slots=True)
class ThreadRead:
    """What reading a thread gave, oldest first, and when to read it again (None: when a hint comes).

    `parked`: not before that, also when a hint comes, also after a restart. `whole`: all that was
    written before the agent got the conversation back has been read. `newest`: the id and Webex's time of
    the newest message that all was read up to (None: no further than before).
    """

    thread: Thread
    now: float
    words: tuple[NewWords, ...]
    cleared_hints: tuple[str, ...]
    again_at: float | None
    failures: int = 0
    parked: bool = False
    whole: bool = False
    newest: tuple[str, float] | None = None
    unread_from: str | None = None


def settle_thread(connection: Connection, reads: Sequence[ThreadRead]) -> list[str]:
    """Puts what is new into the inbox, once each. For each: `read`, or what kept it from counting.

    `lost`: the lease was. `changed`: the thread is another visit's or another agent's by now, or they got it
    back; it is read again at once. Then nothing is written.
    """
    keys = {one.thread.lane for one in reads}
    for guest_id in {one.thread.guest.id for one in reads if one.parked}:
        keys.update(hear_lanes_of(connection, guest_id))
    workers = owners(connection, keys)
    rows = _threads(connection, [one.thread.lane for one in reads])
    results = []
    for read in reads:
        key = read.thread.lane
        if workers.get(key) != read.thread.owner:
            results.append("lost")
        elif key not in rows or _state(rows[key]) != read.thread.state:
            results.append("changed")
            _let_go(connection, read, read.again_at if read.parked else read.now)
        else:
            results.append("read")
            _settle_one(connection, read)
            # Of two that the same process has read only one can be of the thread as it was.
            workers[key] = None
    return results


def _settle_one(connection: Connection, read: ThreadRead) -> None:
    thread = read.thread
    new_words = keep_new(connection, read.words, thread, read.now)
    noted = dict(zip(thread.hints, thread.hinted_at, strict=True))
    if read.cleared_hints:
        _CLEAR.many(connection, [{"hint": one, "named_at": noted[one]} for one in read.cleared_hints])
    connection.execute(
        update(threads)
        .where(threads.c.guest_id == thread.guest.id, threads.c.agent_email == thread.agent_email)
        .values(_thread_after(read, new_words=new_words))
    )
    left = _hints(connection, [thread.guest.id]).get(thread.lane, {})
    fresh = any(noted.get(ident) != at for ident, at in left.items())  # came while we were reading
    _let_go(connection, read, read.now if fresh and not read.parked else read.again_at)


def _thread_after(read: ThreadRead, *, new_words: bool) -> dict[str, Any]:
    """The thread's columns that a reading changes."""
    changed: dict[str, Any] = {"read_failures": read.failures, "unread_from": read.unread_from}
    if read.newest is not None:
        changed["read_id"], changed["read_at"] = read.newest
    if new_words:
        changed["quiet_since"] = read.now
    if read.whole:
        changed["back_at"] = None
    return changed


def _let_go(connection: Connection, read: ThreadRead, again_at: float | None) -> None:
    """Gives the thread's lane up until `again_at`; with a 429 all threads of the guest."""
    if again_at is None:
        remove(connection, [read.thread.lane])
    elif read.parked:
        park_reading(connection, [ReadingPark(read.thread.guest.id, again_at)])
    else:
        let_go(connection, {read.thread.lane: again_at})


_CLEAR = Prepared(
    delete(hints).where(hints.c.message_id == bindparam("hint"), hints.c.at == bindparam("named_at"))
)
