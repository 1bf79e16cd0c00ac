"""An agent says nothing: the next one is asked, then another team, then the leads are told."""

from __future__ import annotations

from sqlalchemy import select

from bridge.simulator import Simulator, World
from bridge.store.tables import conversations
from tests.harness import AMY, BO, CY, RunningBridge, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import counted, given, has, held_places, held_words, rota, told
from tests.scenarios.steps import all_sent, answer, heard

IMPATIENT = {"answer_within_seconds": 120}


async def test_silence_goes_from_agent_to_agent_to_overflow_to_the_lead(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Each gets the customer's own words once and in order; who lost them is not shown any more."""
    setup = rota(overflow=["back-office"], overflow_after_seconds=9999, **IMPATIENT)
    async with running(setup, sim, clock=clock, public_url=True) as bridge:
        ada = await bridge.opened("ada", "one")
        await ada.say("two")
        await eventually(lambda: bridge.texts(AMY) == ["one", "two"])
        async with ada.stream(0) as stream:
            await bridge.advance(121)
            await eventually(lambda: bridge.texts(BO) == ["one", "two"])
            await eventually(lambda: stream.of("status")[-1]["agent"] == {"name": "Bo"})
        answer(world, "late words", agent=AMY)
        await eventually(lambda: _held(bridge, [("late", "late words")]))
        await bridge.advance(121)
        await eventually(lambda: bridge.texts(CY)[:2] == ["one", "two"])
        await eventually(lambda: has(ada, agent="Cy"))
        assert await counted(bridge, "unanswered") == 0
        await bridge.advance(121)
        await eventually(lambda: _counted(bridge, "unanswered"))
        assert await has(ada, status="open", agent="Cy")
        answer(world, "sorry to keep you", agent=CY)
        await eventually(lambda: heard(ada, "sorry to keep you"))
        await ada.say("three")
        await eventually(lambda: bridge.texts(CY)[-1] == "three")
        assert await given(bridge) == [("ada", "amy"), ("ada", "bo"), ("ada", "cy")]
        assert bridge.texts(AMY) == bridge.texts(BO) == ["one", "two"]
        assert len(await told(ada)) == 2  # of each change
        one, other = await held_places(bridge)
        assert one == other


async def _held(bridge: RunningBridge, wanted: list[tuple[str, str]]) -> bool:
    return await held_words(bridge) == wanted


async def _counted(bridge: RunningBridge, what: str) -> bool:
    return await counted(bridge, what) > 0


async def test_word_of_the_agent_is_an_answer(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Amy said something in time: she keeps the customer, however long she then thinks."""
    async with running(rota(**IMPATIENT), sim, clock=clock, public_url=True) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: all_sent(ada))
        await bridge.advance(100)
        answer(world, "one moment")
        await eventually(lambda: heard(ada, "one moment"))
        await ada.say("yes?")
        await bridge.advance(1000)
        await ada.say("still there?")
        await eventually(lambda: bridge.texts(AMY) == ["hello", "yes?", "still there?"])
        assert await given(bridge) == [("ada", "amy")]


async def test_asking_again_does_not_put_it_off(sim: Simulator, clock: ShiftedClock) -> None:
    """The time counts from the first words that are not answered, not from the last."""
    async with running(rota(**IMPATIENT), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada")  # without a word yet, so nothing to answer
        await eventually(lambda: has(ada, status="open"))
        await bridge.advance(1000)
        words = ["hello", "hello?", "anybody?"]
        for word in words:
            await ada.say(word)
            await eventually(lambda: bridge.texts(AMY)[-1:] == [word])  # noqa: B023 - waited for at once
            assert await has(ada, agent="Amy")
            await bridge.advance(45)
        await eventually(lambda: bridge.texts(BO) == words)


async def test_words_that_webex_did_not_deliver_are_nobodys_silence(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Webex takes no messages for some minutes: Amy is not passed over for what she could not read."""
    async with running(rota(**IMPATIENT), sim, clock=clock) as bridge:
        world.fault("POST /v1/messages", status=503, times=None)
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.calls("/messages"))
        for _ in range(2):
            since = await _owed(bridge)
            await bridge.advance(121)
            await eventually(lambda: _later(bridge, since))  # noqa: B023 - waited for at once
        world.clear_faults()
        await bridge.advance(60)
        await eventually(lambda: bridge.texts(AMY) == ["hello"])
        assert await given(bridge) == [("ada", "amy")]
        await bridge.advance(121)
        await eventually(lambda: has(ada, agent="Bo"))


async def _owed(bridge: RunningBridge) -> float:
    """Since when the only conversation's agent owes a word, as the store has it."""
    query = select(conversations.c.owed_at)
    return float(await bridge.service.store.read(lambda connection: connection.execute(query).scalar_one()))


async def _later(bridge: RunningBridge, since: float) -> bool:
    return await _owed(bridge) > since


async def test_leads_hear_of_a_long_wait(sim: Simulator, clock: ShiftedClock) -> None:
    """Once for each customer who waits longer than alert_after_seconds, also in a full team."""
    setup = rota("amy", each={"amy": {"capacity": 1}}, alert_after_seconds=300)
    async with running(setup, sim, clock=clock) as bridge:
        for name in ("ada", "bert", "cleo"):
            customer = await bridge.opened(name, "hello")
            await eventually(lambda: has(customer, status="open" if name == "ada" else "queued"))  # noqa: B023
        assert await counted(bridge, "waiting") == 0
        await bridge.advance(301)
        await eventually(lambda: _alerts(bridge, 2))
        await bridge.advance(301)
        dora = await bridge.opened("dora", "hello")
        await eventually(lambda: has(dora, status="queued", queuePosition=3))
        assert await counted(bridge, "waiting") == 2
        await bridge.advance(301)
        await eventually(lambda: _alerts(bridge, 3))


async def _alerts(bridge: RunningBridge, number: int) -> bool:
    return await counted(bridge, "waiting") == number
