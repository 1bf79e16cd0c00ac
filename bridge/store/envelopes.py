"""How something that happened gets into the inbox: its row, and the wake of its customer's lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from bridge.store.engine.sql import insert_missing
from bridge.store.lanes import in_lane, wake
from bridge.store.tables import envelopes

# What the keys of events begin with, so that they are told from those of other envelopes.
EVENT = "event:"


class NewEnvelope(NamedTuple):
    """What happened in a conversation, to be decided. `body`: JSON, by `kind`; `key`: it counts once."""

    key: str
    kind: str
    customer: str
    conversation_id: str
    body: str
    at: float
    answered: str = ""  # to the sender, should it come again


def put_envelopes(connection: Connection, fresh: Sequence[NewEnvelope]) -> None:
    """Stores envelopes, except those whose key is known already, and has intake look at their lanes."""
    if not fresh:
        return
    rows = [
        {
            "key": one.key,
            "lane": in_lane(one.customer),
            "kind": one.kind,
            "conversation_id": one.conversation_id,
            "body": one.body,
            "answered": one.answered,
            "received_at": one.at,
        }
        for one in fresh
    ]
    insert_missing(connection, envelopes, rows)
    wake(connection, (in_lane(one.customer) for one in fresh), fresh[0].at)


def key_of_message(message_id: str, revision: float | None = None) -> str:
    """Makes the envelope's key of an agent's message, or of one edit of it."""
    return f"webex:{message_id}" if revision is None else f"webex:{message_id}:{revision:.3f}"
