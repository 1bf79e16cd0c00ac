"""An answer of Webex is lost: the words are found in the 1:1, however much is written after them."""

from __future__ import annotations

import pytest

from bridge.simulator import Simulator, World
from tests.harness import ShiftedClock, config, eventually, running
from tests.scenarios.steps import all_sent, answer

PATIENT = 60.0
CALM = config(webex={"poll_seconds": 60})


@pytest.mark.parametrize("first", [True, False], ids=["first words", "later words"])
async def test_words_below_pages_of_answers_are_found(
    sim: Simulator, world: World, clock: ShiftedClock, first: bool
) -> None:
    """The agent wrote more than a page before anybody could look; they are said once, and every answer is heard."""
    async with running(CALM, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", None if first else "one")
        if not first:
            await eventually(lambda: all_sent(ada), PATIENT)
        looked = world.fault("GET /v1/messages/direct", status=429, retry_after=40)
        world.fault("POST /v1/messages", "drop_after")
        await ada.say("two")
        await eventually(lambda: looked.used, PATIENT)
        answers = [f"answer {number}" for number in range(130)]
        for text in answers:
            answer(world, text)
        await bridge.advance(41)
        await eventually(lambda: all_sent(ada), PATIENT)
        assert bridge.texts() == (["two"] if first else ["one", "two"])
