"""SQLite's file is removed or replaced under a running service: nothing more is acknowledged, and it is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator import Simulator
from tests.harness import Bridge, config, eventually, running
from tests.processes import bridge_process


async def refused(bridge: Bridge, **data: Any) -> bool:
    """Whether an event gets 503 and /readyz tells why."""
    status, answer = await bridge.event(subject="bob", displayName="Bob", message="lost", **data)
    ready, why = await bridge.get("/readyz")
    told = any("removed or replaced" in reason for reason in why["reasons"])
    return status == 503 and int(answer["headers"]["Retry-After"]) >= 1 and ready == 503 and told


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


@pytest.mark.parametrize("harm", [remove, replace])
async def test_a_file_that_is_gone_takes_no_events(sim: Simulator, harm: Callable[[Path], None]) -> None:
    """503 at the door, for customers' words too, and at /readyz; no empty file takes its place."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"], within=60)
        harm(bridge.folder / "bridge.db")
        assert await refused(bridge)
        assert (await ada.say("two")).status == 503
        assert (bridge.folder / "bridge.db").exists() == (harm is replace)
        assert (await bridge.get("/healthz"))[0] == 200


async def test_a_file_that_is_put_back_goes_on(sim: Simulator) -> None:
    """Moved away and back: it is the same file, and all that was acknowledged is delivered."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"], within=60)
        path = bridge.folder / "bridge.db"
        path.rename(path.with_name("away.db"))
        assert await refused(bridge)
        path.with_name("away.db").rename(path)
        await eventually(bridge.ready, within=60)
        assert (await ada.say("two")).status == 202
        await eventually(lambda: bridge.texts() == ["one", "two"], within=60)


async def test_a_clean_stop_saves_what_a_removed_log_held(sim: Simulator) -> None:
    """Of a real process: with `-wal` the last commits would be gone at a crash; it says so, and a stop writes them."""
    async with bridge_process(config(), sim, environ={"LOG_LEVEL": "critical"}) as bridge:
        await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"], within=60)
        (bridge.folder / "bridge.db-wal").unlink()
        await eventually(lambda: refused(bridge), within=60)
        assert await bridge.terminate() == 0
        await bridge.start()
        status, _ = await bridge.event(subject="ada", displayName="Ada", message="two")
        assert status == 202
        await eventually(lambda: bridge.texts() == ["one", "two"], within=60)


async def test_a_real_process_notices_as_well(sim: Simulator) -> None:
    """Its file is open in a process of its own."""
    async with bridge_process(config(), sim, environ={"LOG_LEVEL": "critical"}) as bridge:
        await bridge.opened("ada", "one")
        (bridge.folder / "bridge.db").unlink()
        assert await refused(bridge)
