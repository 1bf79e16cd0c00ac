"""A silent customer is warned, then the conversation ends and the key is dead."""

from __future__ import annotations

from bridge.simulator import Simulator, World
from tests.harness import ShiftedClock, config, eventually, running
from tests.scenarios.steps import answer, greeted, heard

QUIET = config(sources={"kiosk": {"idle_minutes": 5}})


async def test_idle_conversation_is_warned_then_ended(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """A warning event a minute before, an `ended` event, and then 410; the next visit is a new one."""
    async with running(QUIET, sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        async with ada.stream(0) as stream:
            await bridge.advance(245)
            await eventually(lambda: stream.of("warning"))
            assert not stream.of("ended")
            await bridge.advance(61)
            await eventually(lambda: stream.of("ended"))
            assert stream.of("ended")[0]["endReason"] == "idle"
            await eventually(lambda: stream.ended)
        assert (await ada.call("GET")).status == 410
        again = await greeted(bridge)
        assert again.id != ada.id


async def test_a_word_keeps_it_open(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """After the warning the customer says something: open, and warned anew later."""
    async with running(QUIET, sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        async with ada.stream(0) as stream:
            await bridge.advance(250)
            await eventually(lambda: stream.of("warning"))
            await ada.say("I am here")
            await eventually(lambda: "I am here" in bridge.texts())
            await bridge.advance(200)
            answer(world, "good")
            await eventually(lambda: heard(ada, "good"))
            assert len(stream.of("warning")) == 1
            await bridge.advance(250)
            await eventually(lambda: len(stream.of("warning")) == 2)
            assert not stream.of("ended")
