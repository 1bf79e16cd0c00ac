"""Threads that are read for an agent's answer: which, when, and what was new in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from bridge.store.guests import Budget, Guest, admit
from bridge.store.outbox import PARKED, lease, let_go, thread_lane
from bridge.store.rows import dump
from bridge.store.sql import insert_for, insert_missing, wake
from bridge.store.tables import conversations, envelopes, files, heard, hints, lanes, messages, threads


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
    """A 1:1 of a guest and an agent, to be read now. `open`: its conversation is open and this agent's."""

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
    back_at: float | None = None


def claim_threads(connection: Connection, wishes: Sequence[Listen]) -> list[list[Thread]]:
    return [_claim_threads(connection, wish) for wish in wishes]


def _claim_threads(connection: Connection, wish: Listen) -> list[Thread]:
    keys = lease(connection, "hear", wish.owner, wish.now, wish.lease, wish.limit)
    if not keys:
        return []
    rows = _threads(connection, keys)
    gone = [key for key in keys if key not in rows]
    if gone:
        connection.execute(delete(lanes).where(lanes.c.key.in_(gone)))
    admitted, put_off = admit(connection, {row.guest_id for row in rows.values()}, wish.budget, wish.now)
    let_go(connection, {key: put_off[row.guest_id] for key, row in rows.items() if row.guest_id in put_off})
    hinted = _hints(connection, sorted(admitted))
    return [
        _thread(key, row, admitted[row.guest_id], hinted.get((row.guest_id, row.agent_email), ()), wish.owner)
        for key, row in rows.items()
        if row.guest_id in admitted
    ]


def _threads(connection: Connection, keys: Sequence[str]) -> dict[str, Any]:
    """The rows of these lanes' threads, each with its conversation's state."""
    guests = sorted({key.split(":", 2)[1] for key in keys})
    c = conversations.c
    query = (
        select(threads, c.status, c.agent_email.label("present"))
        .join(conversations, c.id == threads.c.conversation_id)
        .where(threads.c.guest_id.in_(guests))
    )
    wanted = set(keys)
    found = {}
    for row in connection.execute(query):
        key = thread_lane(row.guest_id, row.agent_email)
        if key in wanted:
            found[key] = row
    return found


