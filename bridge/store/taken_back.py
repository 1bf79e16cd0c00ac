"""Words that an agent took back: withdrawn where a customer has them, else never shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from bridge.store.engine.sql import insert_for
from bridge.store.envelopes import NewEnvelope, key_of_message, put_envelopes
from bridge.store.rows import dump
from bridge.store.tables import conversations, envelopes, heard, messages


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A message in a guest's thread was deleted."""

    message_id: str
    guest_id: str
    at: float


def note_deleted(connection: Connection, deleted: Sequence[Unsaid]) -> list[bool]:
    """An agent took words back: an envelope where a customer has them. Who has not never gets them.

    It is remembered, for whoever is reading the thread at this moment may have seen them.
    """
    results = []
    for one in deleted:
        _forbid(connection, one)
        row = connection.execute(
            select(conversations.c.id, conversations.c.customer, conversations.c.agent_email)
            .join(messages, messages.c.conversation_id == conversations.c.id)
            .where(messages.c.webex_id == one.message_id, messages.c.author == "agent")
        ).first()
        results.append(row is not None)
        if row is None:
            continue
        body = {"message_id": one.message_id, "text": "", "html": None, "agent_email": row.agent_email}
        key = f"webex-deleted:{one.message_id}"
        put_envelopes(connection, [NewEnvelope(key, "revised", row.customer, row.id, dump(body), one.at)])
    return results


def _forbid(connection: Connection, one: Unsaid) -> None:
    """Remembers that a message is not to be shown; where it waits to be decided, nothing is decided."""
    row = {"message_id": one.message_id, "guest_id": one.guest_id, "at": one.at, "deleted": 1}
    statement = insert_for(connection, heard).values(row)
    revision = connection.execute(
        statement.on_conflict_do_update(index_elements=["message_id"], set_={"deleted": 1}).returning(
            heard.c.revision
        )
    ).scalar_one()
    connection.execute(
        update(envelopes)
        .where(
            envelopes.c.key.in_([key_of_message(one.message_id), key_of_message(one.message_id, revision)]),
            envelopes.c.done_at.is_(None),
        )
        .values(done_at=one.at)
    )


def shown_since(connection: Connection, conversation_id: str, agent_email: str, created: float) -> list[str]:
    """What the customer has of this agent's words that Webex has listed, written after `created` by Webex's time."""
    query = (
        select(heard.c.message_id)
        .join(messages, messages.c.webex_id == heard.c.message_id)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.author == "agent",
            heard.c.agent_email == agent_email,
            heard.c.created > created,
            heard.c.deleted == 0,
        )
        .order_by(heard.c.created)
    )
    return list(connection.execute(query).scalars())
