"""What the senders of a round's events are told came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from bridge.domain.conversation.answer import Answer
from bridge.domain.conversation.model import Conversation
from bridge.store.envelopes import EVENT
from bridge.store.reads import position


def answers_to(
    connection: Connection, rows: Sequence[Any], conversations: Mapping[str, Conversation]
) -> dict[str, Answer]:
    """Returns the answers by the events' keys, after the round was written. An end was answered when it was stored."""
    found: dict[str, Answer] = {}
    for row in rows:
        conversation = conversations.get(row.conversation_id)
        if conversation is None or row.kind == "ended" or not row.key.startswith(EVENT):
            continue
        if conversation.status == "queued":
            place = position(connection, conversation)
            found[row.key] = Answer("queued", place, conversation.opens_at)
        else:
            found[row.key] = Answer(conversation.status)
    return found
