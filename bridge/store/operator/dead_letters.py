"""What could not be delivered, looked at and dealt with by an operator, beside a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update
from sqlalchemy.exc import DBAPIError

from bridge.domain.conversation.model import Envelope
from bridge.store.delivering import NewDelivery
from bridge.store.envelopes import NewEnvelope, put_envelopes
from bridge.store.lanes import wake, whose
from bridge.store.tables import conversations, deliveries, messages

REPLAYED, DROPPED, UNKNOWN, MOVED_ON = "replayed", "dropped", "unknown", "moved on"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`kind`: say (a customer's words), callback (news for the source), envelope (what could not be decided), note
    and heard (what the bot was to say, or was told).

    `source` and `status` are None where the conversation is not kept any more. `died_at`: epoch seconds.
    """

    id: int
    kind: str
    conversation_id: str
    source: str | None
    status: str | None
    agent: str | None
    attempts: int
    error: str | None
    died_at: float | None
    payload: str


def dead_envelope(envelope: Envelope, error: Exception, now: float) -> NewDelivery:
    """Makes the dead letter of an envelope that could not be decided.

    Any database takes it, whatever was in the envelope.
    """
    why = f"{type(error).__name__}: {error}"
    if isinstance(error, DBAPIError):  # without the statement and, on further lines, the values
        why = f"{type(error.orig).__name__}: {error.orig}".partition("\n")[0]
    kept = {"kind": envelope.kind, "key": envelope.key, "body": envelope.body}
    return NewDelivery(
        envelope.lane,
        "envelope",
        envelope.conversation_id,
        json.dumps(kept, separators=(",", ":")),  # it escapes also what `dump` refuses
        now,
        state="dead",
        error=why.replace("\x00", " ").encode(errors="replace").decode(),
        done_at=now,
    )


def dead_letters(connection: Connection, only: int | None = None) -> Iterator[DeadLetter]:
    """All of them, oldest first, one by one; or the one with this number."""
    query = _QUERY if only is None else _QUERY.where(deliveries.c.id == only)
    for row in connection.execution_options(yield_per=500).execute(query):
        yield DeadLetter(**row._mapping)


def dead_ids(connection: Connection) -> list[int]:
    """The numbers of all, oldest first."""
    query = select(deliveries.c.id).where(deliveries.c.state == "dead").order_by(deliveries.c.id)
    return list(connection.execute(query).scalars())


def replay(connection: Connection, ids: Sequence[int], now: float) -> dict[int, str]:
    """Puts them back to work: REPLAYED, UNKNOWN, or MOVED_ON, by number.

    A delivery goes to the head of its lane under its own number: it is older than whatever waits there. It is
    looked for at Webex before it is said, for its last attempt may have had an effect. An envelope goes into
    the inbox as a new one. MOVED_ON: the conversation has another agent now, who was given these words too.
    """
    return {ident: _replay(connection, ident, now) for ident in ids}


def drop(connection: Connection, ids: Sequence[int], now: float) -> dict[int, str]:
    """They are never delivered: DROPPED or UNKNOWN, by number."""
    return {ident: DROPPED if _move(connection, ident, "dropped", done_at=now) else UNKNOWN for ident in ids}


def _replay(connection: Connection, ident: int, now: float) -> str:
    row = connection.execute(_ONE, {"delivery": ident}).first()
    if row is None:
        return UNKNOWN
    if row.kind == "envelope":
        moved = _move(connection, ident, "done", done_at=now)
        if moved:
            _back_to_inbox(connection, row, now)
        return REPLAYED if moved else UNKNOWN
    if row.kind == "say" and row.status == "open" and row.present != row.agent:
        return MOVED_ON
    # A new beginning: its days of being tried count from now.
    fresh = {"attempts": 0, "quiet_until": 0, "created_at": now, "done_at": None}
    if not _move(connection, ident, "open", doubt=int(row.kind == "say"), **fresh):
        return UNKNOWN
    if row.kind == "say":
        connection.execute(_PENDING, {"conversation": row.conversation_id, "number": row.seq})
    wake(connection, [row.lane], now)
    return REPLAYED


def _move(connection: Connection, ident: int, state: str, **values: Any) -> bool:
    """False where somebody else has dealt with it meanwhile."""
    mine = (deliveries.c.id == ident, deliveries.c.state == "dead")
    return connection.execute(update(deliveries).where(*mine).values(state=state, **values)).rowcount == 1


def _back_to_inbox(connection: Connection, row: Row[Any], now: float) -> None:
    kept = json.loads(row.payload)
    body = json.dumps(kept["body"], separators=(",", ":"))
    mine = (whose(row.lane), row.conversation_id)
    # SQLite gives a removed delivery's number to another one, whose envelope must count too.
    key = f"replay:{row.id}:{row.created_at:.3f}"
    put_envelopes(connection, [NewEnvelope(key, kept["kind"], *mine, body, now)])


def _select(*columns: Any) -> Select[Any]:
    joined = deliveries.outerjoin(conversations, conversations.c.id == deliveries.c.conversation_id)
    return select(*columns).select_from(joined).where(deliveries.c.state == "dead")


_QUERY = _select(
    deliveries.c.id,
    deliveries.c.kind,
    deliveries.c.conversation_id,
    conversations.c.source,
    conversations.c.status,
    deliveries.c.agent,
    deliveries.c.attempts,
    deliveries.c.error,
    deliveries.c.done_at.label("died_at"),
    deliveries.c.payload,
).order_by(deliveries.c.id)
_ONE = _select(
    deliveries.c.id,
    deliveries.c.kind,
    deliveries.c.lane,
    deliveries.c.conversation_id,
    deliveries.c.seq,
    deliveries.c.agent,
    deliveries.c.payload,
    deliveries.c.created_at,
    conversations.c.status,
    conversations.c.agent.label("present"),
).where(deliveries.c.id == bindparam("delivery"))
_PENDING = (
    update(messages)
    .where(
        messages.c.conversation_id == bindparam("conversation"),
        messages.c.seq == bindparam("number"),
        messages.c.delivery == "failed",
    )
    .values(delivery="pending")
)
