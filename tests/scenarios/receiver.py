"""A form's server that takes news, and a configuration that sends it there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from tests.harness import config, free_port, whsec

HOOK_SECRET = b"hook-secret-hook-secret-hook-sec"


class Receiver:
    """A form's server. `answers`: the statuses of its next answers, then 200 for ever."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.requested: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.clock_shift = 0.0
        self.held: asyncio.Event | None = None  # while there is one that is not set, no call is answered
        self.here = self.most = 0  # calls under way, now and at most
        self.cookies: list[str] = []
        self.endless = False  # the answer's body never ends

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            if self.held:
                await self.held.wait()
            return await self._take(request)
        finally:
            self.here -= 1

    async def _take(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.cookies += request.headers.getall("Cookie", ())
        if not self.clock_shift:
            Webhook(whsec(HOOK_SECRET)).verify(raw, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        self.requested.append(dict(request.headers))
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.taken.append(json.loads(raw))
        if self.endless:
            await self._pour(request)
        return web.Response(status=status, headers=self.headers)

    async def _pour(self, request: web.Request) -> None:
        """Until nobody wants it any more."""
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))

    @property
    def types(self) -> list[str]:
        return [news["type"] for news in self.taken]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", receiver.port).start()
    try:
        yield receiver
    finally:
        await runner.cleanup()


def setup(receiver: Receiver, **callback: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{receiver.port}/hook"
    whole = {"url": url, "secret": "env:HOOK", "allow_private": True, **callback}
    return config(sources={"kiosk": {"callback": whole}})


ENVIRON = {"HOOK": whsec(HOOK_SECRET)}
