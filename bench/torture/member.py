"""One `bridge run` that is killed, frozen, stopped, or whose log breaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import ROOT, Process

PARTS = ("service", "writer", "both")
GONE, STUCK = "gone", "stuck"  # how a log breaks: its reader goes away, or reads no more


@dataclass
class Member(Process):
    """`deaths`: how often it ended without being asked."""

    deaths: int = 0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)  # one trouble at a time ...
    dying: asyncio.Lock = field(default_factory=asyncio.Lock)  # ... but a kill may come into a freeze
    _frozen: list[int] = field(default_factory=list)  # pidfds

    def start(self, broken: str = "", after: float = 1.5) -> None:
        """`broken`: its log goes through a pipe whose reader, `after` seconds later, is gone or stuck."""
        if not broken:
            super().start()
            return
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **self.env}
        reading, writing = os.pipe()
        self._child = subprocess.Popen(
            self.command, cwd=self.cwd, env=environ, stdout=writing, stderr=writing
        )
        os.close(writing)
        thread = threading.Thread(target=_copy, args=(reading, self.log, self._child, broken, after))
        thread.daemon = True
        thread.start()

    async def revive(self) -> None:
        """Starts it again where it died by itself, which is counted."""
        async with self.dying:
            self.note_death()

    def note_death(self) -> None:
        """The same for whoever holds `dying`."""
        if not self.alive:
            self.deaths += 1
            self.start()

    def kill(self) -> None:
        """As the power cut would: of what is frozen, too."""
        self._signal_frozen(signal.SIGKILL)
        super().kill()

    def freeze(self, part: str) -> None:
        """`service`, its `writer`'s process, or `both` do nothing until the thaw."""
        pids = [self.pid] if part in ("service", "both") else []
        pids += _children(self.pid) if part in ("writer", "both") else []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                self._frozen.append(os.pidfd_open(pid))
        self._signal_frozen(signal.SIGSTOP, keep=True)

    def thaw(self) -> None:
        self._signal_frozen(signal.SIGCONT)

    @property
    def frozen(self) -> bool:
        return bool(self._frozen)

    def _signal_frozen(self, number: int, keep: bool = False) -> None:
        """`keep`: they stay frozen. Else they are let go first, for a kill and a thaw may meet."""
        frozen, self._frozen = self._frozen, self._frozen if keep else []
        for each in frozen:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(each, number)
            if not keep:
                os.close(each)

    def stop_cleanly(self) -> float:
        """Seconds that it took from SIGTERM on; after a minute it is killed."""
        assert self._child is not None
        begun = time.monotonic()
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - begun


def _copy(reading: int, log: Path, child: subprocess.Popen[bytes], broken: str, after: float) -> None:
    """The log's reader: for a while it reads, then it goes away or only holds the pipe open."""
    until = time.monotonic() + after
    os.set_blocking(reading, False)
    with open(log, "ab") as out:
        while time.monotonic() < until and child.poll() is None:
            try:
                out.write(os.read(reading, 65536))
            except BlockingIOError:
                time.sleep(0.05)
    while broken == STUCK and child.poll() is None:
        time.sleep(0.2)
    os.close(reading)


def _children(pid: int) -> Sequence[int]:
    """Of any thread of this process (Linux)."""
    found = []
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in each.read_text().split()]
    return found
