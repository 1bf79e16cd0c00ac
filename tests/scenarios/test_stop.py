"""A stop is over in ten seconds, whatever hangs; and it is heard from the first moment."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bridge.simulator import BOT_TOKEN, Simulator, World
from tests.harness import config, eventually, running
from tests.processes import BridgeProcess, bridge_process, family

ALONE = ["unshare", "--pid", "--fork", "--kill-child"]
CALM = config(webex={"poll_seconds": 60})


async def test_webex_that_hangs_does_not_hold_up_a_stop(sim: Simulator, world: World) -> None:
    """A message is on its way and no answer comes."""
    async with bridge_process(CALM, sim) as bridge:
        never = world.fault("POST /v1/messages", "never", times=1)
        await bridge.opened("ada", "hello")
        await eventually(lambda: never.used, within=60)
        assert await bridge.terminate() == 0


async def test_a_database_that_hangs_does_not_hold_up_a_stop(sim: Simulator) -> None:
    """Its writer is frozen in the middle of work; it does not stay behind."""
    async with bridge_process(CALM, sim) as bridge:
        assert bridge.process is not None
        (_, writer) = family(bridge.process.pid)
        await bridge.opened("ada", "hello")
        os.kill(writer, signal.SIGSTOP)
        assert await bridge.terminate() == 0
        await eventually(lambda: not runs(writer), within=60)


async def test_streams_that_nobody_reads_do_not_hold_up_a_stop(sim: Simulator) -> None:
    """Many pages at once that have stopped reading."""
    async with bridge_process(CALM, sim) as bridge:
        pages = []
        try:
            for number in range(8):
                customer = await bridge.opened(f"c{number}", "x" * 7000)
                for _ in range(10):
                    await customer.say("x" * 7000)
                path = f"/v1/conversations/{customer.id}/stream?key={customer.key}"
                pages += [page(bridge.port, path) for _ in range(8)]

            async def all_open() -> bool:
                return f"bridge_streams {len(pages)}.0" in (await bridge.get("/metrics"))[1]

            await eventually(all_open, within=60)
            assert await bridge.terminate() == 0
        finally:
            for each in pages:
                each.close()


def page(port: int, path: str) -> socket.socket:
    """One that asks and does not read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    made.connect(("127.0.0.1", port))
    made.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return made


async def test_a_bot_that_hangs_does_not_hold_up_a_stop(sim: Simulator, world: World) -> None:
    """Who the bot is is asked in a thread, which nobody can interrupt."""
    never = world.fault("GET /v1/people/me", "never")
    async with bridge_process(CALM, sim, environ={"WEBEX_BOT_TOKEN": BOT_TOKEN}) as bridge:
        await eventually(lambda: never.used, within=60)
        assert await bridge.terminate() == 0


async def test_what_hangs_in_spite_of_all_is_cut_short(sim: Simulator, tmp_path: Path) -> None:
    """A step that ignores every limit: the process leaves, with the status of a stop, and says so."""
    program = tmp_path / "program.py"
    program.write_text(
        "import asyncio, sys\n"
        "from bridge.service import stopping\n"
        "stopping._CUT_SECONDS = 0.0\n"
        "from bridge.service.app import Service\n"
        "async def stop(self):\n"
        "    await asyncio.Event().wait()\n"
        "Service.stop = stop\n"
        "sys.argv = ['bridge', 'run']\n"
        "from bridge.__main__ import main\n"
        "main()\n"
    )
    async with started(sim, [sys.executable, str(program)]) as bridge:
        await eventually(bridge._is_up, within=60)
        assert await bridge.terminate() == 0
        assert "service.stop_cut_short" in bridge.errors.read_text()


@pytest.mark.parametrize("after", [0.0, 0.3, 1.0, 2.5])
async def test_a_signal_at_any_moment_of_the_start_ends_it(sim: Simulator, after: float) -> None:
    """Clean, with status 0 and without a traceback, as soon as the process can hear at all."""
    async with started(sim) as bridge:
        assert bridge.process is not None
        await eventually(lambda: listens(bridge.process.pid), within=60)
        await asyncio.sleep(after)  # whatever it has begun by then, the end is the same
        assert await bridge.terminate() == 0
        assert "Traceback" not in bridge.errors.read_text()


async def test_a_signal_while_the_database_is_opened_leaves_nothing_behind(
    sim: Simulator, tmp_path: Path
) -> None:
    """The writer's process was begun: it ends as well."""
    async with started(sim) as bridge:
        assert bridge.process is not None
        pid = bridge.process.pid
        (writer,) = await eventually(lambda: family(pid)[1:], within=60)
        assert await bridge.terminate() == 0
        await eventually(lambda: not runs(writer), within=60)


async def test_as_process_one_it_is_heard_too(sim: Simulator) -> None:
    """As in a container, where the system ignores a signal that the process does not ask for."""
    if not can_be_alone():
        pytest.skip("no process can be made the first of its own here")
    async with started(sim, [*ALONE, sys.executable, "-m", "bridge", "run"]) as bridge:
        assert bridge.process is not None
        outer = bridge.process.pid
        (pid,) = await eventually(lambda: family(outer)[1:], within=60)
        await eventually(lambda: listens(pid), within=60)
        os.kill(pid, signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await bridge.process.wait() == 0


async def test_a_signal_to_the_writer_alone_changes_nothing(sim: Simulator) -> None:
    """As from a supervisor that tells every process of a group: the service drains first, from the first moment on."""
    async with started(sim) as bridge:
        assert bridge.process is not None
        pid = bridge.process.pid
        (writer,) = await eventually(lambda: family(pid)[1:], within=60)
        os.kill(writer, signal.SIGTERM)
        await eventually(bridge._is_up, within=60)
        os.kill(writer, signal.SIGTERM)
        await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"], within=60)


async def test_each_step_of_a_stop_has_its_share(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten seconds in all: what the steps may take, added up as they follow one another, is less."""
    async with running(CALM, sim) as bridge:
        service = bridge.service
        at = [service.clock.monotonic()]
        monkeypatch.setattr(service.clock, "monotonic", lambda: at[0])
        begun = at[0]

        def takes(name: str) -> Callable[[float], object]:
            async def step(seconds: float) -> None:
                given[name] = seconds
                at[0] = max(at[0], started_at[name] + seconds)

            def begin(seconds: float) -> object:
                started_at[name] = at[0]
                return step(seconds)

            return begin

        given: dict[str, float] = {}
        started_at: dict[str, float] = {}
        real = service.store.stop
        with monkeypatch.context() as patched:
            for stage, pump in service.pumps.items():
                patched.setattr(pump, "stop", takes(stage))
            patched.setattr(service.loops, "stop", takes("loops"))
            patched.setattr(service.store, "stop", takes("store"))
            await service.stop()
        assert at[0] - begun <= 10
        assert given["say"] >= 5
        assert given["store"] >= 1
        await real()
        for pump in service.pumps.values():
            await pump.stop(0)
        await service.loops.stop(1)


@asynccontextmanager
async def started(sim: Simulator, command: list[str] | None = None) -> AsyncIterator[BridgeProcess]:
    """A process that was just begun, of which nothing is known yet."""
    async with bridge_process(CALM, sim, wait_ready=False, command=command) as bridge:
        yield bridge


def can_be_alone() -> bool:
    known = shutil.which(ALONE[0]) is not None
    return known and not subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode


def listens(pid: int) -> bool:
    """Whether the process has a handler for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
