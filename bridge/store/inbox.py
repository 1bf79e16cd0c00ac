"""The door's transaction: an event becomes an envelope of a conversation, or a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, bindparam, select, update

from bridge.domain.conversation.answer import ACCEPTED, Answer, answer_of
from bridge.store.engine.prepared import Prepared, among
from bridge.store.engine.sql import insert_all, insert_missing
from bridge.store.envelopes import NewEnvelope, put_envelopes
from bridge.store.tables import conversations, envelopes, guests


class Opening(NamedTuple):
    """What is needed to open a conversation for a subject, should none be open."""

    conversation_id: str
    subject: str
    display_name: str
    name_key: str  # a keyed hash of the name
    guest_id: str  # of the customer's first guest
    named_guest_id: str  # of the guest for this name, should the first one be somebody else's
    rename: str  # rename | new-guest | refuse
    store: str | None = None
    topic: str | None = None
    language: str | None = None
    context: str | None = None


class Arrival(NamedTuple):
    """One authenticated event or customer's call, ready to be stored. `body` is the envelope's JSON.

    `siblings`: the other sources with the same customers, whose conversations it may name.
    """

    key: str
    kind: str  # requested | said | ended
    source: str
    body: str
    at: float
    customer: str | None = None
    conversation_id: str | None = None
    opening: Opening | None = None
    key_dead: bool = False  # an end by the customer: their key is dead from now on
    siblings: tuple[str, ...] = ()


class Accepted(NamedTuple):
    """An event is on disk. `answer`: what came of it, `ACCEPTED` where that is not decided yet."""

    conversation_id: str
    answer: Answer
    repeated: bool


class NoConversation(Exception):
    """There is no open conversation to add this to."""


class NameRefused(Exception):
    """The source refuses another displayName for a subject it knows."""


@dataclass(slots=True)
class _Open:
    """A conversation that takes words, as this transaction has it so far."""

    id: str
    source: str
    customer: str
    status: str
    display_name: str
    row: dict[str, Any] | None = None  # to be inserted at the end


@dataclass(slots=True)
class _Batch:
    known: dict[str, Accepted]
    by_customer: dict[str, _Open]
    by_id: dict[str, _Open]
    name_keys: dict[str, str]
    formers: dict[str, tuple[str | None, float | None]]
    new_guests: list[dict[str, Any]] = field(default_factory=list)
    renamed: list[dict[str, Any]] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)
    envelopes: list[NewEnvelope] = field(default_factory=list)


def accept(connection: Connection, arrivals: Sequence[Arrival]) -> list[Accepted | Exception]:
    """Stores each arrival once. A result is Accepted, NoConversation or NameRefused (as a value)."""
    batch = _load(connection, arrivals)
    results = [_accept_one(arrival, batch) for arrival in arrivals]
    _store(connection, batch)
    return results


def _load(connection: Connection, arrivals: Sequence[Arrival]) -> _Batch:
    known = {
        row.key: Accepted(row.conversation_id, answer_of(row.answered), True)
        for row in _KNOWN.one(connection, keys=[arrival.key for arrival in arrivals])
    }
    fresh = [arrival for arrival in arrivals if arrival.key not in known]
    customers = {arrival.customer for arrival in fresh if arrival.customer}
    ids = {arrival.conversation_id for arrival in fresh if arrival.conversation_id}
    by_customer = {one.customer: one for one in _accepting(connection, _OPEN_OF_CUSTOMERS, customers)}
    by_id = {one.id: one for one in _accepting(connection, _OPEN_BY_ID, ids)}
    by_id.update({one.id: one for one in by_customer.values()})
    by_customer.update({one.customer: one for one in by_id.values()})
    wanted = {
        guest_id
        for arrival in fresh
        if arrival.opening
        for guest_id in (arrival.opening.guest_id, arrival.opening.named_guest_id)
    }
    rows = _guests(connection, wanted)
    return _Batch(
        known,
        by_customer,
        by_id,
        {row.id: row.name_key for row in rows},
        {row.id: (row.last_agent, row.last_ended_at) for row in rows},
    )


def _accepting(connection: Connection, query: Prepared, wanted: set[str]) -> list[_Open]:
    if not wanted:
        return []
    rows = query.one(connection, wanted=wanted)
    return [_Open(row.id, row.source, row.customer, row.status, row.display_name) for row in rows]


def _guests(connection: Connection, ids: set[str]) -> Sequence[Any]:
    return _GUESTS.one(connection, ids=ids) if ids else ()


def _accept_one(arrival: Arrival, batch: _Batch) -> Accepted | Exception:
    known = batch.known.get(arrival.key)
    if known:
        return known
    conversation = _meant(arrival, batch)
    opening = arrival.opening
    if conversation and opening and conversation.display_name != opening.display_name:
        if opening.rename == "refuse":
            return NameRefused()
        if opening.rename == "new-guest":  # another person: the former one's chat is over
            _close(conversation, arrival, batch, reason="replaced")
            conversation = None
        else:
            _rename(opening, opening.guest_id, batch)
            conversation.display_name = opening.display_name
    if conversation is None:
        if opening is None or arrival.customer is None:
            return NoConversation()
        guest_id = _guest_for(opening, arrival, batch)
        if guest_id is None:
            return NameRefused()
        conversation = _open(arrival, opening, guest_id, batch)
    return _put(arrival, conversation, batch)


def _meant(arrival: Arrival, batch: _Batch) -> _Open | None:
    """The open conversation that an arrival is about. One that it names goes before its subject's.

    Where it names both and they do not belong together, one of them is stale: nobody gets the words.
    """
    if arrival.conversation_id is None:
        return batch.by_customer.get(arrival.customer or "")
    conversation = batch.by_id.get(arrival.conversation_id)
    if conversation is None or conversation.source not in (arrival.source, *arrival.siblings):
        return None
    return conversation if arrival.customer in (None, conversation.customer) else None


def _guest_for(opening: Opening, arrival: Arrival, batch: _Batch) -> str | None:
    """The guest of this name, by the source's `rename` rule; None where it is refused."""
    known = batch.name_keys.get(opening.guest_id)
    guest_id = opening.guest_id
    if known is not None and known != opening.name_key:
        if opening.rename == "refuse":
            return None
        if opening.rename == "new-guest":
            guest_id = opening.named_guest_id
    if guest_id in batch.name_keys:
        _rename(opening, guest_id, batch)  # also gives a forgotten name back
    else:
        batch.name_keys[guest_id] = opening.name_key
        batch.new_guests.append(
            {
                "id": guest_id,
                "customer": arrival.customer,
                "display_name": opening.display_name,
                "name_key": opening.name_key,
                "created_at": arrival.at,
            }
        )
    return guest_id


