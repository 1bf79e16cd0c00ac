"""The store's writer in a process of its own: batches and results, pickled, over a private socket.

The process (`writer_process.py`) lives as long as its end of the socket: it ends when this process stops it or
dies, however that happens. Should it die first, what was under way may or may not have been stored, as after any
crash, and this process can write nothing any more.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from bridge.logs import OF_NO_REQUEST
from bridge.store.engine.committer import Call
from bridge.store.engine.writer import Answered, Lost

_STOP_SECONDS = 2.0
_LENGTH = struct.Struct("!Q")


# What the process needs of ours: where Python, libraries and certificates are, language and time zone, and what
# SQLite and libpq look for. Secrets are not among it: what it must know comes over the socket.
_NEEDED = (
    "PATH", "HOME", "TZ", "TZDIR", "LANG", "LANGUAGE", "TMPDIR", "SQLITE_TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "OPENSSL_CONF", "KRB5CCNAME", "KRB5_CONFIG",
)  # fmt: skip
_NEEDED_PREFIXES = ("LC_", "PYTHON", "PG")


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _NEEDED or name.startswith(_NEEDED_PREFIXES)
    }


def _spawn(end: int, held: Sequence[int]) -> subprocess.Popen[bytes]:
    """-P: no module is looked for in the folder from which the service was started. A session of its own: Ctrl-C
    is for the service alone. So is SIGTERM, from the first moment: the mask is inherited."""
    command = [sys.executable, "-P", "-m", "bridge.store.engine.writer_process", str(end)]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    try:
        return subprocess.Popen(  # noqa: S603 - our own module
            command,
            pass_fds=(end, *held),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(),
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class Apart:
    """Calls or results, each pickled by itself, so that one that cannot be read harms no other."""

    pickles: Sequence[bytes]


class AgainApart:
    """The service could not read the results: it asks for the last ones once more, as `Apart`."""


class Unread:
    """The writer could not read the calls, has done nothing, and asks for them as `Apart`."""


def framed(value: object) -> bytes:
    """A value on the wire: its length, then its pickle."""
    data = pickled(value)
    return _LENGTH.pack(len(data)) + data


def pickled(value: object) -> bytes:
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def unpickled(data: bytes | memoryview) -> Any:
    return pickle.loads(data)  # noqa: S301 - both ends are ours


def read_frame(stream: BinaryIO) -> bytes:
    """Waits for the next value, still pickled; EOFError where the other end is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def read_apart(apart: Apart) -> list[Any]:
    """Each value, or the error where it cannot be read."""
    return [_read(one) for one in apart.pickles]


def _read(data: bytes) -> Any:
    try:
        return unpickled(data)
    except Exception as error:  # noqa: BLE001 - whatever stands in its way
        return error


class ProcessLane(asyncio.Protocol):
    """`begin`: the first message to the process, what it must know to open the store. `held()`: open files that
    must stay open as long as it lives."""

    def __init__(self, begin: object, held: Callable[[], Sequence[int]] = tuple) -> None:
        self._begin = begin
        self._held = held
        self._stopping = False
        self._buffer = bytearray()
        self._sent: Sequence[Call] = ()
        self._refused: dict[int, Exception] = {}  # places in what was sent, of calls that cannot be pickled

    async def start(self, answered: Answered, lost: Lost) -> None:
        self._answered, self._lost = answered, lost
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.to_thread(_spawn, theirs.fileno(), self._held())
        self._transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)
        self._transport.write(framed(self._begin))

    def send(self, batch: Sequence[Call]) -> None:
        self._sent, self._refused = batch, {}
        try:
            frame = framed(batch)
        except Exception:  # noqa: BLE001 - whichever call it is, the others go
            self._send_apart()
        else:
            self._transport.write(frame)

    def _send_apart(self) -> None:
        pickles = []
        for place, call in enumerate(self._sent):
            try:
                pickles.append(pickled(call))
            except Exception as error:  # noqa: BLE001 - its caller hears of it
                self._refused[place] = error
        if pickles:
            self._transport.write(framed(Apart(pickles)))
        else:
            asyncio.get_running_loop().call_soon(self._answer, [], context=OF_NO_REQUEST)

    async def stop(self, seconds: float) -> None:
        self._stopping = True
        self._transport.close()  # the process sees the end and goes
        await asyncio.to_thread(self._reap, min(_STOP_SECONDS, seconds))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            try:
                results = unpickled(memoryview(self._buffer)[_LENGTH.size : end])
            except Exception:  # noqa: BLE001 - one result cannot be read: the others are not lost for that
                results = AgainApart()
            del self._buffer[:end]
            self._take(results)

    def _take(self, results: Any) -> None:
        if isinstance(results, AgainApart):
            self._transport.write(framed(results))
        elif isinstance(results, Unread):
            self._send_apart()
        else:
            self._answer(read_apart(results) if isinstance(results, Apart) else results)

    def _answer(self, results: list[Any]) -> None:
        for place in sorted(self._refused):
            results.insert(place, self._refused[place])
        self._sent = ()
        self._answered(results)

    def connection_lost(self, _: Exception | None) -> None:
        if not self._stopping:
            self._lost("the store's writer process has ended")

    def _reap(self, seconds: float) -> None:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
