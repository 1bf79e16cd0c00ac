"""Webex will not let guests write to an agent: somebody else gets everything, and the reason can be seen."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.simulator import Simulator, World
from tests.harness import AMY, BO, config, eventually, running

BOTH = config(
    agents={"amy": {"email": AMY}, "bo": {"email": BO}},
    teams={"front-desk": {"agents": ["amy", "bo"]}},
)


@pytest.mark.parametrize("trouble", ["blocked", "unknown"])
async def test_next_agent_gets_everything_in_order(sim: Simulator, world: World, trouble: str) -> None:
    """An agent who is blocked (403) or unknown to Webex (404) leaves the rotation; nothing is lost."""
    bad = {"blocked": AMY, "unknown": "nobody@example.com"}[trouble]
    world.find_person(AMY).external_blocked = True
    setup = config(
        agents={"amy": None, "aaron": {"email": bad}, "bo": {"email": BO}},
        teams={"front-desk": {"agents": ["aaron", "bo"]}},
    )
    async with running(setup, sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await ada.say("two")
        await ada.say("three")
        await eventually(lambda: bridge.texts(BO) == ["one", "two", "three"])
        assert (await ada.state())["agent"]["name"] == "Bo"
        await bridge.opened("bert", "me too")
        await eventually(lambda: bridge.texts(BO)[-1] == "me too")
        refused = [call for call in bridge.calls("/messages") if call[2] in (403, 404)]
        assert len(refused) <= 2  # at most one for each message that was on its way
        reasons = await eventually(lambda: _reasons(bridge))
        assert "agents.aaron" in reasons[0]
        assert ("403" if trouble == "blocked" else "404") in reasons[0]


async def _reasons(bridge: Any) -> list[str]:
    status, ready = await bridge.get("/readyz")
    assert status == 200
    return list(ready["degraded"])


async def test_agent_who_is_refused_in_the_middle_hands_everything_over(sim: Simulator, world: World) -> None:
    """The second agent gets the customer's own words of this conversation again, in order, once."""
    async with running(BOTH, sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts(AMY) + bridge.texts(BO) == ["one"])
        first, second = (AMY, BO) if bridge.texts(AMY) else (BO, AMY)
        world.fault("POST /v1/messages", "block_agent", times=1)
        await ada.say("two")
        await ada.say("three")
        await eventually(lambda: bridge.texts(second) == ["one", "two", "three"])
        assert bridge.texts(first) == ["one"]
        world.say(second, next(iter(world.guests)), text="hello from the second")
        await eventually(lambda: _heard(ada, ["hello from the second"]))
        world.say(first, next(iter(world.guests)), text="late words of the first")
        world.say(second, next(iter(world.guests)), text="and on")
        await eventually(lambda: _heard(ada, ["hello from the second", "and on"]))


async def _heard(customer: Any, texts: list[str]) -> bool:
    return await customer.heard() == texts


async def test_nobody_left_to_write_to_keeps_the_customer_queued(sim: Simulator, world: World) -> None:
    """The only agent is refused: the customer waits and is told so, and nothing is hammered."""
    world.find_person(AMY).external_blocked = True
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: _is_queued(ada, told=True))
        await ada.say("two")
        await bridge.opened("bert", "three")
        assert len(bridge.calls("/messages")) <= 2
        assert {item["delivery"] for item in await ada.messages() if item["from"] == "customer"} == {
            "pending"
        }


async def _is_queued(customer: Any, told: bool) -> bool:
    transcript = await customer.transcript()
    return await customer.status() == "queued" and told == any(who == "system" for who, _ in transcript)
