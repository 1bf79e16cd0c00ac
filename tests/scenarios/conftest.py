"""A Webex for each story, which must end without a broken promise."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bridge.simulator import Simulator, World
from tests.harness import ShiftedClock


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def sim(clock: ShiftedClock) -> AsyncIterator[Simulator]:
    """Whatever the story is: no call with an expired token, none before its Retry-After is over."""
    async with Simulator(World(clock.now)) as simulator:
        yield simulator
    assert simulator.world.violations() == []
    assert simulator.world.most_tokens <= 700


@pytest.fixture
def endless_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a story then gets to see did not have to wait until a lease ran out."""
    monkeypatch.setattr("bridge.service.app.LEASE_SECONDS", 3600.0)


@pytest.fixture
def world(sim: Simulator) -> World:
    return sim.world
