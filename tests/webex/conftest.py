from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from bridge.webex.client import WebexClient
from tests.webex.clock import HandClock
from tests.webex.wire_fakes import WireFakes

BASE = "https://webex.test/v1"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def client(session: aiohttp.ClientSession, clock: HandClock) -> WebexClient:
    """A client of a Webex that exists only in `wire`."""
    return WebexClient(BASE, session, clock)


@pytest.fixture
def wire() -> Iterator[WireFakes]:
    with WireFakes() as fakes:
        yield fakes
