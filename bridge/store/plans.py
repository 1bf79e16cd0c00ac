"""Writing plans down: many decisions become a handful of statements."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, update

from bridge.domain.conversation.desk import Desk
from bridge.domain.conversation.facts import SHOWN
from bridge.domain.conversation.model import (
    Conversation,
    GivenUp,
    News,
    Note,
    Plan,
    Revision,
    Said,
    Send,
    values_of,
)
from bridge.domain.conversation.public import iso, message_item
from bridge.store.changed_words import change_words
from bridge.store.delivering import NewDelivery, put_deliveries
from bridge.store.engine.prepared import Prepared
from bridge.store.engine.sql import insert_all, insert_for, upsert
from bridge.store.lanes import alerts_lane, bot_lane, call_lane, hear_lane, say_lane, soon
from bridge.store.rows import CONVERSATION_FIELDS, dump, held_row, said_row
from bridge.store.tables import agents, choices, conversations, deliveries, guests, held, messages, threads


@dataclass(slots=True)
class Changes:
    """What the plans of one round come to, in the order in which they were made."""

    now: float
    bot: bool = False
    said: list[dict[str, Any]] = field(default_factory=list)
    customer_said: dict[str, list[Said]] = field(default_factory=dict)
    deliveries: list[NewDelivery] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    chosen: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[tuple[str, Revision]] = field(default_factory=list)  # with their conversations
    undelivered: list[str] = field(default_factory=list)
    given_up: list[tuple[str, GivenUp]] = field(default_factory=list)
    # What became of agents' messages, by conversation and their id at Webex.
    fates: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, plan: Plan, *, callback: bool, leads: Sequence[str] = ()) -> None:
        conversation = plan.conversation
        for said in plan.said:
            self.said.append(said_row(conversation.id, said))
            if said.author == "customer":
                self.customer_said.setdefault(conversation.id, []).append(said)
        if plan.drop_sends:
            self._drop(conversation.id)
        self.deliveries.extend(self._send(conversation, send) for send in plan.sends)
        if callback:
            self.deliveries.extend(self._news(conversation, news) for news in plan.news)
        self.held.extend(held_row(conversation.id, one, self.now) for one in plan.held)
        self._note_fates(plan)
        self.revisions.extend((conversation.id, one) for one in plan.revisions)
        self.chosen.extend(
            {
                "conversation_id": conversation.id,
                "at": self.now,
                "team": one.team,
                "agent": one.agent,
                "reason": one.reason,
                "passed_over": dump(one.passed_over),
            }
            for one in plan.chosen
        )
        if self.bot:
            for note in plan.notes:
                self.deliveries.extend(
                    self._note(conversation, note, to) for to in ([note.to] if note.to else leads)
                )
        if plan.undelivered:
            self.undelivered.append(conversation.id)
        self.given_up.extend((conversation.id, one) for one in plan.given_up)

    def _note_fates(self, plan: Plan) -> None:
        ident = plan.conversation.id
        for one in plan.held:
            if one.webex_id:
                self.fates[ident, one.webex_id] = one.kind
        for said in plan.said:
            if said.webex_id:
                self.fates[ident, said.webex_id] = SHOWN

    def own_words(self, conversation_id: str) -> list[Said]:
        return self.customer_said.get(conversation_id, [])

    def _drop(self, conversation_id: str) -> None:
        """Not sent yet and not to be sent: in the store (later) and among what this round made so far."""
        self.dropped.append(conversation_id)
        self.deliveries = [
            one
            for one in self.deliveries
            if not (one.kind == "say" and one.conversation_id == conversation_id)
        ]

    def _send(self, conversation: Conversation, send: Send) -> NewDelivery:
        payload = {"text": send.text} if send.file is None else {"file": send.file}
        return NewDelivery(
            lane=say_lane(conversation.guest_id),
            kind="say",
            conversation_id=conversation.id,
            seq=send.seq,
            part=send.part,
            last=int(send.last),
            doubt=int(send.doubt),
            agent=conversation.agent,
            address=conversation.agent_email,
            payload=dump(payload),
            created_at=self.now,
        )

    def _note(self, conversation: Conversation, note: Note, to: str) -> NewDelivery:
        return NewDelivery(
            lane=alerts_lane(to) if note.to is None else bot_lane(to),
            kind="note",
            conversation_id=conversation.id,
            address=to,
            payload=dump(
                {"kind": note.kind, "at": self.now, "lead": note.to is None, "fields": dict(note.fields)}
            ),
            created_at=self.now,
        )

    def _news(self, conversation: Conversation, news: News) -> NewDelivery:
        data = {
            "conversationId": conversation.id,
            "subject": conversation.subject,
            **({"context": json.loads(conversation.context)} if conversation.context else {}),
            **_public(conversation, news.data),
        }
        return NewDelivery(
            lane=call_lane(conversation.id),
            kind="callback",
            conversation_id=conversation.id,
            address=conversation.source,
            payload=dump({"type": news.type, "at": self.now, "data": data}),
            created_at=self.now,
        )


def _public(conversation: Conversation, data: Mapping[str, Any]) -> dict[str, Any]:
    """News carries a transcript item as a value; on paper it is what the customer's API shows."""
    said = data.get("said")
    if not isinstance(said, Said):
        return {name: iso(value) if name == "opensAt" else value for name, value in data.items()}
    return {"message": {**message_item(conversation.id, said), "agent": data.get("name")}}


