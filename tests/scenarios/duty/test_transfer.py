"""A conversation goes on with somebody else, with all the customer said, and each agent has it once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from bridge.simulator import Simulator, World
from bridge.store.tables import lanes
from tests.harness import AMY, BO, CY, RunningBridge, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import given, has, held_places, held_words, rota, set_clock, told
from tests.scenarios.steps import answer, greeted, heard


async def test_transfer_carries_everything_and_closes_the_old_thread(sim: Simulator, world: World) -> None:
    """To a colleague, then to a team: the words again in order; the former agent's words are held."""
    async with running(rota(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        await ada.say("my order is late")
        await eventually(lambda: len(bridge.texts()) == 2)
        answer(world, "/transfer Bo")
        await eventually(lambda: bridge.texts(BO) == ["hello", "my order is late"])
        assert await has(ada, status="open", agent="Bo")
        answer(world, "one more thing", agent=AMY)
        answer(world, "Bo here", agent=BO)
        await eventually(lambda: heard(ada, "Bo here"))
        await eventually(lambda: _holds(bridge, "one more thing"))
        answer(world, "/transfer back-office", agent=BO)
        await eventually(lambda: bridge.texts(CY) == ["hello", "my order is late"])
        await ada.say("thanks")
        await eventually(lambda: bridge.texts(CY)[-1] == "thanks")
        assert bridge.texts(AMY) == bridge.texts(BO) == ["hello", "my order is late"]
        assert len(await told(ada)) == 2
        assert await held_places(bridge) == ({"cy": 1}, {"cy": 1})
        assert [agent for _, agent in await given(bridge)] == ["amy", "bo", "cy"]


async def _is_seldom_read(bridge: RunningBridge, agent: str) -> bool:
    def ready_at(connection: Connection) -> Any:
        return connection.execute(select(lanes.c.ready_at).where(lanes.c.key.endswith(f":{agent}"))).scalar()

    at = await bridge.service.store.read(ready_at)
    return at is not None and at > bridge.clock.now() + 15


async def _holds(bridge: RunningBridge, text: str) -> bool:
    return ("late", text) in await held_words(bridge)


async def test_who_gets_it_back_has_nothing_twice_and_is_heard_again(sim: Simulator, world: World) -> None:
    """Amy to Bo and back: she gets only what was said meanwhile, and her answers reach the customer."""
    async with running(rota(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        answer(world, "/transfer bo")
        await eventually(lambda: bridge.texts(BO) == ["hello"])
        answer(world, "/transfer amy", agent=BO)
        await eventually(lambda: has(ada, agent="Amy"))
        answer(world, "me again")
        await eventually(lambda: heard(ada, "me again"))
        answer(world, "/transfer bo")
        await eventually(lambda: has(ada, agent="Bo"))
        await ada.say("it is about my order")
        await eventually(lambda: bridge.texts(BO) == ["hello", "it is about my order"])
        answer(world, "/transfer amy", agent=BO)
        await eventually(lambda: bridge.texts(AMY) == ["hello", "it is about my order"])


async def test_words_from_between_are_not_shown_when_it_comes_back(sim: Simulator, world: World) -> None:
    """Amy writes while Bo has the customer, and nobody has read that yet when she gets them back: it is held."""
    async with running(rota(), sim) as bridge:  # polled: a former agent's thread is read every 30 s
        ada = await greeted(bridge)
        answer(world, "/transfer bo")
        await eventually(lambda: bridge.texts(BO) == ["hello"])
        await eventually(lambda: _is_seldom_read(bridge, AMY))
        answer(world, "not for Ada", agent=AMY)
        answer(world, "/transfer amy", agent=BO)
        await eventually(lambda: has(ada, agent="Amy"))
        answer(world, "me again")
        await eventually(lambda: heard(ada, "me again"))
        await eventually(lambda: _holds(bridge, "not for Ada"))


async def test_words_that_are_just_being_read_when_it_comes_back(sim: Simulator, world: World) -> None:
    """A webhook told of Amy's words while Bo had the customer; she gets them back before Webex has listed them."""
    async with running(rota(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        answer(world, "/transfer bo")
        await eventually(lambda: bridge.texts(BO) == ["hello"])
        slow = world.fault("GET /v1/messages/direct", "slow=1", times=1)
        answer(world, "not for Ada", agent=AMY)
        await eventually(lambda: slow.used)
        answer(world, "/transfer amy", agent=BO)
        await eventually(lambda: has(ada, agent="Amy"))
        await eventually(lambda: _holds(bridge, "not for Ada"))
        answer(world, "me again")
        await eventually(lambda: heard(ada, "me again"))


async def test_words_on_their_way_do_not_hold_the_next_agent_up(
    sim: Simulator, world: World, endless_leases: None
) -> None:
    """Webex is still busy with a message to Amy when Bo takes over: he has everything at once after it."""
    async with running(rota(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        slow = world.fault("POST /v1/messages", "slow=1.5", times=1)
        await ada.say("slowly")
        await eventually(lambda: slow.used)
        answer(world, "/transfer bo")
        await eventually(lambda: bridge.texts(BO) == ["hello", "slowly"])
        answer(world, "/transfer amy", agent=BO)
        await eventually(lambda: has(ada, agent="Amy"))
        await ada.say("back")
        await eventually(lambda: bridge.texts(AMY) == ["hello", "slowly", "back"])


async def test_transfer_to_nobody_changes_nothing(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Full, closed, or unknown: the agent keeps the customer."""
    set_clock(clock, "2026-11-22T12:00")  # a Sunday
    setup = rota(each={"bo": {"capacity": 1}}, back={"hours": ["mon 09:00-18:00"]})
    async with running(setup, sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await greeted(bridge, "bert", BO)
        for to in ("bo", "back-office", "nobody"):
            answer(world, f"/transfer {to}")
        answer(world, "so it is me")
        await eventually(lambda: heard(ada, "so it is me"))
        assert await has(ada, agent="Amy")
        assert await given(bridge) == [("ada", "amy"), ("bert", "bo")]
