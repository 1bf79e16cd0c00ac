"""Rows to values and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, select

from bridge.domain.conversation.model import Conversation, Envelope, Held, Said
from bridge.store.tables import conversations, envelopes, messages

CONVERSATION_FIELDS = tuple(Conversation.__dataclass_fields__)
CONVERSATION_COLUMNS = tuple(conversations.c[name] for name in CONVERSATION_FIELDS)
ENVELOPE_COLUMNS = (
    envelopes.c.id,
    envelopes.c.key,
    envelopes.c.lane,
    envelopes.c.kind,
    envelopes.c.conversation_id,
    envelopes.c.body,
    envelopes.c.received_at,
)
MESSAGE_COLUMNS = (
    messages.c.seq,
    messages.c.id,
    messages.c.author,
    messages.c.text,
    messages.c.at,
    messages.c.html,
    messages.c.files,
    messages.c.delivery,
    messages.c.agent,
    messages.c.webex_id,
)


def dump(value: object) -> str:
    """Compact JSON. Several times as quick as the standard library's; every event needs some."""
    return to_json(value).decode()


def conversation_of(row: Sequence[Any]) -> Conversation:
    return Conversation(*row)


def envelope_of(row: Any) -> Envelope:
    body = json.loads(row.body)
    if "at" in body:  # the clock may have been set since the door wrote it; the row's own time moved along
        body["at"] = row.received_at
    return Envelope(row.id, row.key, row.lane, row.kind, row.conversation_id, body, row.received_at)


def said_of(row: Sequence[Any]) -> Said:
    seq, ident, author, text, at, html, files, delivery, agent, webex_id = row
    return Said(
        seq,
        ident,
        author,
        text,
        at,
        html,
        tuple(json.loads(files)) if files != "[]" else (),
        delivery,
        agent,
        webex_id,
    )


def said_row(conversation_id: str, said: Said) -> dict[str, Any]:
    return {
        "conversation_id": conversation_id,
        "seq": said.seq,
        "id": said.id,
        "author": said.author,
        "agent": said.agent,
        "text": said.text,
        "html": said.html,
        "files": dump(said.files) if said.files else "[]",
        "at": said.at,
        "delivery": said.delivery,
        "webex_id": said.webex_id,
    }


def held_row(conversation_id: str, one: Held, at: float) -> dict[str, Any]:
    return {
        "conversation_id": conversation_id,
        "kind": one.kind,
        "agent_email": one.agent_email,
        "text": one.text,
        "at": at,
        "webex_id": one.webex_id,
    }


def own_words(connection: Connection, conversation_ids: Iterable[str]) -> dict[str, list[Said]]:
    """What the customers of these conversations said so far, oldest first."""
    found: dict[str, list[Said]] = {ident: [] for ident in conversation_ids}
    if found:
        query = (
            select(messages.c.conversation_id, *MESSAGE_COLUMNS)
            .where(messages.c.conversation_id.in_(sorted(found)), messages.c.author == "customer")
            .order_by(messages.c.conversation_id, messages.c.seq)
        )
        for row in connection.execute(query):
            found[row.conversation_id].append(said_of(row[1:]))
    return found
