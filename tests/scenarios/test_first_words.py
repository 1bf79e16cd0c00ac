"""The main job: an event becomes a 1:1 message from a guest to the agent on duty, in as few calls as can be."""

from __future__ import annotations

import asyncio

import pytest

from bridge.simulator import Simulator
from tests.customers import Customer
from tests.harness import AMY, config, eventually, running


async def test_new_customer_costs_two_calls_and_a_follow_up_one(sim: Simulator, database_url: str) -> None:
    """A new customer's first message is a token and a message; what follows is one call each."""
    calm = config(webex={"poll_seconds": 60})
    async with running(calm, sim, database_url=database_url) as bridge:
        ada = await bridge.opened("ada", "hello", store="S1")
        await eventually(lambda: bridge.texts() == ["hello"])
        assert bridge.calls() == [("POST", "/v1/guests/token", 200), ("POST", "/v1/messages", 200)]
        status, _ = await bridge.event("message.created", subject="ada", message="and more")
        assert status == 202
        assert (await ada.say("and from the page")).status == 202
        await eventually(lambda: bridge.texts() == ["hello", "and more", "and from the page"])
        assert bridge.calls()[2:] == [("POST", "/v1/messages", 200)] * 2
        (guest,) = sim.world.guests.values()
        assert guest.name == "Ada"
        assert guest.subject != "ada"
        assert sim.world.messages_to(AMY)[0]["personId"] == guest.id


async def test_conversation_without_a_message_mints_nothing(sim: Simulator) -> None:
    """Who has said nothing yet costs no call."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada")
        await eventually(lambda: _is_open(ada))
        assert bridge.calls() == []
        await ada.say("now")
        await eventually(lambda: bridge.texts() == ["now"])


async def _is_open(customer: Customer) -> bool:
    return await customer.status() == "open"


async def test_many_customers_at_once_are_each_kept_in_order(sim: Simulator, database_url: str) -> None:
    """Words of many customers arrive once each, each customer's in the order of acceptance."""
    async with running(config(), sim, database_url=database_url) as bridge:

        async def talk(number: int) -> None:
            customer = await bridge.opened(f"c{number}", f"{number}:0")
            for line in range(1, 6):
                assert (await customer.say(f"{number}:{line}")).status == 202

        await asyncio.gather(*(talk(number) for number in range(30)))
        await eventually(lambda: len(bridge.texts()) >= 180)
        for number in range(30):
            mine = [text for text in bridge.texts() if text.startswith(f"{number}:")]
            assert mine == [f"{number}:{line}" for line in range(6)]
        assert len(bridge.calls("/guests/token")) == 30


async def test_a_flood_is_acknowledged_and_then_decided(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intake rests between its rounds while events pour in; every one of them is decided all the same."""
    monkeypatch.setattr("bridge.stages.intake._FLOOD", 0.0)  # events at all are a flood
    async with running(config(webex={"poll_seconds": 60}), sim) as bridge:
        names = [f"s{number}" for number in range(150)]
        answers = await asyncio.gather(
            *(bridge.event(subject=one, displayName=one, message=one) for one in names)
        )
        assert {status for status, _ in answers} == {202}
        await eventually(lambda: sorted(bridge.texts()) == sorted(names))
