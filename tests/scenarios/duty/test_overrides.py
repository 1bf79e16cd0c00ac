"""What a lead says for a while counts at once and ends by itself."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.simulator import Simulator
from bridge.store import overrides
from tests.harness import AMY, BO, CY, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import given, has, rota, say_so, set_clock, told


async def test_off_until_the_time_is_over(sim: Simulator, clock: ShiftedClock) -> None:
    """Amy is off for ten minutes: whom she has she keeps, newcomers wait for her or go to others."""
    async with running(rota("amy"), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="open"))
        await say_so(bridge, "off", 600, agent="amy")
        bert = await bridge.opened("bert", "hello?")
        await eventually(lambda: has(bert, status="queued", opensAt=None))
        await ada.say("more")
        await eventually(lambda: bridge.texts(AMY) == ["hello", "more"])
        await bridge.advance(590)
        cleo = await bridge.opened("cleo", "hi")
        await eventually(lambda: has(cleo, status="queued", queuePosition=2))
        await bridge.advance(11)
        await eventually(lambda: has(cleo, status="open", agent="Amy"))
        assert await given(bridge) == [("ada", "amy"), ("bert", "amy"), ("cleo", "amy")]


async def test_cover_takes_the_shifts_over(sim: Simulator, clock: ShiftedClock) -> None:
    """Cy covers for Amy: Amy's team goes to Cy, of another team, until the time is over."""
    async with running(rota("amy"), sim, clock=clock) as bridge:
        await say_so(bridge, "cover", 600, agent="cy", for_agent="amy")
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="open", agent="Cy"))
        await bridge.advance(601)
        bert = await bridge.opened("bert", "hello")
        await eventually(lambda: has(bert, status="open", agent="Amy"))
        await ada.say("still you?")
        await eventually(lambda: bridge.texts(CY) == ["hello", "still you?"])


async def test_on_serves_who_waits_at_once(sim: Simulator, clock: ShiftedClock) -> None:
    """Nobody has a shift; a lead calls Bo in: the line is served by him, without an event of any kind."""
    set_clock(clock, "2026-11-22T20:00")
    monday = {"shifts": ["mon 09:00-10:00"]}
    async with running(rota(each={"amy": monday, "bo": monday}), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="queued", opensAt=None))
        await say_so(bridge, "on", 600, agent="bo")
        await eventually(lambda: bridge.texts(BO) == ["hello"])
        await bridge.advance(601)
        bert = await bridge.opened("bert", "hello")
        await eventually(lambda: has(bert, status="queued"))


async def test_paused_team_takes_nobody_new(sim: Simulator, clock: ShiftedClock) -> None:
    """They queue and are told so, not that it is closed; when it is over, or lifted, they are served."""
    async with running(rota(), sim, clock=clock) as bridge:
        await say_so(bridge, "pause", 600, team="front-desk")
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="queued", queuePosition=1, opensAt=None))
        assert "number 1 in line" in (await told(ada))[0]
        await bridge.advance(601)
        await eventually(lambda: has(ada, status="open"))
        await say_so(bridge, "pause", 3600, team="front-desk")
        bert = await bridge.opened("bert", "hello")
        await eventually(lambda: has(bert, status="queued"))
        await bridge.service.store.do(overrides.lift, overrides.Lift(team="front-desk"))
        await eventually(lambda: has(bert, status="open"))


async def test_an_override_to_come_begins_by_itself(sim: Simulator, clock: ShiftedClock) -> None:
    """Off from in an hour for an hour: before it, in it, after it."""
    async with running(rota("amy"), sim, clock=clock) as bridge:
        now = clock.now()
        change = overrides.Change("off", now + 3600, now + 7200, "kim@example.com", now, agent="amy")
        await bridge.service.store.do(overrides.put, change)
        for name, status in (("ada", "open"), ("bert", "queued")):
            customer = await bridge.opened(name, "hello")
            await eventually(lambda: has(customer, status=status))  # noqa: B023 - waited for at once
            await bridge.advance(3601)
        await eventually(lambda: has(customer, status="open"))
        assert datetime.fromtimestamp(clock.now(), UTC).timestamp() > now + 7200
