"""Webex fails in every way it can; each customer's words arrive once and in order all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.simulator import Simulator, World
from tests.customers import Customer
from tests.harness import config, eventually, running

FAULTS: dict[str, dict[str, Any]] = {
    "drop-after": {"action": "drop_after"},
    "drop-after-twice": {"action": "drop_after", "times": 2},
    "drop-before": {"action": "drop_before"},
    "never": {"action": "never"},
    "never-but-done": {"action": "never", "effect": True},
    "500": {"status": 500},
    "500-but-done": {"status": 500, "effect": True},
    "502-html": {"status": 502, "html": True, "times": 2},
    "503": {"status": 503},
    "504-but-done": {"status": 504, "effect": True},
    "429": {"status": 429, "retry_after": 1},
    "423": {"status": 423, "retry_after": 1},
    "revoke": {"action": "revoke"},
    "none": {"action": "slow=0"},
}
WORDS = ("first", "yes", "yes", "last")


def owner(world: World, name: str) -> str:
    """Whose token a fault is meant for: the guest of this display name."""
    return next(f"guest:{guest.subject}" for guest in world.guests.values() if guest.name == name)


async def said(world: World, bridge: Any, *names: str) -> dict[str, list[str]]:
    """What has arrived of each customer, by display name."""
    by_id = {guest.id: guest.name for guest in world.guests.values()}
    found: dict[str, list[str]] = {name: [] for name in names}
    for message in world.messages_to("amy@example.com"):
        found.setdefault(by_id[message["personId"]], []).append(message["text"])
    return found


async def all_greeted(bridge: Any, names: list[str], world: World) -> dict[str, Customer]:
    customers = await asyncio.gather(*(bridge.opened(name, "hello", displayName=name) for name in names))
    await eventually(lambda: len(bridge.texts()) == len(names))
    return dict(zip(names, customers, strict=True))


@pytest.mark.parametrize("hit", ["the first of them", "one in the middle"])
async def test_every_fault_loses_and_doubles_nothing(sim: Simulator, world: World, hit: str) -> None:
    """Whatever happens to a call, each text arrives once, equal texts twice, and in order."""
    after = 0 if hit == "the first of them" else 2
    async with running(config(webex={"poll_seconds": 60}), sim, webex_timeout=1.0) as bridge:
        customers = await all_greeted(bridge, list(FAULTS), world)
        for name, fault in FAULTS.items():
            world.fault("POST /v1/messages", **{"after": after, "owner": owner(world, name), **fault})
        for word in WORDS:
            answers = await asyncio.gather(*(customer.say(word) for customer in customers.values()))
            assert {answer.status for answer in answers} == {202}
        try:
            await eventually(lambda: len(bridge.texts()) >= len(FAULTS) * 5)
        finally:
            assert await said(world, bridge) == {name: ["hello", *WORDS] for name in FAULTS}
        for customer in customers.values():
            assert {item["delivery"] for item in await customer.messages()} == {"sent"}
