"""A whole bridge inside a test, and the customers who talk to it (a killable one: `tests.processes`).

async with Simulator() as sim, running(config(), sim) as bridge:
    status, answer = await bridge.event("conversation.requested", subject="ada", displayName="Ada L.")
    customer = bridge.customer(answer)
    await customer.say("hello")
    await eventually(lambda: sim.world.messages_to(AMY))
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import hashlib
import hmac
import inspect
import json
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp

from bridge import simulator as webex
from bridge.clock import SystemClock
from bridge.service.app import Service
from bridge.service.timekeeping import Reading
from bridge.simulator import Simulator
from bridge.store.engine.migrate import migrate
from bridge.store.engine.open import open_engine
from config.load import load
from config.settings import load_settings
from tests.customers import Customer

ROOT = Path(__file__).parents[1]
AMY, BO, CY = "amy@example.com", "bo@example.com", "cy@example.com"
SECRET = b"kiosk-secret-kiosk-secret-kiosk!"
SECRET_KEY = base64.urlsafe_b64encode(b"0" * 32).decode()
SMALLEST: dict[str, Any] = {
    "webex": {"poll_seconds": 1},
    "sources": {
        "kiosk": {
            "auth": {"scheme": "standard-webhooks", "secrets": ["env:KIOSK_SECRET"]},
            "idle_minutes": 0,  # a test that puts the clock forward means something else
        }
    },
    "agents": {"amy": {"email": AMY}},
    "teams": {"front-desk": {"timezone": "Europe/London", "agents": ["amy"]}},
    "routes": [{"team": "front-desk"}],
}


def config(**changes: Any) -> dict[str, Any]:
    """The smallest configuration (nothing ends by idleness) with `changes` merged into it.

    A list or a value replaces, None removes.
    """
    return _merged(deepcopy(SMALLEST), changes)


def _merged(into: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merged(into[name], value)
        elif value is None:
            into.pop(name, None)
        else:
            into[name] = value
    return into


async def eventually(condition: Callable[[], Any], within: float = 60, why: str = "") -> Any:
    """The first true value of `condition` (it may be async). AssertionError after `within` seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {within} s: {why or inspect.getsource(condition).strip()}")
        await asyncio.sleep(0.01)


class ShiftedClock(SystemClock):
    """The machine's clock, which a test can put forward; share it with `World(clock.now)`.

    `shift`: time itself has moved on, everywhere. `ahead`: this machine's time of day is wrong by so much, or was set.
    """

    def __init__(self, ahead: float = 0.0) -> None:
        self.shift = 0.0
        self.ahead = ahead

    def now(self) -> float:
        return super().now() + self.shift + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.shift


