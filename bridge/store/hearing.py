"""Threads that are read for an agent's answer: which, when, and what was new in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from bridge.store.engine.prepared import Prepared
from bridge.store.engine.sql import insert_for, insert_missing, upsert, wake
from bridge.store.guests import Budget, Guest, admit
from bridge.store.outbox import PARKED, lease, let_go, thread_lane
from bridge.store.rows import dump
from bridge.store.tables import conversations, envelopes, files, heard, hints, lanes, threads


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
        _thread(key, row, admitted[row.guest_id], hinted.get(key, {}), wish.owner)
        for key, row in rows.items()
        if row.guest_id in admitted
    ]


def _threads(connection: Connection, keys: Sequence[str]) -> dict[str, Any]:
    """The rows of these lanes' threads, each with its conversation's state."""
    guests = sorted({key.split(":", 2)[1] for key in keys})
    c = conversations.c
    query = (
        select(threads, c.status, c.given_at, c.agent_email.label("present"))
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


def _hints(connection: Connection, guests: Sequence[str]) -> dict[str, dict[str, float]]:
    """By lane: the messages that webhooks have named, and when they last did."""
    found: dict[str, dict[str, float]] = {}
    for row in connection.execute(select(hints).where(hints.c.guest_id.in_(guests))):
        found.setdefault(thread_lane(row.guest_id, row.agent_email), {})[row.message_id] = row.at
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
            named = {**row, "message_id": one.message_id, "at": one.at}
            upsert(connection, hints, ("message_id",), [named])  # one that was edited is named once more
            soon(connection, [thread_lane(thread.guest_id, thread.agent_email)], one.at)
    return results


def _note_late(connection: Connection, one: Hint, thread: Any) -> None:
    """An envelope without text: the customer's visit is over."""
    known = {"message_id": one.message_id, "guest_id": one.guest_id, "revision": 0.0, "at": one.at}
    body = {"message_id": one.message_id, "text": "", "agent_email": thread.agent_email, "in_time": False}
    envelope = {
        "key": envelope_key(one.message_id),
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
    """An agent's message that may be new to us. `revision`: Webex's `updated`, 0 if never edited.

    `created`: Webex's time of it, None where Webex did not list it in the thread.
    """

    message_id: str
    revision: float
    body: dict[str, Any]
    created: float | None = None


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
        keys.update(lanes_of(connection, guest_id))
    owners = dict(
        connection.execute(
            select(lanes.c.key, lanes.c.owner).where(lanes.c.key.in_(sorted(keys))).with_for_update()
        ).all()
    )
    rows = _threads(connection, [one.thread.lane for one in reads])
    results = []
    for read in reads:
        key = read.thread.lane
        if owners.get(key) != read.thread.owner:
            results.append("lost")
        elif key not in rows or _state(rows[key]) != read.thread.state:
            results.append("changed")
            _let_go(connection, read, read.again_at if read.parked else read.now)
        else:
            results.append("read")
            _settle_one(connection, read)
            # Of two that the same process has read only one can be of the thread as it was.
            owners[key] = None
    return results


def _settle_one(connection: Connection, read: ThreadRead) -> None:
    thread = read.thread
    rows = _unheard(connection, read)
    _know_files(connection, read, rows)
    if rows:
        insert_missing(connection, envelopes, rows)
        wake(connection, "in", [rows[0]["lane"]], read.now)
    noted = dict(zip(thread.hints, thread.hinted_at, strict=True))
    if read.cleared_hints:
        _CLEAR.many(connection, [{"hint": one, "named_at": noted[one]} for one in read.cleared_hints])
    connection.execute(
        update(threads)
        .where(threads.c.guest_id == thread.guest.id, threads.c.agent_email == thread.agent_email)
        .values(_thread_after(read, new_words=bool(rows)))
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
        connection.execute(delete(lanes).where(lanes.c.key == read.thread.lane))
    elif read.parked:
        park_reading(connection, [ReadingPark(read.thread.guest.id, again_at)])
    else:
        let_go(connection, {read.thread.lane: again_at})


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
        row.message_id: row
        for row in connection.execute(
            select(heard.c.message_id, heard.c.revision, heard.c.deleted).where(
                heard.c.message_id.in_([word.message_id for word in read.words])
            )
        )
    }
    fresh = [word for word in read.words if _is_news(word, known.get(word.message_id))]
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
                "agent_email": read.thread.agent_email,
                "created": word.created,
                "revision": word.revision,
                "at": read.now,
            }
            for word in fresh
        ],
    )
    return [
        {
            "key": envelope_key(word.message_id, word.revision if word.message_id in known else None),
            "lane": f"in:{read.thread.guest.customer}",
            "kind": "revised" if word.message_id in known else "heard",
            "conversation_id": read.thread.conversation_id,
            "body": dump(word.body),
            "answered": "",
            "received_at": read.now,
        }
        for word in fresh
    ]


def _is_news(word: NewWords, known: Any) -> bool:
    return known is None or (not known.deleted and word.revision > known.revision)


def envelope_key(message_id: str, revision: float | None = None) -> str:
    """The envelope's, of a message or of one edit of it."""
    return f"webex:{message_id}" if revision is None else f"webex:{message_id}:{revision:.3f}"


def is_heard(connection: Connection, message_id: str) -> bool:
    return (
        connection.execute(select(heard.c.message_id).where(heard.c.message_id == message_id)).first()
        is not None
    )


_CLEAR = Prepared(
    delete(hints).where(hints.c.message_id == bindparam("hint"), hints.c.at == bindparam("named_at"))
)
_PARK = (
    update(lanes)
    .where(
        lanes.c.key == bindparam("lane"),
        or_(lanes.c.owner.is_(None), lanes.c.owner != PARKED, lanes.c.ready_at < bindparam("at")),
    )
    .values(owner=PARKED, ready_at=bindparam("at"))
)
