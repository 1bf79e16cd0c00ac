"""More than a page of answers comes before the thread is read again: all are shown, once and in order."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.simulator import Simulator, World
from bridge.stages import hear as listener
from tests.harness import AMY, RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.steps import answer, greeted, heard

ways = pytest.mark.parametrize("public_url", [True, False], ids=["webhook", "poll"])
PATIENCE = 60


async def _held_back(bridge: RunningBridge, world: World, **fault: Any) -> Any:
    """A customer is greeted, and the next reading of the thread meets this trouble."""
    ada = await greeted(bridge)
    await eventually(lambda: bridge.service.replies.polled or len(world.hooks) == 3, PATIENCE)
    rule = world.fault("GET /v1/messages/direct", **fault)
    answer(world, "word 0")
    await eventually(lambda: rule.used, PATIENCE)
    return ada, rule


def _written(world: World, first: int, last: int) -> None:
    for number in range(first, last):
        answer(world, f"word {number}")


def _words(last: int) -> list[str]:
    return [f"word {number}" for number in range(last)]


@ways
async def test_reading_was_parked_for_long(
    sim: Simulator, world: World, clock: ShiftedClock, public_url: bool
) -> None:
    """A 429 of eleven minutes; the customer's words meanwhile do not make what is older look read."""
    async with running(config(), sim, public_url=public_url, clock=clock) as bridge:
        ada, _ = await _held_back(bridge, world, status=429, retry_after=660)
        _written(world, 1, 100)
        await bridge.advance(655)
        await ada.say("still there?")
        await eventually(lambda: bridge.texts()[-1] == "still there?", PATIENCE)
        _written(world, 100, 150)
        await bridge.advance(10)
        await eventually(lambda: heard(ada, *_words(150)), PATIENCE)


async def test_the_clock_of_webex_is_behind_ours(clock: ShiftedClock) -> None:
    """Eleven minutes: nothing compares the two."""
    async with (
        Simulator(World(lambda: clock.now() - 660)) as sim,
        running(config(), sim, clock=clock) as bridge,
    ):
        ada, slow = await _held_back(bridge, sim.world, action="late=15")
        _written(sim.world, 1, 121)
        slow.seconds = 0
        await eventually(lambda: heard(ada, *_words(121)), PATIENCE)


@ways
async def test_reading_back_is_cut_short_again_and_again(
    sim: Simulator, world: World, monkeypatch: pytest.MonkeyPatch, public_url: bool
) -> None:
    """A 429 between any two pages, and no more than two pages at a time: it goes on where it was."""
    monkeypatch.setattr(listener, "_MOST_LISTED", 60)
    async with running(config(), sim, public_url=public_url) as bridge:
        ada, slow = await _held_back(bridge, world, action="late=15")
        for after in range(6):
            world.fault("GET /v1/messages$", 429, retry_after=0, after=after)
        _written(world, 1, 190)
        slow.seconds = 0
        await eventually(lambda: heard(ada, *_words(190)), PATIENCE)


@ways
async def test_where_reading_back_was_to_go_on_is_taken_back(
    sim: Simulator, world: World, public_url: bool
) -> None:
    """Webex answers 404 for what is older than a message that is gone: the thread is read from its newest again."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada, slow = await _held_back(bridge, world, action="late=15")
        cut = world.fault("GET /v1/messages$", 429, retry_after=1)
        _written(world, 1, 120)
        oldest_of_page = world.find_person(AMY).rooms[0].messages[-50].data
        slow.seconds = 0
        await eventually(lambda: cut.used, PATIENCE)
        world.delete(AMY, oldest_of_page["id"])
        words = [word for word in _words(120) if word != oldest_of_page["text"]]
        await eventually(lambda: heard(ada, *words), PATIENCE)


async def test_empty_pages_are_not_the_end(sim: Simulator, world: World) -> None:
    """Webex gives empty pages with a next one now and then."""
    world.empty_pages = True
    async with running(config(), sim) as bridge:
        ada, slow = await _held_back(bridge, world, action="late=15")
        _written(world, 1, 130)
        slow.seconds = 0
        await eventually(lambda: heard(ada, *_words(130)), PATIENCE)


async def test_old_answers_of_a_long_conversation_are_not_read_again(sim: Simulator, world: World) -> None:
    """What was read once costs no further page, and one reading is one call."""
    async with running(config(), sim, public_url=True) as bridge:
        ada, slow = await _held_back(bridge, world, action="late=15")
        _written(world, 1, 120)
        slow.seconds = 0
        await eventually(lambda: heard(ada, *_words(120)), PATIENCE)
        older = len(bridge.calls("/messages", "GET"))
        _written(world, 120, 123)
        await eventually(lambda: heard(ada, *_words(123)), PATIENCE)
        assert len(bridge.calls("/messages", "GET")) == older


async def test_open_threads_are_read_at_a_pace_after_a_start(sim: Simulator, clock: ShiftedClock) -> None:
    """Down for an hour, every one is due: twenty a second are read, however many there are."""
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        guests = 41
        for number in range(guests):
            await greeted(bridge, f"ada{number}")
        before = len(sim.world.calls)
        await bridge.stop()
        clock.shift += 3600
        await bridge.start()

        def reads() -> list[Any]:
            calls = list(sim.world.calls)[before:]
            return [call for call in calls if call.path == "/v1/messages/direct"]

        await eventually(lambda: len({call.owner for call in reads()}) == guests, PATIENCE)
        times = sorted(call.at for call in reads())
        assert times[-1] - times[0] > (guests - 1) / 20 - 0.5
