"""Writes the log's lines in a thread of their own, so that a log that cannot be written stops no work.

Whoever logs only puts a line into a bounded queue. A line that cannot be written, because the reader is gone, the
disk is full or nobody reads, is dropped and counted.
"""

from __future__ import annotations

import atexit
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

_MOST_BYTES = 4 * 1024 * 1024  # of lines that wait; some ten thousand
_ATOMIC_BYTES = select.PIPE_BUF  # so much goes into a pipe in one piece, whoever else writes there
_GATHER_SECONDS = 0.005  # a burst becomes few writes, and the loop is not stopped for each line
_AGAIN_SECONDS = 1.0  # how often a log that takes nothing is tried
_STUCK_SECONDS = 5.0  # a write that takes longer waits for a reader who does not read
_EXIT_SECONDS = 1.0  # how long an end waits for the last lines


class LogLines:
    """A stream for `structlog` and `logging`: `write` neither waits nor raises. `fd` None: there is no log.

    `notice(lost)` makes the line that says how many lines were lost; it is written when the log takes lines again.
    """

    def __init__(self, fd: int | None, encoding: str = "utf-8") -> None:
        self.notice: Callable[[int], str] = lambda lost: f"{lost} lines of the log were lost\n"
        self.dropped = 0
        self._fd = fd
        self._encoding = encoding
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._told = 0  # of `dropped`, what the log itself says
        self._torn = False  # the last line ended in the middle
        self._writing_since: float | None = None
        self._problem: str | None = None if fd is not None else "there is no standard error to write it to"
        self._lock = threading.RLock()  # the collector may run in the middle of `write`, and log in its turn
        self._news = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        if fd is not None:
            threading.Thread(target=self._run, name="log", daemon=True).start()

    def write(self, text: str) -> int:
        line = text.encode(self._encoding, "backslashreplace")
        with self._lock:
            if self._fd is None or self._bytes + len(line) > _MOST_BYTES:
                self.dropped += 1
                return len(text)
            self._waiting.append(line)
            self._bytes += len(line)
            self._idle.clear()
        if not self._news.is_set():
            self._news.set()
        return len(text)

    def flush(self) -> None:
        """Does nothing: loggers call it after every line, and must not wait."""

    def isatty(self) -> bool:
        return self._fd is not None and os.isatty(self._fd)

    def drain(self, seconds: float) -> bool:
        """Waits until every line is written or dropped, at most `seconds`; whether it is so."""
        return self._fd is None or self._idle.wait(seconds)

    def trouble(self) -> str | None:
        """Why the log cannot be written at the moment."""
        since = self._writing_since
        problem = self._problem
        if since is not None and time.monotonic() - since > _STUCK_SECONDS:
            problem = "nobody reads it"
        if problem is None:
            return None
        return f"the log cannot be written: {problem}; {self.dropped} lines were dropped"

    def _run(self) -> None:
        while True:
            # What was lost is told as soon as that can be: it also tries whether the log takes lines again.
            self._news.wait(_AGAIN_SECONDS if self.dropped > self._told else None)
            time.sleep(_GATHER_SECONDS)
            self._news.clear()
            try:
                while piece := self._next():
                    self._put(piece)
                self._tell_lost()
            except Exception as error:  # noqa: BLE001 - there is nobody to tell but /readyz
                self._problem = type(error).__name__
            with self._lock:
                if not self._waiting:
                    self._idle.set()

    def _tell_lost(self) -> None:
        lost = self.dropped - self._told
        if lost:
            line = self.notice(lost).encode(self._encoding, "backslashreplace")
            if self._write(line) == len(line):
                self._told += lost

    def _next(self) -> list[bytes]:
        """The lines that fit into one piece, at least one if there is any."""
        piece: list[bytes] = []
        size = 0
        with self._lock:
            while self._waiting and (not piece or size + len(self._waiting[0]) <= _ATOMIC_BYTES):
                piece.append(line := self._waiting.popleft())
                size += len(line)
            self._bytes -= size
        return piece

    def _put(self, piece: list[bytes]) -> None:
        written = self._write(b"".join(piece))
        for line in piece:
            written -= len(line)
            if written < 0:
                with self._lock:
                    self.dropped += 1

    def _write(self, data: bytes) -> int:
        """How much of it was written. What was begun and not ended does not run into the next line."""
        assert self._fd is not None
        self._writing_since = time.monotonic()
        done = 0
        try:
            if self._torn:
                self._some(b"\n")
            while done < len(data):
                done += self._some(data[done:])
        except OSError as error:
            self._problem = error.strerror or type(error).__name__
        else:
            self._problem = None
        finally:
            self._writing_since = None
        return done

    def _some(self, data: bytes) -> int:
        assert self._fd is not None
        try:
            written = os.write(self._fd, data)
        except BlockingIOError:  # whoever shares the terminal or the pipe with us made it so
            select.select([], [self._fd], [], _AGAIN_SECONDS)
            return 0
        self._torn = data[written - 1 : written] != b"\n"
        return written


def on_stderr() -> LogLines:
    """The log of a process: its standard error, if it has one."""
    if sys.stderr is None:
        return LogLines(None)
    lines = LogLines(sys.stderr.fileno(), sys.stderr.encoding)
    atexit.register(lines.drain, _EXIT_SECONDS)
    return lines
