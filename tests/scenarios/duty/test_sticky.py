"""A returning customer gets the agent of last time, if that is soon enough."""

from __future__ import annotations

import pytest

from bridge.simulator import Simulator
from tests.customers import Customer
from tests.harness import AMY, BO, RunningBridge, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import has, rota, say_so

STICKY = {"days": 30, "wait_seconds": 60}


async def visit(bridge: RunningBridge, subject: str, agent: str) -> Customer:
    """A customer who is with this agent now."""
    customer = await bridge.opened(subject, f"{subject} is here")
    await eventually(lambda: has(customer, status="open", agent=agent))
    return customer


@pytest.mark.parametrize(("days", "agent"), [(29, "Amy"), (31, "Bo")])
async def test_former_agent_is_preferred_for_so_many_days(
    sim: Simulator, clock: ShiftedClock, days: int, agent: str
) -> None:
    """It would be Bo's turn; within 30 days it is Amy again."""
    async with running(rota(sticky=STICKY), sim, clock=clock) as bridge:
        await (await visit(bridge, "ada", "Amy")).end()
        await eventually(lambda: len(bridge.texts(AMY)) == 1)
        await bridge.advance(days * 86400)
        await visit(bridge, "ada", agent)


async def test_busy_former_agent_is_waited_for_a_short_time(sim: Simulator, clock: ShiftedClock) -> None:
    """Amy is full: the first waits and gets her when she is free, the second has Bo after a minute."""
    setup = rota(each={"amy": {"capacity": 1}}, sticky=STICKY)
    async with running(setup, sim, clock=clock) as bridge:
        await (await visit(bridge, "ada", "Amy")).end()
        await (await visit(bridge, "dora", "Bo")).end()
        await (await visit(bridge, "cleo", "Amy")).end()
        await (await visit(bridge, "eve", "Bo")).end()
        bert = await visit(bridge, "bert", "Amy")
        ada = await bridge.opened("ada", "me again")
        await eventually(lambda: has(ada, status="queued", queuePosition=1))
        await bridge.advance(5)
        cleo = await bridge.opened("cleo", "me again, too")
        await eventually(lambda: has(cleo, status="queued", queuePosition=2))
        await visit(bridge, "dora", "Bo")  # whom nobody keeps waiting
        await bert.end()
        await eventually(lambda: has(ada, status="open", agent="Amy"))
        await bridge.advance(40)
        fay = await bridge.opened("fay", "somebody else")
        await eventually(lambda: has(fay, status="open", agent="Bo"))
        assert await has(cleo, status="queued", queuePosition=1)
        await bridge.advance(21)
        await eventually(lambda: has(cleo, status="open", agent="Bo"))


async def test_former_agent_off_duty_is_not_waited_for(sim: Simulator, clock: ShiftedClock) -> None:
    """Amy has gone home: Bo, at once."""
    async with running(rota(sticky=STICKY), sim, clock=clock) as bridge:
        await (await visit(bridge, "ada", "Amy")).end()
        await visit(bridge, "bert", "Bo")
        await say_so(bridge, "off", 3600, agent="amy")
        await visit(bridge, "ada", "Bo")
        await eventually(lambda: bridge.texts(BO) == ["bert is here", "ada is here"])