def free_port() -> int:
    """One that nobody has, outside the range that outgoing connections take theirs from.

    Every worker of the suite has ports of its own: between the look and the use another one could take it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PORT_RANGES
    first = 12_000 + worker * _PORTS
    for port in range(first, first + _PORTS):
        if port in _taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _taken.add(port)
        return port
    raise OSError("no free port")


_taken: set[int] = set()
_PORT_RANGES, _PORTS = 8, 2_500


@cache
def migrated_sqlite() -> Path:
    """A database as a first start makes it: made once, for that takes longer than most tests."""
    folder = tempfile.mkdtemp(prefix="bridge-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = open_engine(f"sqlite:///{folder}/bridge.db", writes=True)
    migrate(engine)
    engine.dispose()
    return Path(folder) / "bridge.db"


class TravellingService(Service):
    """A service whose database's clock moves on with everybody's."""

    async def database_clock(self) -> Reading:
        reading = await super().database_clock()
        shift = self.machine.shift if isinstance(self.machine, ShiftedClock) else 0.0
        return reading._replace(at=reading.at + shift)


class Bridge:
    """What both kinds of bridge have in common: an environment, a configuration file, an address."""

    def __init__(
        self,
        setup: str | Mapping[str, Any],
        sim: Simulator,
        folder: Path,
        *,
        database_url: str | None,
        public_url: bool,
        environ: Mapping[str, str] | None,
        clock: SystemClock | None,
    ) -> None:
        self.folder = folder
        self.sim = sim
        self.world = sim.world
        self.clock = clock or SystemClock()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.path = folder / "bridge.yaml"
        self.write(setup)
        if database_url is None:
            shutil.copy(migrated_sqlite(), folder / "bridge.db")
        self.environ = {
            "BRIDGE_CONFIG": str(self.path),
            "DATABASE_URL": database_url or f"sqlite:///{folder}/bridge.db",
            "BRIDGE_SECRET_KEY": SECRET_KEY,
            "KIOSK_SECRET": whsec(SECRET),
            "PORT": str(self.port),
            "WEBEX_API_URL": sim.url,
            "WEBEX_SERVICE_APP_CLIENT_ID": webex.CLIENT_ID,
            "WEBEX_SERVICE_APP_CLIENT_SECRET": webex.CLIENT_SECRET,
            "WEBEX_SERVICE_APP_REFRESH_TOKEN": webex.REFRESH_TOKEN,
            **({"PUBLIC_URL": self.url} if public_url else {}),
            **(environ or {}),
        }
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    def write(self, setup: str | Mapping[str, Any]) -> None:
        """Replaces the configuration file in one go, as an editor does."""
        text = setup if isinstance(setup, str) else json.dumps(setup)  # JSON is YAML
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.path)

    async def event(
        self,
        type: str = "conversation.requested",
        source: str = "kiosk",
        webhook_id: str | None = None,
        secret: bytes = SECRET,
        at: float | None = None,
        **data: Any,
    ) -> tuple[int, Any]:
        """Posts an event that was signed at `at`, or now by this machine's clock; (status, the answer's JSON)."""
        raw = json.dumps({"type": type, "data": data}).encode()
        headers = signed(raw, secret, self.clock.now() if at is None else at, webhook_id)
        async with self.session.post(f"{self.url}/v1/events/{source}", data=raw, headers=headers) as answer:
            return answer.status, {**await answer.json(), "headers": dict(answer.headers)}

    async def opened(self, subject: str = "ada", message: str | None = None, **data: Any) -> Customer:
        """A customer whose event was accepted."""
        more = {"message": message} if message is not None else {}
        status, answer = await self.event(subject=subject, **{"displayName": subject.title(), **more, **data})
        assert status == 202, answer
        return self.customer(answer)

    def customer(self, answer: Mapping[str, Any]) -> Customer:
        return Customer(self.session, self.url, answer["conversationId"], answer["conversationKey"])

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(self.url + path) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await (answer.json() if is_json else answer.text())

    async def ready(self) -> bool:
        try:
            return (await self.get("/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    def texts(self, agent: str = AMY) -> list[str]:
        """What the agent has received, oldest first."""
        return [message.get("text", "") for message in self.world.messages_to(agent)]

    def calls(self, path: str | None = None, method: str = "POST") -> list[tuple[str, str, int]]:
        """(method, path, status) of Webex's calls; without `path` all but the credential's own refresh."""
        every = [(call.method, call.path, call.status) for call in self.world.calls]
        if path is None:
            return [call for call in every if call[1] != "/v1/access_token"]
        return [call for call in every if call[0] == method and call[1] == f"/v1{path}"]


class RunningBridge(Bridge):
    """A Service in this process. `webex_timeout`: seconds that it waits for an answer of Webex."""

    service: Service
    webex_timeout = 20.0

    async def start(self) -> None:
        settings = load_settings(self.environ)
        loaded = load(self.path, self.environ)
        self.service = TravellingService(settings, loaded, self.clock, self.environ, self.webex_timeout)
        await self.service.start()

    async def stop(self) -> None:
        if hasattr(self, "service"):
            await self.service.stop()

    async def restart(self, **environ: str) -> None:
        """Stops and starts on the same database, with a changed environment if need be."""
        await self.stop()
        self.environ.update(environ)
        await self.start()

    async def advance(self, seconds: float) -> None:
        """Puts the clock forward, and has everything look at it. Needs a ShiftedClock."""
        assert isinstance(self.clock, ShiftedClock)
        # A lease must not run out under a worker only because we are in a hurry.
        await eventually(
            lambda: not any(pump.lanes or pump._claiming for pump in self.service.pumps.values())
        )
        self.clock.shift += seconds
        self.wake()

    def wake(self) -> None:
        self.service.intake.wake()
        for pump in self.service.pumps.values():
            pump.wake()

    async def reload(self, setup: str | Mapping[str, Any]) -> None:
        """Another configuration, in force at return."""
        before = self.service.live
        self.write(setup)
        await self.service.reloader.look()
        await eventually(lambda: self.service.live is not before)


@asynccontextmanager
async def running(
    setup: str | Mapping[str, Any],
    sim: Simulator,
    *,
    database_url: str | None = None,
    public_url: bool = False,
    environ: Mapping[str, str] | None = None,
    clock: SystemClock | None = None,
    wait_ready: bool = True,
    webex_timeout: float = 20.0,
) -> AsyncIterator[RunningBridge]:
    """A whole bridge in this process against `sim`; without `database_url` on an SQLite file of its own.

    `public_url`: whether Webex can reach it; without, replies are polled.
    """
    with tempfile.TemporaryDirectory(prefix="bridge-test-", ignore_cleanup_errors=True) as folder:
        bridge = RunningBridge(
            setup, sim, Path(folder), database_url=database_url, public_url=public_url, environ=environ, clock=clock
        )  # fmt: skip
        bridge.webex_timeout = webex_timeout
        try:
            await bridge.start()
            if wait_ready:
                await eventually(bridge.ready)
            yield bridge
        finally:
            await bridge.session.close()
            await bridge.stop()


def whsec(secret: bytes) -> str:
    """A secret as the configuration wants it."""
    return "whsec_" + base64.b64encode(secret).decode()


def signed(raw: bytes, secret: bytes, now: float, webhook_id: str | None = None) -> dict[str, str]:
    """The headers of a signed event, made without the product's own code."""
    ident, stamp = webhook_id or uuid.uuid4().hex, str(int(now))
    digest = hmac.new(secret, f"{ident}.{stamp}.".encode() + raw, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": ident,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
