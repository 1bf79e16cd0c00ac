"""Nobody is there: the customer is told when the team opens, and is served when it does."""

from __future__ import annotations

from bridge.simulator import Simulator
from tests.harness import AMY, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import given, has, rota, set_clock, told, until


async def test_overnight_queue_is_served_oldest_first_when_the_shift_starts(
    sim: Simulator, clock: ShiftedClock
) -> None:
    """Told `closed` with opensAt, each in their language; at nine everybody gets an agent, in their order."""
    set_clock(clock, "2026-11-22T20:00")  # a Sunday
    async with running(rota(hours=["mon-fri 09:00-18:00"]), sim, clock=clock) as bridge:
        line = []
        for place, language in enumerate(("en", "es-MX", "it"), 1):
            line.append(await bridge.opened(f"c{place}", "hello", language=language))
            wanted = {"queuePosition": place, "opensAt": "2026-11-23T09:00:00.000Z"}
            await eventually(lambda: has(line[-1], **wanted))  # noqa: B023 - waited for at once
        words = [(await told(customer))[0] for customer in line]
        assert "tomorrow at 09:00" in words[0]
        assert "mañana a las 09:00" in words[1]
        assert "tomorrow at 09:00" in words[2]  # nobody wrote an Italian text
        assert bridge.calls() == []  # who waits costs no call
        await until(bridge, "2026-11-23T09:00")
        await eventually(lambda: has(line[2], status="open", agent="Amy", opensAt=None, queuePosition=None))
        assert await given(bridge) == [("c1", "amy"), ("c2", "bo"), ("c3", "amy")]
        await eventually(lambda: len(bridge.texts(AMY)) == 2)
        assert [len(await told(customer)) for customer in line] == [1, 1, 1]


async def test_shift_past_midnight_belongs_to_its_first_day(sim: Simulator, clock: ShiftedClock) -> None:
    """Amy's Friday night still holds on Saturday at 05:59; at six the team is open without anybody."""
    set_clock(clock, "2026-11-28T05:58")
    async with running(
        rota("amy", each={"amy": {"shifts": ["fri 22:00-06:00"]}}), sim, clock=clock
    ) as bridge:
        ada = await bridge.opened("ada", "in the night")
        await eventually(lambda: has(ada, status="open"))
        await until(bridge, "2026-11-28T06:00")
        bert = await bridge.opened("bert", "in the morning")
        await eventually(lambda: has(bert, status="queued", queuePosition=1, opensAt=None))
        await ada.say("still with you")  # whoever has an agent keeps them
        await eventually(lambda: bridge.texts(AMY) == ["in the night", "still with you"])
        await until(bridge, "2026-12-04T22:00")
        await eventually(lambda: has(bert, status="open", agent="Amy"))


async def test_hours_past_midnight_end_on_the_next_day(sim: Simulator, clock: ShiftedClock) -> None:
    """Open on Saturdays from ten to two at night: somebody at 01:59, nobody at two."""
    set_clock(clock, "2026-11-29T01:59")
    async with running(rota(hours=["sat 10:00-02:00"]), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="open"))
        await until(bridge, "2026-11-29T02:00")
        bert = await bridge.opened("bert", "hello")
        await eventually(lambda: has(bert, status="queued", opensAt="2026-12-05T10:00:00.000Z"))
        assert "on Saturday at 10:00" in (await told(bert))[0]
        assert await has(ada, status="open")


async def test_holiday_closes_the_team_for_its_day(sim: Simulator, clock: ShiftedClock) -> None:
    """Christmas on a Friday, and Monday instead of the Saturday after: it opens on Tuesday."""
    set_clock(clock, "2026-12-25T10:00")
    holidays = {"country": "GB", "subdivision": "ENG"}
    setup = rota(hours=["mon-fri 09:00-18:00"], holidays=holidays)
    async with running(setup, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "anybody?")
        await eventually(lambda: has(ada, status="queued", opensAt="2026-12-29T09:00:00.000Z"))
        assert "on Tuesday at 09:00" in (await told(ada))[0]
        await until(bridge, "2026-12-28T12:00")
        await ada.say("still nobody?")
        await eventually(lambda: has(ada, status="queued"))
        assert await given(bridge) == []
        await until(bridge, "2026-12-29T09:00")
        await eventually(lambda: bridge.texts(AMY) == ["anybody?", "still nobody?"])


async def test_who_waits_hears_of_closing_time_and_of_the_opening(
    sim: Simulator, clock: ShiftedClock, database_url: str
) -> None:
    """At six those still in line are told when it opens; at nine, everybody busy, their place in it."""
    set_clock(clock, "2026-11-23T17:59")
    setup = rota("amy", each={"amy": {"capacity": 1}}, hours=["mon-fri 09:00-18:00"])
    async with running(setup, sim, clock=clock, database_url=database_url) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="open"))
        line = [await bridge.opened(name, "hello") for name in ("bert", "cleo")]
        await eventually(lambda: has(line[1], queuePosition=2, opensAt=None))
        await until(bridge, "2026-11-23T18:00")
        await eventually(lambda: has(line[1], queuePosition=2, opensAt="2026-11-24T09:00:00.000Z"))
        await until(bridge, "2026-11-24T09:00")
        await eventually(lambda: has(line[1], queuePosition=2, opensAt=None))
        words = await told(line[1])
        assert ["number 2 in line" in text for text in words] == [True, False, True]
        assert "tomorrow at 09:00" in words[1]
        await ada.end()
        await eventually(lambda: has(line[0], status="open"))
        await eventually(lambda: has(line[1], status="queued", queuePosition=1))
