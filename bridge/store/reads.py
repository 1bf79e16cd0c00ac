"""What pages, operators and streams ask of the store. Read-only, beside the writer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    and_,
    bindparam,
    func,
    select,
    text,
    update,
)

from bridge.domain.conversation.answer import ACCEPTED, Answer, answer_of
from bridge.domain.conversation.hearing import HINT_TRIES
from bridge.domain.conversation.model import Conversation, Said
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.engine.prepared import Prepared
from bridge.store.engine.sql import insert_missing
from bridge.store.rows import CONVERSATION_COLUMNS, MESSAGE_COLUMNS, conversation_of, said_of
from bridge.store.tables import (
    agents,
    conversations,
    deliveries,
    envelopes,
    files,
    guests,
    lanes,
    locks,
    messages,
    threads,
)


@dataclass(frozen=True, slots=True)
class State:
    conversation: Conversation
    position: int | None  # from 1 in the team's queue


def conversation_state(connection: Connection, conversation_id: str) -> State | None:
    row = connection.execute(
        select(*CONVERSATION_COLUMNS).where(conversations.c.id == conversation_id)
    ).first()
    if row is None:
        return None
    conversation = conversation_of(row)
    return State(conversation, position(connection, conversation))


def source_of(connection: Connection, conversation_id: str) -> str | None:
    query = select(conversations.c.source).where(conversations.c.id == conversation_id)
    return connection.execute(query).scalar()


def answer_to(connection: Connection, key: str) -> Answer:
    """What the sender of the event of this key is told, `ACCEPTED` where that is not decided yet."""
    text = connection.execute(select(envelopes.c.answered).where(envelopes.c.key == key)).scalar()
    return answer_of(text) if text else ACCEPTED


def was_accepted(connection: Connection, key: str) -> bool:
    """Whether an event (or call) of this key was accepted before."""
    return connection.execute(select(envelopes.c.id).where(envelopes.c.key == key)).first() is not None


def position(connection: Connection, conversation: Conversation) -> int | None:
    """The place of a conversation in its team's queue, from 1; None where it does not wait."""
    return positions(connection, [conversation]).get(conversation.id)


def positions(connection: Connection, found: Iterable[Conversation]) -> dict[str, int]:
    """Returns the place in its team's queue, from 1, of each conversation that waits.

    Each team's queue is read once, however many of its conversations are asked for.
    """
    places: dict[str, int] = {}
    team, since, before = None, 0.0, 0
    for at, one in sorted(_waiting(found), key=lambda pair: (pair[1].team, pair[0], pair[1].id)):
        if one.team != team:
            team, since, before = one.team, 0.0, 0
        earlier, together = _AHEAD.one(connection, team=team, since=since, at=at, id=one.id)[0]
        since, before = at, before + earlier
        places[one.id] = before + together + 1
    return places


def _waiting(found: Iterable[Conversation]) -> Iterator[tuple[float, Conversation]]:
    return ((one.queued_at or 0.0, one) for one in found if one.status == "queued")


def _number_in_queue(*where: ColumnElement[bool]) -> ScalarSelect[int]:
    c = conversations.c
    queue = (c.status == "queued", c.team == bindparam("team"))
    return select(func.count()).select_from(conversations).where(*queue, *where).scalar_subquery()


# How many joined the queue from `since` to before `at`, and how many at the same moment stand before this one.
_AHEAD = Prepared(
    select(
        _number_in_queue(
            conversations.c.queued_at >= bindparam("since"), conversations.c.queued_at < bindparam("at")
        ),
        _number_in_queue(conversations.c.queued_at == bindparam("at"), conversations.c.id < bindparam("id")),
    )
)


