"""What the senders of a round's events are told came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from bridge.domain.conversation.answer import Answer
from bridge.domain.conversation.model import Conversation
from bridge.store.envelopes import EVENT
from bridge.store.reads import positions


def answers_to(
    connection: Connection, rows: Sequence[Any], conversations: Mapping[str, Conversation]
) -> dict[str, Answer]:
    """Returns the answers by the events' keys, after the round was written. An end was answered when it was stored."""
    told = {
        row.key: conversations[row.conversation_id]
        for row in rows
        if row.conversation_id in conversations and row.kind != "ended" and row.key.startswith(EVENT)
    }
    places = positions(connection, {one.id: one for one in told.values()}.values())
    return {
        key: Answer("queued", places[one.id], one.opens_at) if one.id in places else Answer(one.status)
        for key, one in told.items()
    }