def _hints(connection: Connection, guests: Sequence[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    query = select(hints.c.guest_id, hints.c.agent_email, hints.c.message_id).where(
        hints.c.guest_id.in_(guests)
    )
    for row in connection.execute(query):
        key = (row.guest_id, row.agent_email)
        found[key] = (*found.get(key, ()), row.message_id)
    return found


def _thread(key: str, row: Any, guest: Guest, hinted: tuple[str, ...], owner: str) -> Thread:
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
        hints=hinted,
        back_at=row.back_at,
    )


@dataclass(frozen=True, slots=True)
class Hint:
    """Webex's webhook named a message of somebody in a room. `guest_id`: whose webhook it was."""

    message_id: str
    guest_id: str
    person_email: str
    at: float


def note_hints(connection: Connection, noted: Sequence[Hint]) -> list[str]:
    """Stores the hints durably. For each: `noted`, `late` (the conversation is over) or `foreign`.

    Foreign are other rooms and the guest's own words. Late words cost no call: Webex keeps them in the
    thread, and we keep the fact.
    """
    c = conversations.c
    query = (
        select(threads.c.guest_id, threads.c.agent_email, c.id, c.customer, c.status)
        .join(conversations, c.id == threads.c.conversation_id)
        .where(threads.c.guest_id.in_(sorted({one.guest_id for one in noted})))
    )
    known = {(row.guest_id, row.agent_email.lower()): row for row in connection.execute(query)}
    results = []
    for one in noted:
        thread = known.get((one.guest_id, one.person_email.lower()))
        if thread is None:
            results.append("foreign")
        elif thread.status == "ended":
            results.append("late")
            _note_late(connection, one, thread)
        else:
            results.append("noted")
            row = {"guest_id": thread.guest_id, "agent_email": thread.agent_email}
            insert_missing(connection, hints, [{**row, "message_id": one.message_id, "at": one.at}])
            soon(connection, [thread_lane(thread.guest_id, thread.agent_email)], one.at)
    return results


def _note_late(connection: Connection, one: Hint, thread: Any) -> None:
    """An envelope without text: the customer's visit is over."""
    known = {"message_id": one.message_id, "guest_id": one.guest_id, "revision": 0.0, "at": one.at}
    body = {"message_id": one.message_id, "text": "", "agent_email": thread.agent_email, "in_time": False}
    envelope = {
        "key": f"webex:{one.message_id}",
        "lane": f"in:{thread.customer}",
        "kind": "heard",
        "conversation_id": thread.id,
        "body": dump(body),
        "answered": "",
        "received_at": one.at,
    }
    insert_missing(connection, heard, [known])
    insert_missing(connection, envelopes, [envelope])
    wake(connection, "in", [envelope["lane"]], one.at)


def soon(connection: Connection, keys: Sequence[str], at: float) -> None:
    """Reads these threads as soon as possible, unless they are leased or parked by a 429."""
    if not keys:
        return
    wake(connection, "hear", keys, at)
    connection.execute(
        update(lanes)
        .where(lanes.c.key.in_(sorted(set(keys))), lanes.c.owner.is_(None), lanes.c.ready_at > at)
        .values(ready_at=at)
    )


@dataclass(frozen=True, slots=True)
class NewWords:
    """An agent's message that may be new to us. `revision`: Webex's `updated`, 0 if never edited."""

    message_id: str
    revision: float
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ThreadRead:
    """What reading a thread gave, oldest first, and when to read it again (None: when a hint comes).

    `parked`: not before that, also when a hint comes, also after a restart. `whole`: all that was
    written before the agent got the conversation back has been read.
    """

    thread: Thread
    now: float
    words: tuple[NewWords, ...]
    cleared_hints: tuple[str, ...]
    again_at: float | None
    failures: int = 0
    parked: bool = False
    whole: bool = False


def settle_thread(connection: Connection, reads: Sequence[ThreadRead]) -> list[bool]:
    """Puts what is new into the inbox, once each. False where the lease was lost: then nothing is written."""
    keys = {one.thread.lane for one in reads}
    for guest_id in {one.thread.guest.id for one in reads if one.parked}:
        keys.update(lanes_of(connection, guest_id))
    owners = dict(
        connection.execute(
            select(lanes.c.key, lanes.c.owner).where(lanes.c.key.in_(sorted(keys))).with_for_update()
        ).all()
    )
    results = []
    for read in reads:
        mine = owners.get(read.thread.lane) == read.thread.owner
        results.append(mine)
        if mine:
            _settle_one(connection, read)
    return results


def _settle_one(connection: Connection, read: ThreadRead) -> None:
    thread = read.thread
    rows = _unheard(connection, read)
    _know_files(connection, read, rows)
    if rows:
        connection.execute(
            _quiet_since, {"guest": thread.guest.id, "mail": thread.agent_email, "moment": read.now}
        )
        insert_missing(connection, envelopes, rows)
        wake(connection, "in", [rows[0]["lane"]], read.now)
    if read.cleared_hints:
        connection.execute(delete(hints).where(hints.c.message_id.in_(read.cleared_hints)))
    connection.execute(
        _failures, {"guest": thread.guest.id, "mail": thread.agent_email, "failures": read.failures}
    )
    if read.whole and thread.back_at is not None:
        connection.execute(
            _was_read, {"guest": thread.guest.id, "mail": thread.agent_email, "back": thread.back_at}
        )
    left = connection.execute(
        select(hints.c.message_id)
        .where(hints.c.guest_id == thread.guest.id, hints.c.agent_email == thread.agent_email)
        .limit(1)
    ).first()
    fresh = left is not None and left.message_id not in thread.hints  # came while we were reading
    again_at = read.now if fresh and not read.parked else read.again_at
    if read.parked and again_at is not None:
        park_reading(connection, [ReadingPark(thread.guest.id, again_at)])
    elif again_at is None:
        connection.execute(delete(lanes).where(lanes.c.key == thread.lane))
    else:
        let_go(connection, {thread.lane: again_at})


@dataclass(frozen=True, slots=True)
class ReadingPark:
    """Webex answered 429 to a read: none of this guest's threads is read before `until`."""

    guest_id: str
    until: float


def park_reading(connection: Connection, parks: Sequence[ReadingPark]) -> list[None]:
    """Also where a worker has a lease: it loses it, and what it read is read again."""
    for park in parks:
        keys = lanes_of(connection, park.guest_id)
        wake(connection, "hear", keys, park.until)
        connection.execute(_PARK, [{"lane": key, "at": park.until} for key in keys])
    return [None] * len(parks)


def lanes_of(connection: Connection, guest_id: str) -> list[str]:
    """The keys of the lanes, whether there or not, of all threads of a guest."""
    query = select(threads.c.agent_email).where(threads.c.guest_id == guest_id)
    return sorted(thread_lane(guest_id, email) for email in connection.execute(query).scalars())


def _know_files(connection: Connection, read: ThreadRead, rows: Sequence[dict[str, Any]]) -> None:
    """What an agent's new message carries, so that the customer can ask for it by our own name of it."""
    fresh = {row["key"].removeprefix("webex:") for row in rows}
    known = [
        {
            "id": file["id"],
            "conversation_id": read.thread.conversation_id,
            "name": file["name"],
            "type": file["type"],
            "size": file["size"] or 0,
            "url": file["url"],
            "created_at": read.now,
        }
        for word in read.words
        if word.message_id in fresh
        for file in word.body.get("files", ())
    ]
    if known:
        insert_missing(connection, files, known)


def _unheard(connection: Connection, read: ThreadRead) -> list[dict[str, Any]]:
    """Envelopes for what we did not know: new messages, and new revisions of known ones."""
    if not read.words:
        return []
    known = {
        row.message_id: row.revision
        for row in connection.execute(
            select(heard.c.message_id, heard.c.revision).where(
                heard.c.message_id.in_([word.message_id for word in read.words])
            )
        )
    }
    fresh = [
        word for word in read.words if word.message_id not in known or word.revision > known[word.message_id]
    ]
    if not fresh:
        return []
    statement = insert_for(connection, heard)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["message_id"], set_={"revision": statement.excluded.revision}
        ),
        [
            {
                "message_id": word.message_id,
                "guest_id": read.thread.guest.id,
                "revision": word.revision,
                "at": read.now,
            }
            for word in fresh
        ],
    )
    return [
        {
            "key": f"webex:{word.message_id}:{word.revision:.3f}"
            if word.message_id in known
            else f"webex:{word.message_id}",
            "lane": f"in:{read.thread.guest.customer}",
            "kind": "revised" if word.message_id in known else "heard",
            "conversation_id": read.thread.conversation_id,
            "body": dump(word.body),
            "answered": "",
            "received_at": read.now,
        }
        for word in fresh
    ]


