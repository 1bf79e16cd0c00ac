"""Conversations with their messages, row by row, for a table calculation or an archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from bridge.store.tables import conversations, messages

_AT_ONCE = 500


def export_rows(connection: Connection, start: float, end: float) -> Iterator[RowMapping]:
    """A row for each message of the conversations that began in [start, end), oldest first.

    A conversation without messages has one row, whose message columns are None. Rows come a piece at a time,
    so that memory stays flat.
    """
    query = (
        select(*_COLUMNS)
        .select_from(conversations.outerjoin(messages, messages.c.conversation_id == conversations.c.id))
        .where(conversations.c.created_at >= start, conversations.c.created_at < end)
        .order_by(conversations.c.created_at, conversations.c.id, messages.c.seq)
    )
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
        yield row._mapping


_COLUMNS: tuple[Any, ...] = (
    conversations.c.id.label("conversation"),
    conversations.c.source,
    conversations.c.subject,
    conversations.c.display_name,
    conversations.c.store,
    conversations.c.topic,
    conversations.c.language,
    conversations.c.status,
    conversations.c.team,
    conversations.c.agent,
    conversations.c.created_at,
    conversations.c.opened_at,
    conversations.c.ended_at,
    conversations.c.end_reason,
    messages.c.seq,
    messages.c.at,
    messages.c.author,
    messages.c.agent.label("author_agent"),
    messages.c.text,
    messages.c.files,
    messages.c.delivery,
)
