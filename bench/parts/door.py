"""Durable acknowledgements a second (SQLite, synchronous=FULL) against a bare aiohttp handler that stores nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.load import Order, Result, send
from bench.processes import Process, bridge, folder, free_port, running, simulator, write_config
from bench.table import Shown, ms, rate, times

CLIENTS = 64
# Events only queue: the door alone.
CLOSED = ', hours: ["mon 00:00-00:01"]'


def bare(where: Path) -> Process:
    port = free_port()
    command = [sys.executable, "-m", "bench.peers.bare_aiohttp", str(port)]
    return Process("bare aiohttp", command, f"http://127.0.0.1:{port}", where / "bare.log")


def measure(quick: bool) -> Shown:
    events = 4_000 if quick else 20_000
    shown = Shown(
        f"Acknowledged events, {CLIENTS} clients, every event a new customer",
        ("who", "events/s", "p50", "p99", "ratio"),
        note="ratio: to the bare handler, which checks the same signature and stores nothing",
    )
    with folder() as where, running(bare(where)) as process:
        send(_order(process, events // 4, 1_000_000))
        ceiling = send(_order(process, events, 0))
    shown.add("bare aiohttp, nothing stored", *_cells(ceiling, ceiling))
    for name, more in (("bridge, only storing (team closed)", CLOSED), ("bridge, delivering meanwhile", "")):
        shown.add(name, *_cells(_bridge(events, more), ceiling))
    return shown


def _bridge(events: int, more: str) -> Result:
    with folder() as where:
        write_config(where, more=more)
        with running(simulator(where)) as sim, running(bridge(where, f"{sim.url}/v1")) as process:
            send(_order(process, events // 4, 1_000_000))
            return send(_order(process, events, 0))


def _order(process: Process, events: int, first: int) -> Order:
    return Order(int(process.url.rpartition(":")[2]), events, CLIENTS, first=first)


def _cells(result: Result, ceiling: Result) -> tuple[str, ...]:
    ratio = result.per_second / ceiling.per_second
    return rate(result.per_second), ms(result.answer_p50), ms(result.answer_p99), times(ratio)