def commit(
    connection: Connection,
    changes: Changes,
    before: Mapping[str, Conversation],
    after: Mapping[str, Conversation],
    desk: Desk,
) -> set[str]:
    """Writes everything; the stages that have new work."""
    _save(connection, before, after)
    insert_all(connection, messages, changes.said)
    _DROP.many(connection, [{"conversation": one, "at": changes.now} for one in changes.dropped])
    change_words(connection, changes.now, changes.revisions, changes.undelivered, changes.given_up)
    insert_all(connection, held, changes.held)
    insert_all(connection, choices, changes.chosen)
    stages = put_deliveries(connection, changes.deliveries)
    _count_guests(connection, before, after)
    _know_threads(connection, before, after, changes.now)
    _save_agents(connection, desk)
    return stages


def _save(
    connection: Connection, before: Mapping[str, Conversation], after: Mapping[str, Conversation]
) -> None:
    """Only the columns that changed: each one that is named costs the indexes that it is in."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for key, one in after.items():
        former = before[key]
        if one is not former:
            changed = {
                name: new
                for name, new, old in zip(CONVERSATION_FIELDS, values_of(one), values_of(former), strict=True)
                if new != old
            }
            row = {f"new_{name}": new for name, new in changed.items()}
            alike.setdefault(tuple(changed), []).append({"new_id": one.id, **row})
    for names, rows in alike.items():
        if names:
            _save_columns(names).many(connection, rows)


@cache
def _save_columns(names: tuple[str, ...]) -> Prepared:
    mine = conversations.c.id == bindparam("new_id")
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return Prepared(update(conversations).where(mine).values(new), distinct=True)


def _count_guests(
    connection: Connection, before: Mapping[str, Conversation], after: Mapping[str, Conversation]
) -> None:
    """A guest's token is re-issued only while one of its conversations is open."""
    changes: Counter[str] = Counter()
    ended = []
    for key, one in after.items():
        changes[one.guest_id] += (one.status == "open") - (before[key].status == "open")
        if one.status == "ended" and before[key].status != "ended" and one.agent:
            ended.append({"guest": one.guest_id, "by": one.agent, "moment": one.ended_at})
    rows = [{"guest": guest, "change": change} for guest, change in sorted(changes.items()) if change]
    _COUNT_GUEST.many(connection, rows)
    _LAST_AGENT.many(connection, ended)


def _know_threads(
    connection: Connection, before: Mapping[str, Conversation], after: Mapping[str, Conversation], now: float
) -> None:
    """The 1:1 in which a conversation is carried on from now; what was said there earlier is not for it."""
    given = [one for key, one in after.items() if one.agent_email and one.given_at != before[key].given_at]
    rows = [(one.guest_id, one.agent_email, one.id, now) for one in given]
    _KNOW_THREAD.many(connection, [dict(zip(_THREAD, row, strict=True)) for row in rows])
    back = [one for one in given if one.agent in json.loads(one.tried)]
    soon(connection, [hear_lane(one.guest_id, one.agent_email or "") for one in back], now)


def _know_thread(connection: Connection) -> Any:
    fresh = insert_for(connection, threads).values({name: bindparam(name) for name in _THREAD})
    same = threads.c.conversation_id == fresh.excluded.conversation_id  # an agent gets a conversation back
    return fresh.on_conflict_do_update(
        index_elements=["guest_id", "agent_email"],
        set_={
            "conversation_id": fresh.excluded.conversation_id,
            "since": case((same, threads.c.since), else_=None),
            "since_id": case((same, threads.c.since_id), else_=None),
            "quiet_since": fresh.excluded.quiet_since,
            "unread_from": None,
            "back_at": case((same, fresh.excluded.quiet_since), else_=None),
        },
    )


_THREAD = ("guest_id", "agent_email", "conversation_id", "quiet_since")
_KNOW_THREAD = Prepared(_know_thread)


def _save_agents(connection: Connection, desk: Desk) -> None:
    rows = [
        {
            "key": state.key,
            "open": state.open,
            "given": state.given,
            "last_given_at": state.last_given_at,
            "refused_until": state.refused_until,
            "refused": state.refused,
        }
        for state in desk.changed_agents()
    ]
    upsert(connection, agents, ("key",), rows)


_DROP = Prepared(
    update(deliveries)
    .where(
        deliveries.c.conversation_id == bindparam("conversation"),
        deliveries.c.kind == "say",
        deliveries.c.state == "open",
    )
    .values(state="dropped", done_at=bindparam("at"))
)
_count = guests.c.open_conversations + bindparam("change")
_COUNT_GUEST = Prepared(
    update(guests)
    .where(guests.c.id == bindparam("guest"))
    .values(
        open_conversations=_count,
        # A token that lives on from an earlier visit is looked at at once; the tick then sets its true time.
        reissue_at=case((_count > 0, case((guests.c.token.is_not(None), 0.0), else_=None)), else_=None),
    ),
    distinct=True,
)
_LAST_AGENT = Prepared(
    update(guests)
    .where(guests.c.id == bindparam("guest"))
    .values(last_agent=bindparam("by"), last_ended_at=bindparam("moment"))
)