def is_heard(connection: Connection, message_id: str) -> bool:
    return (
        connection.execute(select(heard.c.message_id).where(heard.c.message_id == message_id)).first()
        is not None
    )


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Webex says that a message was deleted."""

    message_id: str
    at: float


def note_deleted(connection: Connection, deleted: Sequence[Unsaid]) -> list[bool]:
    """An agent took words back: an envelope where a customer has them; nothing where nobody does."""
    results = []
    for one in deleted:
        row = connection.execute(
            select(conversations.c.id, conversations.c.customer, conversations.c.agent_email)
            .join(messages, messages.c.conversation_id == conversations.c.id)
            .where(messages.c.webex_id == one.message_id, messages.c.author == "agent")
        ).first()
        results.append(row is not None)
        if row is None:
            continue
        envelope = {
            "key": f"webex-deleted:{one.message_id}",
            "lane": f"in:{row.customer}",
            "kind": "revised",
            "conversation_id": row.id,
            "body": dump(
                {"message_id": one.message_id, "text": "", "html": None, "agent_email": row.agent_email}
            ),
            "answered": "",
            "received_at": one.at,
        }
        insert_missing(connection, envelopes, [envelope])
        wake(connection, "in", [envelope["lane"]], one.at)
    return results


@dataclass(frozen=True, slots=True)
class LookAgain:
    """After a start or a gap: every thread of an open conversation is read once, spread over some seconds."""

    now: float
    spread: float


def listen_again(connection: Connection, wishes: Sequence[LookAgain]) -> list[int]:
    counts = []
    for wish in wishes:
        query = (
            select(threads.c.guest_id, threads.c.agent_email)
            .join(conversations, conversations.c.id == threads.c.conversation_id)
            .where(conversations.c.status == "open", threads.c.room_id.is_not(None))
        )
        keys = [thread_lane(row.guest_id, row.agent_email) for row in connection.execute(query)]
        for index, key in enumerate(keys):
            soon(connection, [key], wish.now + wish.spread * index / len(keys))
        counts.append(len(keys))
    return counts


_PARK = (
    update(lanes)
    .where(
        lanes.c.key == bindparam("lane"),
        or_(lanes.c.owner.is_(None), lanes.c.owner != PARKED, lanes.c.ready_at < bindparam("at")),
    )
    .values(owner=PARKED, ready_at=bindparam("at"))
)
_this_thread = (threads.c.guest_id == bindparam("guest"), threads.c.agent_email == bindparam("mail"))
_quiet_since = update(threads).where(*_this_thread).values(quiet_since=bindparam("moment"))
_was_read = update(threads).where(*_this_thread, threads.c.back_at == bindparam("back")).values(back_at=None)
_failures = update(threads).where(*_this_thread).values(read_failures=bindparam("failures"))
