"""A running simulator on a clock that only the test moves, and a small client of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web

from bridge.simulator import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Simulator, World


class Clock:
    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


class Answer(NamedTuple):
    status: int
    headers: Any
    body: Any


class Client:
    """Calls with one token, or none."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        self.session, self.url, self.token = session, url, token

    def as_(self, token: str | None) -> Client:
        return Client(self.session, self.url, token)

    async def __call__(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        url = path if path.startswith("http") else self.url + path
        async with self.session.request(method, url, headers=headers, **options) as answer:
            is_json = "json" in answer.content_type
            return Answer(
                answer.status,
                answer.headers,
                await (answer.json() if is_json else answer.text(errors="replace")),
            )

    async def refresh(self, **changed: Any) -> Answer:
        fields = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return await self("POST", "/access_token", data={**fields, "refresh_token": REFRESH_TOKEN, **changed})

    async def mint(self, subject: str = "ada", name: str = "Ada L.") -> Answer:
        return await self("POST", "/guests/token", json={"subject": subject, "displayName": name})

    async def guest(self, subject: str = "ada", name: str = "Ada L.") -> Client:
        return self.as_((await self.mint(subject, name)).body["accessToken"])

    async def write(self, text: str = "hello", to: str = "amy@example.com", **more: Any) -> Answer:
        return await self("POST", "/messages", json={"toPersonEmail": to, "text": text, **more})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(clock)


@pytest.fixture
async def sim(world: World) -> AsyncIterator[Simulator]:
    async with Simulator(world) as simulator:
        yield simulator


@pytest.fixture
async def nobody(sim: Simulator) -> AsyncIterator[Client]:
    """A client without a token."""
    async with aiohttp.ClientSession() as session:
        yield Client(session, sim.url)


@pytest.fixture
async def app(nobody: Client) -> Client:
    """The Service App."""
    return nobody.as_((await nobody.refresh()).body["access_token"])


@pytest.fixture
async def ada(app: Client) -> Client:
    """A guest."""
    return await app.guest()


@pytest.fixture
def amy(nobody: Client) -> Client:
    """An agent."""
    return nobody.as_("sim-token-amy@example.com")


class Receiver:
    """Takes webhooks: keeps what came and answers `status`."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, bytes]] = []
        self.status = 200
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers, await request.read()))
        return web.Response(status=self.status)

    async def until(self, count: int) -> None:
        await until(lambda: len(self.got) >= count)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    taker = Receiver()
    server = web.Application()
    server.router.add_post("/hook", taker.take)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taker.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield taker
    await runner.cleanup()


async def until(true: Callable[[], bool]) -> None:
    """Waits for a condition, ten seconds at most."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - any condition, not only ones that tell
            await asyncio.sleep(0.005)


@pytest.fixture(name="until")
def until_() -> Callable[[Callable[[], bool]], Any]:
    return until
