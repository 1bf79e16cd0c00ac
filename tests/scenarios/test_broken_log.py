"""A log that cannot be written costs its own lines, and nothing else."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator

import pytest

from bridge.simulator import Simulator, World
from tests.harness import config, eventually
from tests.processes import BridgeProcess, bridge_process
from tests.scenarios.steps import answer, heard

_F_SETPIPE_SZ = 1031
EVERYTHING = {"LOG_LEVEL": "debug"}


@pytest.fixture(params=["nobody reads", "reader gone", "disk full"])
def log_to(request: pytest.FixtureRequest) -> Iterator[int]:
    """Where the log goes: a pipe that holds a page and is never read, one without a reader, a disk without room."""
    if request.param == "disk full":
        fds = [os.open("/dev/full", os.O_WRONLY)]
    else:
        reader, writer = os.pipe()
        fcntl.fcntl(writer, _F_SETPIPE_SZ, 4096)
        if request.param == "reader gone":
            os.close(reader)
        fds = [writer] if request.param == "reader gone" else [writer, reader]
    yield fds[0]
    for fd in fds:
        os.close(fd)


async def talk(bridge: BridgeProcess, world: World) -> None:
    """Several customers at once, and an agent who answers."""
    everybody = await asyncio.gather(*(bridge.opened(f"c{n}", "hello") for n in range(10)))
    for customer in everybody:
        assert (await customer.say("again")).status == 202
    await eventually(lambda: len(bridge.texts()) == 20, within=60)
    answer(world, "hi", name="C0")
    await eventually(lambda: heard(everybody[0], "hi"), within=60)


async def told(bridge: BridgeProcess) -> bool:
    status, ready = await bridge.get("/readyz")
    assert status == 200
    return any("the log cannot be written" in one for one in ready["degraded"])


async def test_work_goes_on_while_the_log_is_broken(sim: Simulator, world: World, log_to: int) -> None:
    """Events are accepted, delivered and answered; /readyz is 200 and says it; a stop ends with 0."""
    async with bridge_process(config(), sim, environ=EVERYTHING, log_to=log_to) as bridge:
        await talk(bridge, world)
        await eventually(lambda: told(bridge), within=60)
        await bridge.opened("late", "are you there?")
        await eventually(lambda: len(bridge.texts()) == 21, within=60)
        assert await bridge.terminate() == 0


async def test_lost_lines_are_counted_and_told_when_the_log_is_back(
    sim: Simulator, world: World, tmp_path
) -> None:
    """The metric grows meanwhile; a new reader makes /readyz well again and finds how much is missing."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    both = os.open(pipe, os.O_RDWR)
    log_to = os.open(pipe, os.O_WRONLY)
    os.close(both)  # now nobody reads
    try:
        async with bridge_process(config(), sim, environ=EVERYTHING, log_to=log_to) as bridge:
            await talk(bridge, world)

            async def counted() -> bool:
                _, text = await bridge.get("/metrics")
                (line,) = (
                    one for one in text.splitlines() if one.startswith("bridge_log_lines_dropped_total")
                )
                return float(line.split()[1]) > 0

            await eventually(counted, within=60)
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            try:

                async def well() -> bool:
                    return not await told(bridge)

                await eventually(well, within=60)
                found = b""

                def read() -> bool:
                    nonlocal found
                    try:
                        found += os.read(reader, 65536)
                    except BlockingIOError:
                        return False
                    return b'"log.interrupted"' in found

                await eventually(read, within=60)
                await bridge.opened("late", "hello")
                await eventually(lambda: read() and b'"delivery.sent"' in found, within=60)
            finally:
                os.close(reader)
    finally:
        os.close(log_to)
