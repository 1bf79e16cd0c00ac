"""What several stories do: open a conversation, let the agent speak, look at what the customer reads."""

from __future__ import annotations

from typing import Any

from bridge.simulator import World
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
