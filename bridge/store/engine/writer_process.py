"""The process of the store's writer, started by `bridge.store.engine.process_lane` as `python -m` this module FD."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from dataclasses import dataclass
from typing import Any

import structlog

from bridge import log_lines, logs
from bridge.domain.errors import crash
from bridge.store.engine.committer import Committer
from bridge.store.engine.open import open_engine
from bridge.store.engine.process_lane import (
    AgainApart,
    Apart,
    Unread,
    framed,
    pickled,
    read_apart,
    read_frame,
    unpickled,
)


@dataclass(frozen=True, slots=True)
class Begin:
    """What the process must know."""

    database_url: str
    log_format: str | None
    log_level: str


def main() -> None:
    """Commits batch after batch until the service closes its end, or is gone."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the service drains first
    try:
        _serve(socket.socket(fileno=int(sys.argv[1])))
    except (EOFError, OSError):
        return
    except Exception as error:  # noqa: BLE001 - the service sees that we are gone; the log says why
        structlog.get_logger().critical("store.writer_crashed", **crash(error))
        sys.exit(1)


def _serve(service: socket.socket) -> None:
    with service, service.makefile("rb") as stream:
        begin: Begin = unpickled(read_frame(stream))
        logs.configure(begin.log_format, begin.log_level, log_lines.on_stderr())
        committer = Committer(open_engine(begin.database_url, writes=True, pool=2))
        spare_the_collector()
        try:
            results: list[Any] = []
            while True:
                batch = _batch(read_frame(stream))
                if isinstance(batch, AgainApart):
                    service.sendall(_apart(results))
                elif isinstance(batch, Unread):
                    service.sendall(framed(batch))
                else:
                    results = _committed(committer, batch)
                    service.sendall(_together(results))
        finally:
            committer.hang_up()


def _batch(frame: bytes) -> Any:
    """The calls, with an error in the place of one that cannot be read."""
    try:
        batch = unpickled(frame)
    except Exception as error:  # noqa: BLE001 - whichever call it is, the others are not lost for that
        structlog.get_logger().error("store.calls_not_read", **crash(error))
        return Unread()
    return read_apart(batch) if isinstance(batch, Apart) else batch


def _committed(committer: Committer, batch: list[Any]) -> list[Any]:
    """The calls' results, portable; a call that could not be read is its own result."""
    readable = [call for call in batch if not isinstance(call, Exception)]
    results = iter(committer.commit(readable)) if readable else iter(())
    return [_portable(call if isinstance(call, Exception) else next(results)) for call in batch]


def _together(results: list[Any]) -> bytes:
    try:
        return framed(results)
    except Exception:  # noqa: BLE001 - one of them cannot be sent: it alone becomes an error
        return _apart(results)


def _apart(results: list[Any]) -> bytes:
    return framed(Apart([_pickled(result) for result in results]))


def _pickled(result: Any) -> bytes:
    try:
        return pickled(result)
    except Exception as error:  # noqa: BLE001 - whatever stands in its way
        return pickled(RuntimeError(f"the result cannot be sent: {type(error).__name__}"))


def spare_the_collector() -> None:
    """What is there now stays: no need to look through it again. Most else is freed without the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _portable(result: Any) -> Any:
    """An exception must survive the way, and say where it was raised."""
    if not isinstance(result, Exception):
        return result
    why = crash(result)
    try:
        copy = unpickled(pickled(result))
    except Exception:  # noqa: BLE001 - whatever stands in its way
        copy = RuntimeError(why["error"])
    copy.where = why["where"]  # for `crash` at the other end
    return copy


if __name__ == "__main__":
    main()
