"""The process of the store's writer: `python -m bridge.writing FD`, started by bridge.store.process_lane."""

from __future__ import annotations

import gc
import pickle
import signal
import socket
import sys
from dataclasses import dataclass
from typing import Any

import structlog

from bridge import logs
from bridge.domain.errors import crash
from bridge.store.committer import Committer
from bridge.store.engine import open_engine
from bridge.store.process_lane import framed, read_frame


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
        begin: Begin = read_frame(stream)
        logs.configure(begin.log_format, begin.log_level)
        committer = Committer(open_engine(begin.database_url, writes=True, pool=2))
        spare_the_collector()
        try:
            while True:
                results = committer.commit(read_frame(stream))
                service.sendall(framed([_portable(result) for result in results]))
        finally:
            committer.hang_up()


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
        copy = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever stands in its way
        copy = RuntimeError(why["error"])
    copy.where = why["where"]  # for `crash` at the other end
    return copy


if __name__ == "__main__":
    main()
