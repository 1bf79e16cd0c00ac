"""The simulated Webex as an aiohttp application, and as a server for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Final

from aiohttp import web

from bridge.simulator import (
    api_files,
    api_messages,
    api_people,
    api_tokens,
    api_webhooks,
    control,
    inbox,
    socket,
)
from bridge.simulator.ask import Ask
from bridge.simulator.model import Refusal
from bridge.simulator.pipeline import CLOSING, Handler, door
from bridge.simulator.postman import Postman
from bridge.simulator.world import World

SOCKETS = web.AppKey("sockets", socket.Sockets)


async def _unknown(ask: Ask) -> web.Response:
    raise Refusal(404, "The requested resource could not be found.")


API: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("POST", "/guests/token", api_tokens.mint_guest),
    ("GET", "/guests/count", api_tokens.count_guests),
    ("POST", "/access_token", api_tokens.refresh),
    ("GET", "/authorizations/tokenExpiry", api_tokens.expiry),
    ("POST", "/jwt/login", api_tokens.jwt_login),
    ("POST", "/messages", api_messages.create),
    ("GET", "/messages", api_messages.listing),
    ("GET", "/messages/direct", api_messages.direct),
    ("GET", "/messages/{id}", api_messages.get),
    ("PUT", "/messages/{id}", api_messages.change),
    ("DELETE", "/messages/{id}", api_messages.remove),
    ("GET", "/contents/{id}", api_files.content),
    ("HEAD", "/contents/{id}", api_files.content),
    ("GET", "/people", api_people.search),
    ("GET", "/people/me", api_people.me),
    ("GET", "/people/{id}", api_people.one),
    ("GET", "/licenses", api_people.licenses),
    ("GET", "/licenses/{id}", api_people.license),
    ("GET", "/rooms", api_people.rooms),
    ("GET", "/rooms/{id}", api_people.room),
    ("GET", "/memberships", api_people.memberships),
    ("GET", "/memberships/{id}", api_people.membership),
    ("POST", "/webhooks", api_webhooks.create),
    ("GET", "/webhooks", api_webhooks.listing),
    ("GET", "/webhooks/{id}", api_webhooks.get),
    ("PUT", "/webhooks/{id}", api_webhooks.change),
    ("DELETE", "/webhooks/{id}", api_webhooks.remove),
    ("POST", "/attachment/actions", api_messages.press),
    ("GET", "/attachment/actions/{id}", api_messages.action),
    ("*", "/{rest:.*}", _unknown),
)


def make_app(world: World) -> web.Application:
    """The API under /v1, the controls under /_sim/, the agents' page at /agent. It sends webhooks too."""
    app = web.Application(client_max_size=world.max_file_bytes + 1024 * 1024)
    app[CLOSING] = asyncio.Event()
    for method, path, handler in API:
        enter = door(world, handler)
        app.router.add_route(method, f"/v1{path}", enter)
        if method != "*":
            app.router.add_route(method, f"/v1{path}/", enter)
    control.add_routes(app, world)
    inbox.add_routes(app, world)
    world.teller = sockets = socket.add_routes(app, world)
    app[SOCKETS] = sockets

    async def stop(_: web.Application) -> None:
        app[CLOSING].set()
        await sockets.close()
        world.touch()

    async def carry(_: web.Application) -> AsyncIterator[None]:
        postman = Postman(world, world.chance)
        world.carrier = postman
        app[api_messages.SESSION] = postman.session
        yield
        world.carrier = None
        await postman.close()

    app.on_shutdown.append(stop)
    app.cleanup_ctx.append(carry)
    return app


class Simulator:
    """A server of one world: `async with Simulator() as sim`, then `sim.url` is the API's address.

    `sockets` are its websockets.
    """

    def __init__(self, world: World | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world if world is not None else World()
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None

    @property
    def root(self) -> str:
        """`http://host:port`, without a trailing slash."""
        return self.world.root

    @property
    def url(self) -> str:
        """What to use for https://webexapis.com/v1; no trailing slash."""
        return f"{self.world.root}/v1"

    async def __aenter__(self) -> Simulator:
        app = make_app(self.world)
        self.sockets = app[SOCKETS]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, backlog=1024).start()
        except OSError:
            await self._runner.cleanup()
            raise
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.world.root = f"http://{host}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
