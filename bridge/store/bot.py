"""The bot's work: what was heard from agents and leads, what is said to them, and what their words change.

Everything the bot says is a delivery of the kind `note` in a lane of its reader: `bot:<e-mail>` for what
concerns them, `bot:alerts:<e-mail>` for what is wrong. What it hears is a delivery of the kind `heard` in
`bot-in:<person id>`, so it is claimed, retried and kept as a dead letter like everything else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from bridge.domain.throttling import BOT, READING, SENDING
from bridge.store import gates, lanes, outbox, overrides, refusals, settling
from bridge.store.delivering import NewDelivery, put_deliveries
from bridge.store.engine.sql import insert_for
from bridge.store.envelopes import NewEnvelope, put_envelopes
from bridge.store.outbox import Claim, Work
from bridge.store.overrides import Change, Deed, Lift
from bridge.store.rows import dump
from bridge.store.settling import Next, Settled
from bridge.store.tables import agents, deliveries, heard, locks

_HEARD_BY = "bot"  # in the column that names the guest of what was heard in a customer's thread
_FLOWS = {lanes.BOT: SENDING, lanes.BOT_IN: READING}


def claim(connection: Connection, wishes: Sequence[Claim]) -> list[list[Work]]:
    """What the bot has to say, or was told; nothing while Webex has the bot as a whole wait with it."""
    return [[] if _park(connection, wish) else outbox.claim(connection, [wish])[0] for wish in wishes]


claim.rank = 2  # type: ignore[attr-defined]  # as `outbox.claim`


def _park(connection: Connection, wish: Claim) -> bool:
    """Whether the bot must wait; what is due then is due afterwards, so that nobody takes it for left undone."""
    closed = gates.closed_until(connection, [BOT], _FLOWS[wish.stage], wish.now)
    if closed:
        lanes.put_off(connection, wish.stage, wish.now, closed[BOT])
    return bool(closed)


@dataclass(frozen=True, slots=True)
class News:
    """A message to the bot (`what` 'message') or a pressed button ('press'), by its id at Webex."""

    what: str
    id: str
    person_id: str
    at: float


def note_news(connection: Connection, items: Sequence[News]) -> list[bool]:
    """Keeps each once, in the order of its person; True where it is new."""
    results = []
    for one in items:
        row = {"message_id": one.id, "guest_id": _HEARD_BY, "at": one.at}
        fresh = insert_for(connection, heard).on_conflict_do_nothing().returning(heard.c.message_id)
        new = connection.execute(fresh, row).scalar() is not None
        if new:
            payload = dump({"what": one.what, "id": one.id})
            lane = lanes.bot_in_lane(one.person_id)
            put_deliveries(
                connection, [NewDelivery(lane, "heard", "", payload, one.at, address=one.person_id)]
            )
        results.append(new)
    return results


def unheard(connection: Connection, message_ids: Sequence[str]) -> set[str]:
    known = select(heard.c.message_id).where(heard.c.message_id.in_(list(message_ids)))
    return set(message_ids) - set(connection.execute(known).scalars())


@dataclass(frozen=True, slots=True)
class Saying:
    """Something to be said to one person."""

    email: str
    text: str
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """An envelope for a conversation: `kind` transfer or ended."""

    kind: str
    conversation_id: str
    customer: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effects:
    """What something said to the bot leads to; committed together with 'it is done', so it happens once."""

    says: tuple[Saying, ...] = ()
    changes: tuple[Change, ...] = ()
    lifts: tuple[Lift, ...] = ()
    wishes: tuple[Wish, ...] = ()
    deeds: tuple[Deed, ...] = ()
    hush: tuple[str, float] | None = None  # (name, until): the same is not said again before
    forgiven: tuple[str, ...] = ()  # agents whom Webex refused, and who get customers again


@dataclass(frozen=True, slots=True)
class Answered:
    settled: Settled
    effects: Effects = Effects()


def answer(connection: Connection, items: Sequence[Answered]) -> list[Next]:
    """Settles what was heard and does what it leads to; nothing where the lease was lost."""
    results = settling.settle(connection, [one.settled for one in items])
    for one, following in zip(items, results, strict=True):
        if not following.lost:
            _do(connection, one.settled.work, one.effects, one.settled.now)
    return results


def _do(connection: Connection, work: Work, effects: Effects, now: float) -> None:
    # In the key with its time: SQLite gives a removed delivery's number to another one.
    if effects.lifts:
        overrides.lift(connection, effects.lifts)
    if effects.changes:
        overrides.put(connection, effects.changes)
    if effects.forgiven:
        refusals.forgive(connection, effects.forgiven)
    if effects.deeds:
        overrides.note_deeds(connection, effects.deeds)
    put_envelopes(
        connection,
        [
            NewEnvelope(
                f"bot:{work.id}:{work.created_at:.3f}:{number}",
                one.kind,
                one.customer,
                one.conversation_id,
                dump(dict(one.body)),
                now,
            )
            for number, one in enumerate(effects.wishes)
        ],
    )
    put_deliveries(connection, [_saying(one, now) for one in effects.says])
    if effects.hush:
        hush(connection, *effects.hush)


def _saying(one: Saying, now: float) -> NewDelivery:
    payload = dump({"kind": "say", "at": now, "lead": False, "fields": {"text": one.text}})
    return NewDelivery(
        lanes.bot_lane(one.email), "note", one.conversation_id, payload, now, address=one.email
    )


def put_alert(connection: Connection, email: str, text: str, at: float) -> None:
    """One line for a lead's next alert."""
    payload = dump({"kind": "alarm", "at": at, "lead": True, "fields": {"text": text}})
    alert = NewDelivery(lanes.alerts_lane(email), "note", "", payload, at, address=email)
    put_deliveries(connection, [alert])


