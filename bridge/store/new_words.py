"""An agent's words that were read in a thread and are new to us: into the inbox, once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from bridge.store.engine.sql import insert_for, insert_missing
from bridge.store.envelopes import NewEnvelope, key_of_message, put_envelopes
from bridge.store.rows import dump
from bridge.store.tables import files, heard

if TYPE_CHECKING:
    from bridge.store.hearing import Thread


@dataclass(frozen=True, slots=True)
class NewWords:
    """An agent's message that may be new to us. `revision`: Webex's `updated`, 0 if never edited.

    `created`: Webex's time of it, None where Webex did not list it in the thread.
    """

    message_id: str
    revision: float
    body: dict[str, Any]
    created: float | None = None


def keep_new(connection: Connection, words: Sequence[NewWords], thread: Thread, now: float) -> bool:
    """Puts new messages, and new revisions of known ones, into the inbox with their files; whether there were any."""
    if not words:
        return False
    known = {
        row.message_id: row
        for row in connection.execute(
            select(heard.c.message_id, heard.c.revision, heard.c.deleted).where(
                heard.c.message_id.in_([word.message_id for word in words])
            )
        )
    }
    fresh = [word for word in words if _is_news(word, known.get(word.message_id))]
    if not fresh:
        return False
    _remember(connection, fresh, thread, now)
    unknown = [word for word in fresh if word.message_id not in known]
    _know_files(connection, unknown, thread.conversation_id, now)
    put_envelopes(
        connection,
        [
            NewEnvelope(
                key_of_message(word.message_id, word.revision if word.message_id in known else None),
                "revised" if word.message_id in known else "heard",
                thread.guest.customer,
                thread.conversation_id,
                dump(word.body),
                now,
            )
            for word in fresh
        ],
    )
    return True


def _remember(connection: Connection, fresh: Sequence[NewWords], thread: Thread, now: float) -> None:
    statement = insert_for(connection, heard)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["message_id"], set_={"revision": statement.excluded.revision}
        ),
        [
            {
                "message_id": word.message_id,
                "guest_id": thread.guest.id,
                "agent_email": thread.agent_email,
                "created": word.created,
                "revision": word.revision,
                "at": now,
            }
            for word in fresh
        ],
    )


def _know_files(connection: Connection, fresh: Sequence[NewWords], conversation_id: str, now: float) -> None:
    """What an agent's new message carries, so that the customer can ask for it by our own name of it."""
    known = [
        {
            "id": file["id"],
            "conversation_id": conversation_id,
            "name": file["name"],
            "type": file["type"],
            "size": file["size"] or 0,
            "url": file["url"],
            "created_at": now,
        }
        for word in fresh
        for file in word.body.get("files", ())
    ]
    if known:
        insert_missing(connection, files, known)


def _is_news(word: NewWords, known: Any) -> bool:
    return known is None or (not known.deleted and word.revision > known.revision)


def is_heard(connection: Connection, message_id: str) -> bool:
    return (
        connection.execute(select(heard.c.message_id).where(heard.c.message_id == message_id)).first()
        is not None
    )