def _rename(opening: Opening, guest_id: str, batch: _Batch) -> None:
    batch.name_keys[guest_id] = opening.name_key
    batch.renamed.append({"guest": guest_id, "name": opening.display_name, "key": opening.name_key})


def _open(arrival: Arrival, opening: Opening, guest_id: str, batch: _Batch) -> _Open:
    assert arrival.customer is not None
    former_agent, former_at = batch.formers.get(guest_id, (None, None))
    row = {
        "id": opening.conversation_id,
        "source": arrival.source,
        "customer": arrival.customer,
        "subject": opening.subject,
        "display_name": opening.display_name,
        "guest_id": guest_id,
        "status": "new",
        "accepting": 1,
        "key_dead_at": None,
        "created_at": arrival.at,
        "store": opening.store,
        "topic": opening.topic,
        "language": opening.language,
        "context": opening.context,
        "former_agent": former_agent,
        "former_at": former_at,
    }
    batch.opened.append(row)
    conversation = _Open(
        opening.conversation_id, arrival.source, arrival.customer, "new", opening.display_name, row
    )
    batch.by_customer[arrival.customer] = batch.by_id[conversation.id] = conversation
    return conversation


def _close(conversation: _Open, arrival: Arrival, batch: _Batch, reason: str | None = None) -> None:
    """From now on the conversation takes no words; `reason` also puts the envelope that ends it."""
    dead_at = arrival.at if arrival.key_dead or reason == "replaced" else None
    if conversation.row is not None:
        conversation.row["accepting"], conversation.row["key_dead_at"] = 0, dead_at
    else:
        batch.closed.append({"conversation": conversation.id, "dead_at": dead_at})
    batch.by_customer.pop(conversation.customer, None)
    batch.by_id.pop(conversation.id, None)
    if reason:
        batch.envelopes.append(
            _envelope(
                f"replaced:{conversation.id}", "ended", conversation, f'{{"reason":"{reason}"}}', arrival.at
            )
        )


def _put(arrival: Arrival, conversation: _Open, batch: _Batch) -> Accepted:
    answer = Answer("ended") if arrival.kind == "ended" else ACCEPTED
    batch.envelopes.append(
        _envelope(arrival.key, arrival.kind, conversation, arrival.body, arrival.at, answered=answer.text())
    )
    if arrival.kind == "ended":
        _close(conversation, arrival, batch)
    batch.known[arrival.key] = Accepted(conversation.id, answer, True)
    return Accepted(conversation.id, answer, False)


def _envelope(
    key: str, kind: str, conversation: _Open, body: str, at: float, answered: str = "accepted"
) -> NewEnvelope:
    return NewEnvelope(key, kind, conversation.customer, conversation.id, body, at, answered)


@dataclass(frozen=True, slots=True)
class DeadKey:
    conversation_id: str
    at: float


def kill_key(connection: Connection, dead: Sequence[DeadKey]) -> list[None]:
    """From now on the customer's key of these conversations opens nothing."""
    for one in dead:
        mine = conversations.c.id == one.conversation_id
        connection.execute(update(conversations).where(mine).values(key_dead_at=one.at))
    return [None] * len(dead)


def _store(connection: Connection, batch: _Batch) -> None:
    insert_missing(connection, guests, batch.new_guests)
    _RENAME.many(connection, batch.renamed)
    _CLOSE.many(connection, batch.closed)
    insert_all(connection, conversations, batch.opened)
    put_envelopes(connection, batch.envelopes)


def _open_by(column: Column[str]) -> Prepared:
    c = conversations.c
    return Prepared(
        select(c.id, c.source, c.customer, c.status, c.display_name)
        .where(among(column, "wanted"), c.accepting == 1)
        .order_by(c.id)
        .with_for_update()  # on PostgreSQL nobody ends it between this look and our commit
    )


_KNOWN = Prepared(
    select(envelopes.c.key, envelopes.c.conversation_id, envelopes.c.answered).where(
        among(envelopes.c.key, "keys")
    )
)
_OPEN_OF_CUSTOMERS = _open_by(conversations.c.customer)
_OPEN_BY_ID = _open_by(conversations.c.id)
_GUESTS = Prepared(
    select(guests.c.id, guests.c.name_key, guests.c.last_agent, guests.c.last_ended_at).where(
        among(guests.c.id, "ids")
    )
)
_CLOSE = Prepared(
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values(accepting=0, key_dead_at=bindparam("dead_at"))
)
_RENAME = Prepared(
    update(guests)
    .where(guests.c.id == bindparam("guest"))
    .values(display_name=bindparam("name"), name_key=bindparam("key"))
)
