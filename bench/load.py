"""The load: signed events over keep-alive connections, as lean as Python allows, in its own process.

    python -m bench.load < order.json > result.json

Requests are signed and written out before the clock starts, so that the generator is not what is measured.
An event is done when its answer came and, where the order names a feed, when its message is at the agent; then
its connection sends the next one. So `connections` is how many events are under way end to end, for everybody
alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from bench.processes import SECRET
from bridge.domain.signing import sign


@dataclass
class Order:
    """`feed`: the simulator's feed port, or None to count answers alone. `first`: number of the first event."""

    port: int
    events: int
    connections: int
    path: str = "/v1/events/kiosk"
    feed: int | None = None
    first: int = 0
    customers: int | None = None  # None: every event is a new customer
    seconds: float = 120.0  # give up after


@dataclass
class Result:
    """Seconds; `to_agent` is from sending an event to its message at the agent."""

    answered: int
    delivered: int
    refused: int
    seconds: float
    per_second: float
    answer_p50: float
    answer_p99: float
    to_agent_p50: float | None
    to_agent_p99: float | None


def request(order: Order, number: int, now: int) -> bytes:
    """One signed event: the message begins with its number."""
    customer = number if order.customers is None else number % order.customers
    data = {
        "subject": f"loyalty-{customer}",
        "displayName": "Ada L.",
        "message": f"{number} my order 5512 arrived broken, and I would like to send it back",
        "store": "S12",
        "topic": "returns",
        "language": "en",
    }
    body = json.dumps(
        {"type": "conversation.requested", "timestamp": "2026-11-22T10:15:00Z", "data": data}
    ).encode()
    ident = f"evt-{number}"
    return (
        f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\nContent-Type: application/json\r\n"
        f"webhook-id: {ident}\r\nwebhook-timestamp: {now}\r\n"
        f"webhook-signature: {sign(SECRET, ident, now, body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Run:
    """The events of one order and what became of them."""

    def __init__(self, order: Order) -> None:
        self.order = order
        now = int(time.time())
        self.requests = [request(order, order.first + number, now) for number in range(order.events)]
        self.sent = [0.0] * order.events
        self.answered = [0.0] * order.events
        self.arrived = [0.0] * order.events
        self.by: dict[int, Client] = {}
        self.next = 0
        self.done = 0
        self.refused = 0
        self.finished = asyncio.Event()

    def take(self, client: Client) -> int | None:
        if self.next >= self.order.events:
            return None
        number, self.next = self.next, self.next + 1
        self.by[number] = client
        self.sent[number] = time.perf_counter()
        return number

    def answer(self, number: int, status: int) -> None:
        self.answered[number] = time.perf_counter()
        if not 200 <= status < 300:
            self.refused += 1
            self.arrived[number] = -1.0
        self._settled(number)

    def arrival(self, number: int) -> None:
        number -= self.order.first
        if 0 <= number < self.order.events and not self.arrived[number]:
            self.arrived[number] = time.perf_counter()
            self._settled(number)

    def _settled(self, number: int) -> None:
        if self.answered[number] and (self.order.feed is None or self.arrived[number]):
            self.done += 1
            if self.done == self.order.events:
                self.finished.set()
            self.by.pop(number).send()

    def result(self, seconds: float) -> Result:
        answers = sorted(b - a for a, b in zip(self.sent, self.answered, strict=True) if b)
        trips = sorted(b - a for a, b in zip(self.sent, self.arrived, strict=True) if b > 0)
        return Result(
            answered=len(answers),
            delivered=len(trips),
            refused=self.refused,
            seconds=seconds,
            per_second=self.done / seconds,
            answer_p50=at(answers, 0.5) or 0.0,
            answer_p99=at(answers, 0.99) or 0.0,
            to_agent_p50=at(trips, 0.5),
            to_agent_p99=at(trips, 0.99),
        )


def at(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


class Client(asyncio.Protocol):
    """One keep-alive connection with one event under way."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._number: int | None = None
        self._waiting = False
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if self._waiting:
            self._waiting = False
            self.send()
        elif self._number is not None:  # reconnected: the server closed an idle connection under our request
            transport.write(self._run.requests[self._number])

    def send(self) -> None:
        if self._transport.is_closing():
            self._waiting = True
            return
        number = self._run.take(self)
        if number is not None:
            self._number = number
            self._transport.write(self._run.requests[number])

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or len(buffer) < end + 4 + _length(buffer[:end]):
            self._buffer = buffer
            return
        self._buffer = b""
        number, self._number = self._number, None
        if b"onnection: close" in buffer[:end]:
            self._transport.close()
        if number is not None:
            self._run.answer(number, int(buffer[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self._buffer = b""
        if not self._run.finished.is_set():
            loop = asyncio.get_running_loop()
            self._again = loop.create_task(
                loop.create_connection(lambda: self, "127.0.0.1", self._run.order.port)
            )


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


async def _watch(run: Run, reader: asyncio.StreamReader) -> None:
    while line := await reader.readline():
        with contextlib.suppress(ValueError):
            run.arrival(int(line))


async def perform(order: Order) -> Result:
    run = Run(order)
    loop = asyncio.get_running_loop()
    watching = None
    if order.feed is not None:
        reader, feed = await asyncio.open_connection("127.0.0.1", order.feed)
        watching = asyncio.create_task(_watch(run, reader))
    count = min(order.connections, order.events)
    clients: list[Client] = []
    started = time.perf_counter()
    for _ in range(count):
        _, client = await loop.create_connection(lambda: Client(run), "127.0.0.1", order.port)
        clients.append(client)
        client.send()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(run.finished.wait(), order.seconds)
    seconds = time.perf_counter() - started
    run.finished.set()
    if watching:
        watching.cancel()
        feed.close()
    return run.result(seconds)


def send(order: Order) -> Result:
    """Runs an order in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(order)).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    return Result(**json.loads(done.stdout))


def main() -> None:
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    order = Order(**json.load(sys.stdin))
    json.dump(asdict(asyncio.run(perform(order))), sys.stdout)


if __name__ == "__main__":
    main()
