"""Nobody of the own team for a while: another team takes the customer."""

from __future__ import annotations

from bridge.simulator import Simulator
from tests.harness import AMY, CY, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import given, has, rota, set_clock, told, until


async def test_overflow_takes_over_after_the_wait(sim: Simulator, clock: ShiftedClock) -> None:
    """Not a moment before the minute is over; then the other team, with everything said so far, in order."""
    setup = rota("amy", each={"amy": {"capacity": 1}}, overflow=["back-office"], overflow_after_seconds=60)
    async with running(setup, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="open"))
        bert = await bridge.opened("bert", "one")
        await bert.say("two")
        await eventually(lambda: has(bert, status="queued", queuePosition=1))
        await bridge.advance(50)
        cleo = await bridge.opened("cleo", "me too")
        await eventually(lambda: has(cleo, status="queued", queuePosition=2))
        assert bridge.texts(CY) == []
        await bridge.advance(11)
        await eventually(lambda: bridge.texts(CY) == ["one", "two"])
        assert await has(bert, status="open", agent="Cy")
        assert await has(cleo, status="queued", queuePosition=1)
        await ada.end()  # the own team is asked first, also while waiting
        await eventually(lambda: has(cleo, status="open", agent="Amy"))


async def test_overflow_at_once_is_no_wait_at_all(sim: Simulator, clock: ShiftedClock) -> None:
    """After 0 seconds: a closed team's customer is with the other team, and was never told to wait."""
    set_clock(clock, "2026-11-22T20:00")
    setup = rota(hours=["mon-fri 09:00-18:00"], overflow=["back-office"], overflow_after_seconds=0)
    async with running(setup, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts(CY) == ["hello"])
        assert await has(ada, status="open", agent="Cy")
        assert await told(ada) == []


async def test_overflow_that_comes_on_duty_later_takes_who_waits(sim: Simulator, clock: ShiftedClock) -> None:
    """Both closed: told when the own team opens; the other one opens first and has the customer."""
    set_clock(clock, "2026-11-22T20:00")
    setup = rota(
        hours=["mon-fri 09:00-18:00"],
        overflow=["back-office"],
        back={"hours": ["mon-sun 07:00-09:00"]},
    )
    async with running(setup, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="queued", opensAt="2026-11-23T09:00:00.000Z"))
        await until(bridge, "2026-11-23T07:00")
        await eventually(lambda: has(ada, status="open", agent="Cy"))
        assert await given(bridge) == [("ada", "cy")]
        assert bridge.texts(AMY) == []
