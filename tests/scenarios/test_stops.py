"""A stop, clean or by kill -9, while Webex takes its time: what is on its way is looked for, and not said again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, select

from bridge.simulator import Simulator, World
from bridge.simulator.faults import Fault
from bridge.store.tables import lanes
from tests.harness import RunningBridge, ShiftedClock, config, eventually, running
from tests.processes import bridge_process
from tests.scenarios.steps import all_sent

PATIENT = 60.0
CALM = config(webex={"poll_seconds": 60})


@pytest.fixture
async def stopped(
    sim: Simulator, world: World, clock: ShiftedClock
) -> AsyncIterator[tuple[RunningBridge, Fault]]:
    """A bridge that was stopped and started again with a call out that Webex has not carried out yet."""
    async with running(CALM, sim, clock=clock, webex_timeout=PATIENT) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: all_sent(ada), PATIENT)
        held = world.fault("POST /v1/messages", "hold")
        await ada.say("two")
        await eventually(lambda: held.used, PATIENT)
        await bridge.service.stop(seconds=1.0)
        await bridge.start()
        yield bridge, held


def looks(bridge: RunningBridge) -> int:
    return len(bridge.calls("/messages/direct", "GET"))


async def test_a_call_that_a_stop_cut_off_may_still_arrive(stopped: tuple[RunningBridge, Fault]) -> None:
    """Webex carries it out shortly before its time is over: it is found, and said once."""
    bridge, held = stopped
    await eventually(lambda: looks(bridge) >= 1, PATIENT)
    await bridge.advance(40)
    before = looks(bridge)
    await eventually(lambda: looks(bridge) > before, PATIENT)
    assert len(bridge.calls("/messages")) == 1
    held.release()
    await eventually(lambda: bridge.texts() == ["one", "two"], PATIENT)
    await eventually(lambda: _settled(bridge), PATIENT)
    assert bridge.texts() == ["one", "two"]
    assert len(bridge.calls("/messages")) == 2


async def test_a_call_that_a_stop_cut_off_and_that_is_lost_is_repeated(
    stopped: tuple[RunningBridge, Fault],
) -> None:
    """When its time at Webex is over and it is not there; the connection of the first one never gets that far."""
    bridge, _held = stopped
    await eventually(lambda: looks(bridge) >= 1, PATIENT)
    await bridge.advance(PATIENT)
    await eventually(lambda: bridge.texts() == ["one", "two"], PATIENT)


async def _settled(bridge: RunningBridge) -> bool:
    counts = bridge.service.health.counts
    return counts is not None and counts.deliveries == 0


@pytest.mark.timeout(300)
async def test_kill_while_webex_takes_its_time(sim: Simulator, world: World) -> None:
    """kill -9 and a quick start on SQLite: the leases are free at once, the words are looked for and not repeated."""
    async with bridge_process(CALM, sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: all_sent(ada), PATIENT)
        held = world.fault("POST /v1/messages", "hold")
        await ada.say("two")
        await eventually(lambda: held.used, PATIENT)
        await bridge.kill()
        await bridge.start()
        await eventually(lambda: len(bridge.calls("/messages/direct", "GET")) >= 3, PATIENT)
        held.release()
        await eventually(lambda: all_sent(ada), PATIENT)
        assert bridge.texts() == ["one", "two"]


async def test_leases_last_as_long_as_the_drain(sim: Simulator, world: World) -> None:
    """While a stop waits for a call, its lane is kept, so that nobody else takes it; then the words are settled."""
    async with running(CALM, sim, webex_timeout=PATIENT) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: all_sent(ada), PATIENT)
        held = world.fault("POST /v1/messages", "hold")
        await ada.say("two")
        await eventually(lambda: held.used, PATIENT)
        stopping = asyncio.create_task(bridge.service.stop(seconds=PATIENT))
        await eventually(lambda: bridge.service.draining, PATIENT)
        until = await bridge.service.store.read(leased_until)
        await eventually(lambda: _later(bridge, until), PATIENT)
        held.release()
        await stopping
        await bridge.start()
        await ada.say("three")
        await eventually(lambda: bridge.texts() == ["one", "two", "three"], PATIENT)
        assert len(bridge.calls("/messages")) == 3


async def _later(bridge: RunningBridge, than: float) -> bool:
    return await bridge.service.store.read(leased_until) > than


def leased_until(connection: Connection) -> float:
    return connection.execute(select(lanes.c.ready_at).where(lanes.c.stage == "say")).scalar_one()