@dataclass(frozen=True, slots=True)
class Waiting:
    """A note that waits behind another one in its lane."""

    id: int
    conversation_id: str
    payload: Mapping[str, Any]


def waiting(connection: Connection, lane: str, after: int) -> list[Waiting]:
    d = deliveries.c
    query = select(d.id, d.conversation_id, d.payload).where(d.lane == lane, d.state == "open", d.id > after)
    rows = connection.execute(query.order_by(d.id).limit(100))
    return [Waiting(row.id, row.conversation_id, json.loads(row.payload)) for row in rows]


@dataclass(frozen=True, slots=True)
class Told:
    """How an attempt to say something ended. `merged`: notes that it said as well, further back in the lane."""

    settled: Settled
    merged: tuple[int, ...] = ()
    hush: tuple[str, float] | None = None
    forget: bool = False  # what was said is not kept: it may quote a customer


def told(connection: Connection, items: Sequence[Told]) -> list[Next]:
    """Settles notes, those that were said along with them too."""
    together = [one for one in items if one.merged and one.settled.outcome in ("done", "dead")]
    states = outbox.still_mine(connection, [one.settled.work for one in together]) if together else []
    for one, state in zip(together, states, strict=True):
        if state is not None:
            d = deliveries.c
            ended = {
                "state": one.settled.outcome,
                "done_at": one.settled.now,
                "webex_id": one.settled.webex_id,
            }
            merged = d.lane == one.settled.work.lane, d.id.in_(one.merged), d.state == "open"
            connection.execute(update(deliveries).where(*merged).values(error=one.settled.error, **ended))
    results = settling.settle(connection, [one.settled for one in items])
    for one, following in zip(items, results, strict=True):
        if following.lost:
            continue
        if one.hush and one.settled.outcome == "done":
            hush(connection, *one.hush)
        if one.forget and one.settled.outcome == "done":
            mine = deliveries.c.id == one.settled.work.id
            connection.execute(update(deliveries).where(mine).values(payload='{"kind":"said"}'))
    return results


def hush(connection: Connection, name: str, until: float) -> None:
    statement = insert_for(connection, locks)
    later = {"until": statement.excluded.until}
    row = {"name": f"hush:{name}", "owner": None, "until": until}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=later), row)


def hushed_until(connection: Connection, name: str) -> float:
    """Until when something is not said again; 0: it may be said now."""
    return connection.execute(select(locks.c.until).where(locks.c.name == f"hush:{name}")).scalar() or 0.0


def cards(connection: Connection, conversation_id: str, email: str, before: int) -> list[str]:
    """The messages with a card about this conversation that this person got before a delivery."""
    d = deliveries.c
    query = select(d.webex_id, d.payload).where(
        d.conversation_id == conversation_id,
        d.lane == lanes.bot_lane(email),
        d.id < before,
        d.webex_id.is_not(None),
    )
    return [
        row.webex_id for row in connection.execute(query) if json.loads(row.payload).get("kind") == "card"
    ]


@dataclass(frozen=True, slots=True)
class Seen:
    """What an agent's presence in Webex says against them, until when; `why` None: nothing."""

    agent: str
    why: str | None
    until: float | None


def note_presence(connection: Connection, items: Sequence[Seen]) -> list[None]:
    statement = insert_for(connection, agents)
    new = statement.excluded
    absent = {"absent": new.absent, "absent_until": new.absent_until}
    upsert = statement.on_conflict_do_update(index_elements=["key"], set_=absent)
    rows = {one.agent: {"key": one.agent, "absent": one.why, "absent_until": one.until} for one in items}
    connection.execute(upsert, [rows[key] for key in sorted(rows)])
    return [None] * len(items)
