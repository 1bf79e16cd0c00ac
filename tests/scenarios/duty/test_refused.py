"""Webex lets no guest write to the only agent: the customer waits, and is not forgotten."""

from __future__ import annotations

from bridge.simulator import Simulator, World
from tests.harness import AMY, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import given, has, held_places, rota


async def test_refused_agent_is_tried_again_for_who_waited(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """After an hour, when the block is gone: the same agent, though she had the customer before."""
    world.find_person(AMY).external_blocked = True
    async with running(rota("amy"), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: has(ada, status="queued", queuePosition=1))
        await ada.say("two")
        world.find_person(AMY).external_blocked = False
        await bridge.advance(3000)
        await ada.say("three")
        assert await has(ada, status="queued")
        await bridge.advance(700)
        await eventually(lambda: bridge.texts(AMY) == ["one", "two", "three"])
        assert await given(bridge) == [("ada", "amy"), ("ada", "amy")]
        assert await held_places(bridge) == ({"amy": 1}, {"amy": 1})
