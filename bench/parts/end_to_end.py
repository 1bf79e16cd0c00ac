"""From the event to the message at the agent, against the job done the usual ways, at one simulator."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from bench.load import Order, Result, send
from bench.processes import (
    Process,
    bridge,
    folder,
    free_port,
    running,
    simulator,
    webex_environment,
    write_config,
)
from bench.table import Shown, ms, rate, times

LATENCIES = (0.0, 0.05)
CONNECTIONS = (1, 64, 512)


def flask(where: Path, api: str) -> Process:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-w", "2", "--threads", "8", "-b", f"127.0.0.1:{port}",
               "--backlog", "2048", "--log-level", "error", "bench.peers.flask_app:app"]  # fmt: skip
    return Process("flask", command, f"http://127.0.0.1:{port}", where / "flask.log", webex_environment(api))


def plain(where: Path, api: str) -> Process:
    port = free_port()
    command = [sys.executable, "-m", "bench.peers.plain_aiohttp", str(port), api]
    return Process("plain", command, f"http://127.0.0.1:{port}", where / "plain.log")


def ours(where: Path, api: str) -> Process:
    write_config(where)
    return bridge(where, api)


PEERS: tuple[tuple[str, Callable[[Path, str], Process]], ...] = (
    ("Flask + gunicorn 2x8 + webexteamssdk", flask),
    ("plain aiohttp, inline", plain),
    ("bridge (durable, exactly once)", ours),
)


def measure(quick: bool) -> list[Shown]:
    return [_at(latency, quick) for latency in LATENCIES]


def _at(latency: float, quick: bool) -> Shown:
    shown = Shown(
        f"Events end to end, Webex answers in {latency * 1000:.0f} ms, every event a new customer",
        ("who", "at once", "events/s", "p50", "p99", "to Flask", "to plain"),
        note="p50, p99: from sending the event to its message at the agent",
    )
    found: dict[tuple[str, int], Result] = {}
    for name, make in PEERS:
        with (
            folder() as where,
            running(simulator(where, latency)) as sim,
            running(make(where, f"{sim.url}/v1")) as process,
        ):
            for connections in CONNECTIONS:
                found[name, connections] = _run(process, sim, connections, latency, quick)
    for connections in CONNECTIONS:
        for name, _ in PEERS:
            result = found[name, connections]
            ratios = [times(result.per_second / found[peer, connections].per_second) for peer, _ in PEERS[:2]]
            shown.add(
                name,
                connections,
                rate(result.per_second),
                ms(result.to_agent_p50),
                ms(result.to_agent_p99),
                *ratios,
            )
    return shown


def _run(process: Process, sim: Process, connections: int, latency: float, quick: bool) -> Result:
    """Enough events for some seconds; the first ones warm the connections up."""
    events = {1: 100, 64: 1_200, 512: 3_000}[connections] // (3 if quick else 1)
    if latency and connections == 1:
        events //= 2
    port = int(process.url.rpartition(":")[2])
    feed: int = sim.feed  # type: ignore[attr-defined]
    base = connections * 1_000_000
    send(Order(port, max(20, events // 10), connections, feed=feed, first=base + 500_000))
    return send(Order(port, events, connections, feed=feed, first=base))
