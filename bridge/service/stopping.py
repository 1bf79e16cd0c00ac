"""The end of `bridge run`: SIGTERM and SIGINT are heard from the first moment, and it is over in ten seconds.

Imported before anything else, so it imports next to nothing itself.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

STOP_SECONDS = 10.0
_CUT_SECONDS = STOP_SECONDS - 0.3  # then the process leaves, whatever hangs
_LAST_LINES_SECONDS = 0.2
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def leave_when_told() -> None:
    """A signal ends the process at once, and cleanly: as long as nothing was begun, nothing is to be put in order.

    As process 1 of a container it would ignore them otherwise.
    """
    _listen(lambda: os._exit(0))


def _listen(told: Callable[[], object]) -> None:
    for number in _SIGNALS:
        signal.signal(number, lambda *_: told())


class Ending:
    """Hears the signals while the service runs, and sees to it that a stop that has begun comes to its end.

    `cut` is called where it did not; `last_lines(seconds)` writes out what is left of the log.
    """

    def __init__(self, cut: Callable[[], object], last_lines: Callable[[float], object]) -> None:
        self._cut = cut
        self._last_lines = last_lines
        self._begun: queue.SimpleQueue[int] = (
            queue.SimpleQueue()
        )  # a signal may come in the middle of its `put`
        threading.Thread(target=self._watch, name="ending", daemon=True).start()

    def listen(self, told: Callable[[], object]) -> None:
        """`told()` is called in the main thread, between any two steps of it, for each signal."""

        def begin() -> None:
            self.hurry(0)
            told()

        _listen(begin)

    def hurry(self, status: int) -> None:
        """The stop has begun: in ten seconds the process is gone, with this status where it must be cut short."""
        self._begun.put(status)

    def leave(self, status: int) -> NoReturn:
        """Ends the process now. What still hangs in a thread, a call to Webex say, is not waited for."""
        self._last_lines(_LAST_LINES_SECONDS)
        os._exit(status)

    def _watch(self) -> None:
        status: Any = self._begun.get()
        time.sleep(_CUT_SECONDS)
        self._cut()
        self.leave(status)
