"""A whole service behind the doors, with one source of each kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bridge.simulator import Simulator, World
from tests.harness import RunningBridge, ShiftedClock, config, running

SHOP, OTHER_SHOP, STRANGER = (
    "https://shop.example.com",
    "https://other.example.com",
    "https://evil.example.com",
)
SETUP = config(
    sources={
        "kiosk": {"origins": [SHOP]},
        "form": {"auth": {"secrets": ["env:KIOSK_SECRET"]}, "rate_per_minute": 3, "rename": "refuse"},
        "lobby": {"auth": {"scheme": "page"}, "origins": [OTHER_SHOP]},
    }
)


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def bridge(clock: ShiftedClock) -> AsyncIterator[RunningBridge]:
    async with Simulator(World(clock.now)) as sim, running(SETUP, sim, clock=clock) as started:
        yield started


@pytest.fixture
def raw(bridge: RunningBridge) -> Callable[[bytes], Awaitable[tuple[int, dict[str, str], bytes]]]:
    """Sends bytes as they are; (status, headers in lower case, body) of the first answer."""

    async def send(data: bytes) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
            try:
                writer.write(data)
                await writer.drain()
                return await read_answer(reader)
            finally:
                writer.close()

    return send


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers: dict[str, Any] = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(head[0].split(" ")[1]), headers, body
