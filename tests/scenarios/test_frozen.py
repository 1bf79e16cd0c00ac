"""A process is frozen for longer than its leases last and wakes up in the middle of its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.simulator import Simulator, World
from tests.harness import RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.steps import all_sent

PATIENT = 60.0
CALM = config(webex={"poll_seconds": 60})


def freeze(bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """It claims nothing and keeps nothing; what it has begun goes on when its call is answered."""

    async def still() -> None:
        return

    monkeypatch.setattr(bridge.service.heartbeat, "beat", still)
    for pump in bridge.service.pumps.values():
        monkeypatch.setattr(pump, "claim_now", lambda: False)


@pytest.mark.parametrize("where", ["minting", "looking", "looking, and sees what the other one has said"])
async def test_woken_one_says_nothing(
    sim: Simulator, world: World, clock: ShiftedClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, where: str,
) -> None:  # fmt: skip
    """Another one has taken its work over meanwhile: each text arrives once."""
    database = f"sqlite:///{tmp_path}/bridge.db"
    async with running(CALM, sim, clock=clock, database_url=database, webex_timeout=PATIENT) as frozen:
        if where == "minting":
            held = world.fault("POST /v1/guests/token", "hold")
            ada, texts = await frozen.opened("ada", "one"), ["one"]
        else:
            ada, texts = await frozen.opened("ada", "one"), ["one", "two"]
            await eventually(lambda: all_sent(ada), PATIENT)
            world.fault("POST /v1/messages", status=500)  # nothing was done, but nobody knows
            held = world.fault("GET /v1/messages/direct", "hold", effect=where == "looking")
            await ada.say("two")
        await eventually(lambda: held.used, PATIENT)
        freeze(frozen, monkeypatch)
        async with running(CALM, sim, clock=clock, database_url=database) as other:
            clock.shift += 15
            other.wake()
            await eventually(lambda: other.service.pumps["say"].lanes, PATIENT)
            await other.advance(80)  # nothing of the frozen one's call could still come about
            await eventually(lambda: other.texts() == texts, PATIENT)
            await eventually(lambda: all_sent(ada), PATIENT)
            held.release()
            await eventually(lambda: not frozen.service.pumps["say"].lanes, PATIENT)
            third = await other.opened("ada", "three")
            await eventually(lambda: all_sent(third), PATIENT)
            assert other.texts() == [*texts, "three"]


async def test_lane_is_worked_by_one_task(
    sim: Simulator, world: World, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process whose own lease ran out claims the lane again: it waits for the call that is still out."""
    async with running(CALM, sim, clock=clock, webex_timeout=PATIENT) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: all_sent(ada), PATIENT)
        held = world.fault("POST /v1/messages", "hold")
        await ada.say("two")
        await ada.say("three")
        await eventually(lambda: held.used, PATIENT)
        pump = bridge.service.pumps["say"]
        with monkeypatch.context() as patched:
            freeze(bridge, patched)
            clock.shift += 120
        bridge.wake()
        await eventually(lambda: len(pump.leases) == 2, PATIENT)
        assert all(lease.job for lease in pump.leases)  # a heartbeat speaks for the one that waits, too
        held.release()
        await eventually(lambda: all_sent(ada), PATIENT)
        assert bridge.texts() == ["one", "two", "three"]
        assert len(bridge.calls("/messages")) == 3
