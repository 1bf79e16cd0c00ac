"""A bridge in a process of its own, to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bridge.simulator import Simulator
from tests.harness import ROOT, Bridge, eventually

_BASE_ENVIRON = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "LOG_LEVEL": "warning"}


class BridgeProcess(Bridge):
    """`bridge run` in a process of its own, to be killed. `errors`: the file of its log, unless it goes to `log_to`."""

    process: asyncio.subprocess.Process | None = None
    log_to: int | None = None
    command: Sequence[str] = (sys.executable, "-m", "bridge", "run")

    @property
    def errors(self) -> Path:
        return self.folder / "log"

    async def start(self, wait_ready: bool = True) -> None:
        with self.errors.open("ab") as log:
            to = log if self.log_to is None else self.log_to
            self.process = await asyncio.create_subprocess_exec(
                *self.command, cwd=self.folder, stdout=to, stderr=to,
                env={**_BASE_ENVIRON, **self.environ},
            )  # fmt: skip
        if wait_ready:
            await eventually(self._is_up, within=180, why="the process is ready")

    async def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.errors.read_text()
        return await self.ready()

    async def kill(self) -> None:
        """kill -9: nothing is put in order."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def terminate(self) -> int:
        """SIGTERM; its exit status."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def bridge_process(
    setup: str | Mapping[str, Any],
    sim: Simulator,
    *,
    database_url: str | None = None,
    public_url: bool = False,
    environ: Mapping[str, str] | None = None,
    log_to: int | None = None,
    command: Sequence[str] | None = None,
    wait_ready: bool = True,
) -> AsyncIterator[BridgeProcess]:
    """A started and ready BridgeProcess; killed at the end. `command`: what runs it, else `bridge run`."""
    with tempfile.TemporaryDirectory(prefix="bridge-test-", ignore_cleanup_errors=True) as folder:
        bridge = BridgeProcess(
            setup, sim, Path(folder), database_url=database_url, public_url=public_url, environ=environ, clock=None
        )  # fmt: skip
        bridge.log_to = log_to
        bridge.command = command or bridge.command
        try:
            await bridge.start(wait_ready)
            yield bridge
        finally:
            await bridge.session.close()
            if bridge.process is not None:
                await bridge.kill()


def family(pid: int) -> list[int]:
    """A process and those that it started: the service and its writer."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [pid, *(int(child) for thread in threads for child in (thread / "children").read_text().split())]
