"""Hints: what Webex's webhooks tell of messages in guests' threads. The words themselves are read later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from bridge.store.engine.sql import insert_missing, upsert
from bridge.store.envelopes import NewEnvelope, key_of_message, put_envelopes
from bridge.store.lanes import hear_lane, soon
from bridge.store.rows import dump
from bridge.store.tables import conversations, heard, hints, threads


@dataclass(frozen=True, slots=True)
class Hint:
    """Webex's webhook named a message of somebody in a room. `guest_id`: whose webhook it was.

    `room_id`: only where the message is known not to be the guest's own. An agent may write from another address
    than the configured one; but who is not the guest in a guest's 1:1 is the agent.
    """

    message_id: str
    guest_id: str
    person_email: str
    at: float
    room_id: str | None = None


def note_hints(connection: Connection, noted: Sequence[Hint]) -> list[str]:
    """Stores the hints durably. For each: `noted`, `late` (the conversation is over) or `foreign`.

    Foreign are other rooms and the guest's own words. Late words cost no call: Webex keeps them in the
    thread, and we keep the fact.
    """
    c = conversations.c
    query = (
        select(threads.c.guest_id, threads.c.agent_email, threads.c.room_id, c.id, c.customer, c.status)
        .join(conversations, c.id == threads.c.conversation_id)
        .where(threads.c.guest_id.in_(sorted({one.guest_id for one in noted})))
    )
    rows = connection.execute(query).all()
    known = {(row.guest_id, row.agent_email.lower()): row for row in rows}
    rooms = {(row.guest_id, row.room_id): row for row in rows if row.room_id}
    results = []
    for one in noted:
        thread = known.get((one.guest_id, one.person_email.lower())) or rooms.get((one.guest_id, one.room_id))
        if thread is None:
            results.append("foreign")
        elif thread.status == "ended":
            results.append("late")
            _note_late(connection, one, thread)
        else:
            results.append("noted")
            row = {"guest_id": thread.guest_id, "agent_email": thread.agent_email}
            named = {**row, "message_id": one.message_id, "at": one.at}
            upsert(connection, hints, ("message_id",), [named])  # one that was edited is named once more
            soon(connection, [hear_lane(thread.guest_id, thread.agent_email)], one.at)
    return results


def _note_late(connection: Connection, one: Hint, thread: Any) -> None:
    """An envelope without text: the customer's visit is over."""
    known = {"message_id": one.message_id, "guest_id": one.guest_id, "revision": 0.0, "at": one.at}
    body = {"message_id": one.message_id, "text": "", "agent_email": thread.agent_email, "in_time": False}
    key = key_of_message(one.message_id)
    insert_missing(connection, heard, [known])
    put_envelopes(connection, [NewEnvelope(key, "heard", thread.customer, thread.id, dump(body), one.at)])
