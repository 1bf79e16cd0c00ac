"""Processor time for each event, process by process: steadier than events a second on a machine shared with others."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

from bench import postgres
from bench.load import Order, send
from bench.parts.door import CLOSED, bare
from bench.parts.end_to_end import ours, plain
from bench.processes import (
    Process,
    bridge,
    cpu_seconds_below,
    folder,
    free_port,
    running,
    simulator,
    write_config,
)
from bench.table import Shown, times

AT_ONCE = 64
_COLUMNS = ("service", "writer", "database", "simulator", "load")


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time; the first three are the measured one's own."""

    service: float
    writer: float
    database: float
    simulator: float
    load: float

    @property
    def own(self) -> float:
        return self.service + self.writer + self.database


def measure(quick: bool) -> list[Shown]:
    events = 2_000 if quick else 6_000
    return [_delivering(events), _acknowledging(2 * events)]


def _delivering(events: int) -> Shown:
    costs = {
        "plain aiohttp, inline, nothing kept": _cost(plain, events),
        "the least that is durable": _cost(least_durable, events),
        "bridge, SQLite": _cost(ours, events),
    }
    with contextlib.suppress(postgres.NoPostgres), postgres.server() as server:
        costs["bridge, PostgreSQL"] = _cost(_on(server), events, server=server)
    return _shown("Processor time for each event, from the door to the agent", costs)


def _acknowledging(events: int) -> Shown:
    costs = {
        "bare aiohttp, nothing stored": _cost(lambda where, api: bare(where), events, delivered=False),
        "bridge, only storing (team closed)": _cost(closed, events, delivered=False),
    }
    return _shown("Processor time for each event acknowledged", costs)


def _shown(title: str, costs: dict[str, Cost]) -> Shown:
    shown = Shown(
        f"{title}, {AT_ONCE} at once, every event a new customer",
        ("who", *_COLUMNS, "own", "ratio"),
        note="own: service, writer and database; ratio: to the first line's own",
    )
    first = next(iter(costs.values())).own
    for who, cost in costs.items():
        cells = [f"{seconds * 1e6:,.0f} us" if seconds else "-" for seconds in (*astuple(cost), cost.own)]
        shown.add(who, *cells, times(cost.own / first))
    return shown


def least_durable(where: Path, api: str) -> Process:
    port = free_port()
    command = [sys.executable, "-m", "bench.peers.least_durable", str(port), api, str(where / "least.db")]
    return Process("least durable", command, f"http://127.0.0.1:{port}", where / "least.log")


def closed(where: Path, api: str) -> Process:
    write_config(where, more=CLOSED)
    return bridge(where, api)


def _on(server: postgres.Server) -> Callable[[Path, str], Process]:
    def make(where: Path, api: str) -> Process:
        write_config(where)
        return bridge(where, api, database=server.new_database())

    return make


def _cost(
    make: Callable[[Path, str], Process],
    events: int,
    *,
    server: postgres.Server | None = None,
    delivered: bool = True,
) -> Cost:
    """Of one peer at a simulator of its own, after a tenth as many events that warm it up."""
    with (
        folder() as where,
        running(simulator(where)) as sim,
        running(make(where, f"{sim.url}/v1")) as process,
    ):
        port = int(process.url.rpartition(":")[2])
        feed: int | None = sim.feed if delivered else None  # type: ignore[attr-defined]
        send(Order(port, events // 10, AT_ONCE, feed=feed, first=1_000_000))
        before = _so_far(process, sim, server)
        send(Order(port, events, AT_ONCE, feed=feed))
        after = _so_far(process, sim, server)
    return Cost(
        *((late - early) / events for early, late in zip(astuple(before), astuple(after), strict=True))
    )


def _so_far(process: Process, sim: Process, server: postgres.Server | None) -> Cost:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(
        service=process.cpu_seconds(),
        writer=cpu_seconds_below(process.pid),
        database=cpu_seconds_below(server.pid) if server else 0.0,
        simulator=sim.cpu_seconds(),
        load=ended.ru_utime + ended.ru_stime,
    )
