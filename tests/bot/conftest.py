"""A desk with a bot: two agents, a lead, a stranger, all of one simulated Webex."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bridge.simulator import Simulator, World
from tests.bot.talk import Desk, desk_config
from tests.harness import ShiftedClock, running


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def sim(clock: ShiftedClock) -> AsyncIterator[Simulator]:
    async with Simulator(World(clock.now)) as simulator:
        yield simulator
    assert simulator.world.violations() == []


@pytest.fixture
def world(sim: Simulator) -> World:
    return sim.world


@pytest.fixture
async def desk(sim: Simulator, clock: ShiftedClock) -> AsyncIterator[Desk]:
    """With webhooks, so that buttons work."""
    async with running(desk_config(), sim, public_url=True, environ=Desk.ENVIRON, clock=clock) as bridge:
        yield await Desk(bridge).ready()
