"""Webex takes its time to list a thread: what is heard then is for whom the thread was when it was asked for."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from bridge.simulator import Simulator, World
from bridge.store.tables import heard as heard_table
from bridge.store.tables import hints, lanes
from tests.harness import AMY, BO, RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.duty.desk import has, held_words, rota
from tests.scenarios.steps import all_sent, answer, greeted, handed_over, heard

ways = pytest.mark.parametrize("public_url", [True, False], ids=["webhook", "poll"])
PATIENCE = 60


async def _hooked(bridge: RunningBridge, world: World) -> None:
    await eventually(lambda: bridge.service.replies.polled or len(world.hooks) == 3, PATIENCE)


def _slow_list(world: World, kind: str = "late") -> Any:
    """The next listing of a thread waits until its `seconds` are 0; `late`: and sees all that came meanwhile."""
    return world.fault("GET /v1/messages/direct", f"{kind}=15")


@ways
async def test_an_answer_to_the_next_visit_is_not_the_former_visits(
    sim: Simulator, world: World, public_url: bool
) -> None:
    """The thread is being read when the visit ends and the next begins: each answer belongs to its own."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada = await greeted(bridge)
        await _hooked(bridge, world)
        slow = _slow_list(world)
        answer(world, "to the first visit")
        await eventually(lambda: slow.used, PATIENCE)
        await ada.end()
        back = await bridge.opened("ada", "I am back")
        await eventually(lambda: all_sent(back), PATIENCE)
        answer(world, "to the second visit")
        slow.seconds = 0
        await eventually(lambda: heard(back, "to the second visit"), PATIENCE)


@ways
async def test_words_while_it_was_a_colleagues_are_not_shown_when_it_is_back(
    sim: Simulator, world: World, public_url: bool
) -> None:
    """Amy's thread is being read while the conversation goes to Bo and back: what she wrote meanwhile is held."""
    async with running(rota(), sim, public_url=public_url) as bridge:
        ada = await greeted(bridge)
        await _hooked(bridge, world)
        slow = _slow_list(world)
        answer(world, "to Ada", agent=AMY)
        await eventually(lambda: slow.used, PATIENCE)
        await handed_over(bridge, ada, "bo")
        await eventually(lambda: bridge.texts(BO) == ["hello"], PATIENCE)
        answer(world, "not for Ada", agent=AMY)
        await handed_over(bridge, ada, "amy")
        await eventually(lambda: has(ada, agent="Amy"), PATIENCE)
        slow.seconds = 0
        answer(world, "me again", agent=AMY)
        await eventually(lambda: heard(ada, "me again"), PATIENCE)
        assert ("late", "not for Ada") in await held_words(bridge)


@ways
async def test_late_last_words_do_not_begin_the_next_visit(
    sim: Simulator, world: World, public_url: bool
) -> None:
    """What was still on its way when a visit ended is answered: the next visit does not show that answer."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada = await greeted(bridge)
        await _hooked(bridge, world)
        last = world.fault("POST /v1/messages$", "late=15")
        await ada.say("one last thing")
        await eventually(lambda: last.used, PATIENCE)
        await ada.end()
        back = await bridge.opened("ada", "I am back")
        first = world.fault("POST /v1/messages$", "late=15")
        last.seconds = 0
        await eventually(lambda: first.used, PATIENCE)
        answer(world, "to the first visit")
        first.seconds = 0
        await eventually(lambda: all_sent(back), PATIENCE)
        answer(world, "to the second visit")
        await eventually(lambda: heard(back, "to the second visit"), PATIENCE)


async def test_hints_behind_what_cannot_be_read_yet_stay(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """A file is being scanned: the words after it wait, and that a webhook told of them is not forgotten."""
    world.change({"scan": "scanning", "scan_seconds": 60.0})
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await _hooked(bridge, world)
        answer(world, "look", file=("photo.png", b"\x89PNG", "image/png"))
        answer(world, "after it")

        def waits(connection: Connection) -> bool:
            due = connection.execute(select(lanes.c.ready_at).where(lanes.c.stage == "hear")).scalar_one()
            named = connection.execute(select(func.count()).select_from(hints)).scalar_one()
            return due > clock.now() + 10 and named == 2

        await eventually(lambda: bridge.service.store.read(waits), PATIENCE)
        await bridge.advance(61)
        await eventually(lambda: heard(ada, "look", "after it"), PATIENCE)


async def _count(bridge: RunningBridge, table: Any, *where: Any) -> int:
    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()

    return await bridge.service.store.read(count)


async def test_words_taken_back_while_they_are_read_are_not_shown(sim: Simulator, world: World) -> None:
    """Webex's listing still has them when its webhook tells of the deletion."""
    async with running(config(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        await _hooked(bridge, world)
        slow = _slow_list(world, "slow")
        said = answer(world, "a slip")
        await eventually(lambda: slow.used, PATIENCE)
        world.delete(AMY, said["id"])
        await eventually(lambda: _count(bridge, heard_table, heard_table.c.deleted == 1), PATIENCE)
        slow.seconds = 0
        answer(world, "stays")
        await eventually(lambda: heard(ada, "stays"), PATIENCE)


@pytest.mark.parametrize("lost", [True, False], ids=["webhook lost", "poll"])
async def test_words_taken_back_are_missed_where_no_webhook_tells(
    sim: Simulator, world: World, lost: bool
) -> None:
    """What was listed and no longer is disappears from the customer's transcript, the newest words too."""
    async with running(config(), sim, public_url=lost) as bridge:
        ada = await greeted(bridge)
        await _hooked(bridge, world)
        slip, stays = answer(world, "a slip"), answer(world, "stays")
        await eventually(lambda: heard(ada, "a slip", "stays"), PATIENCE)
        world.webhook_lose = 1.0
        world.delete(AMY, slip["id"])
        world.webhook_lose = 0.0
        answer(world, "more")
        await eventually(lambda: heard(ada, "", "stays", "more"), PATIENCE)
        if not lost:
            world.delete(AMY, stays["id"])
            await eventually(lambda: heard(ada, "", "", "more"), PATIENCE)