def transcript(connection: Connection, conversation_id: str, after: int, limit: int) -> list[Said]:
    query = (
        select(*MESSAGE_COLUMNS)
        .where(messages.c.conversation_id == conversation_id, messages.c.seq > after)
        .order_by(messages.c.seq)
        .limit(limit)
    )
    return [said_of(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Counts:
    """Gauges for /metrics and the bound on the backlog."""

    envelopes: int
    deliveries: int
    dead: int
    queued: int
    open: int
    live_tokens: int
    next_reissue: float | None


def counts(connection: Connection, now: float) -> Counts:
    def number(column: Any, *where: Any) -> int:
        return connection.execute(select(func.count()).select_from(column.table).where(*where)).scalar() or 0

    return Counts(
        envelopes=number(envelopes.c.id, envelopes.c.done_at.is_(None)),
        deliveries=number(deliveries.c.id, deliveries.c.state == "open"),
        dead=number(deliveries.c.id, deliveries.c.state == "dead"),
        queued=number(conversations.c.id, conversations.c.status == "queued"),
        open=number(conversations.c.id, conversations.c.status == "open"),
        live_tokens=number(guests.c.id, guests.c.reissue_at.is_not(None), guests.c.token_expires_at > now),
        next_reissue=connection.execute(
            select(func.min(guests.c.reissue_at)).where(guests.c.reissue_at.is_not(None))
        ).scalar(),
    )


def oldest_ready(connection: Connection, stages: Iterable[str]) -> dict[str, float]:
    """When the oldest work of each stage was to be taken up: a lane's time, which every claim moves on."""
    found: dict[str, float] = {}
    for stage in stages:
        at = connection.execute(_OLDEST_READY, {"stage": stage}).scalar()
        if at is not None:
            found[stage] = at
    return found


@dataclass(frozen=True, slots=True)
class Backlog:
    whole: int
    by_source: dict[str, int]


def backlog(connection: Connection) -> Backlog:
    """What was accepted and is not delivered yet: open envelopes and open deliveries, by source."""
    by_source: dict[str, int] = {}
    for table, waits in (
        (envelopes, envelopes.c.done_at.is_(None)),
        (deliveries, and_(deliveries.c.state == "open", deliveries.c.kind == "say")),
    ):
        query = (
            select(conversations.c.source, func.count())
            .select_from(table.join(conversations, conversations.c.id == table.c.conversation_id))
            .where(waits)
            .group_by(conversations.c.source)
        )
        for source, number in connection.execute(query):
            by_source[source] = by_source.get(source, 0) + number
    return Backlog(sum(by_source.values()), by_source)


@dataclass(frozen=True, slots=True)
class StoredFile:
    id: str
    conversation_id: str
    name: str
    type: str
    size: int
    url: str | None


def file_of(connection: Connection, file_id: str) -> StoredFile | None:
    f = files.c
    query = select(f.id, f.conversation_id, f.name, f.type, f.size, f.url).where(f.id == file_id)
    row = connection.execute(query).first()
    return StoredFile(*row) if row else None


def token_issued_at(connection: Connection, guest_id: str) -> float | None:
    return connection.execute(select(guests.c.token_issued_at).where(guests.c.id == guest_id)).scalar()


def can_answer(connection: Connection, items: Sequence[None]) -> list[None]:
    """Fails where the database takes no writes, as far as that can be told without one."""
    # SQLite has told at the beginning of the transaction.
    on_server = connection.dialect.name != "sqlite"
    if on_server and connection.execute(text("SHOW transaction_read_only")).scalar() == "on":
        raise StoreUnavailable("the database is read-only")
    return [None] * len(items)


def can_write(connection: Connection, items: Sequence[None]) -> list[None]:
    """A write that matters to nobody: fails where the database takes no writes.

    It changes a row all the same, for a change of nothing succeeds on a full disk.
    """
    if not connection.execute(_TOUCH).rowcount:
        insert_missing(connection, locks, [{"name": _READYZ, "owner": None, "until": 0}])
    return [None] * len(items)


def refused_agents(connection: Connection, now: float) -> list[tuple[str, str]]:
    """(agent, why) of those whom Webex lets no guest write to."""
    query = select(agents.c.key, agents.c.refused).where(agents.c.refused_until > now).order_by(agents.c.key)
    return [(row.key, row.refused or "") for row in connection.execute(query)]


def unread_threads(connection: Connection) -> int:
    """How many open conversations have a thread that Webex has refused to show again and again."""
    query = (
        select(func.count(threads.c.conversation_id.distinct()))
        .select_from(threads.join(conversations, conversations.c.id == threads.c.conversation_id))
        .where(threads.c.read_failures > HINT_TRIES, conversations.c.status == "open")
    )
    return connection.execute(query).scalar() or 0


_OLDEST_READY = select(func.min(lanes.c.ready_at)).where(lanes.c.stage == bindparam("stage"))
_READYZ = "readyz"
_TOUCH = update(locks).where(locks.c.name == _READYZ).values(until=locks.c.until + 1)
