"""What several stories do: open a conversation, let the agent speak, look at what the customer reads."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from bridge.simulator import World
from bridge.store.engine.sql import insert_all
from bridge.store.lanes import wake
from bridge.store.tables import conversations, envelopes
from tests.customers import Customer
from tests.harness import AMY, RunningBridge, eventually


def guest_of(world: World, name: str = "Ada") -> Any:
    """The guest of this display name."""
    return next(guest for guest in world.guests.values() if guest.name == name)


async def greeted(bridge: RunningBridge, subject: str = "ada", agent: str = AMY) -> Customer:
    """A customer whose 'hello' has reached the agent, and who is heard."""
    before = len(bridge.texts(agent))
    customer = await bridge.opened(subject, "hello")
    await eventually(lambda: len(bridge.texts(agent)) > before)
    await eventually(lambda: all_sent(customer))
    return customer


async def all_sent(customer: Customer) -> list[Any]:
    """The messages, when all of the customer's own are marked as sent; else nothing."""
    items = await customer.messages()
    sent = {item["delivery"] for item in items if item["from"] == "customer"}
    return items if sent == {"sent"} else []


async def heard(customer: Customer, *texts: str) -> bool:
    """Whether agents have said exactly this, in this order."""
    return await customer.heard() == list(texts)


async def has_status(customer: Customer, status: str) -> bool:
    return await customer.status() == status


def answer(world: World, text: str, name: str = "Ada", agent: str = AMY, **more: Any) -> dict[str, Any]:
    """The agent writes to the guest of this name; the message as Webex has it."""
    return world.say(agent, guest_of(world, name).id, text=text, **more)


async def handed_over(bridge: RunningBridge, customer: Customer, to: str) -> None:
    """A lead gives the conversation to somebody else, without a word in anybody's thread."""

    def put(connection: Connection, items: Sequence[float]) -> list[None]:
        c = conversations.c
        row = connection.execute(select(c.customer).where(c.id == customer.id)).one()
        lane = f"in:{row.customer}"
        envelope = {
            "key": uuid.uuid4().hex,
            "lane": lane,
            "kind": "transfer",
            "conversation_id": customer.id,
            "body": json.dumps({"to": to, "by": "kim@example.com"}),
            "answered": "",
            "received_at": items[0],
        }
        insert_all(connection, envelopes, [envelope])
        wake(connection, [lane], items[0])
        return [None] * len(items)

    await bridge.service.store.do(put, bridge.clock.now())
    bridge.wake()
