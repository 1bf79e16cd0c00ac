"""The server under the doors: what aiohttp itself refuses is a problem document too.

aiohttp answers a malformed request in plain text, and logs the bytes that it could not read: they may be a
customer's key. Here neither happens. For whoever does not read an answer it waits for ever; here, a minute.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from handlers.problems import Handler, Problem, problems

UNREAD_SECONDS = (
    60.0  # whoever takes nothing of an answer for so long is cut off: it is kept in memory meanwhile
)


class _Protocol(web.RequestHandler):
    __slots__ = ("_unread",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_again()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look_no_more()

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._look_no_more()

    def _look_again(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            left = transport.get_write_buffer_size()
            loop = asyncio.get_running_loop()
            self._unread = loop.call_later(UNREAD_SECONDS, self._look, transport, left)

    def _look(self, transport: Any, left: int) -> None:
        if transport.get_write_buffer_size() < left:
            self._look_again()
        else:
            transport.abort()

    def _look_no_more(self) -> None:
        if self._unread:
            self._unread.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        self.log_exception(exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer had begun, another one cannot follow")
        response = Problem(status, "This is no HTTP request that can be read.").response()
        response.force_close()
        return response

    def log_exception(self, *_: Any, **fields: Any) -> None:
        error = fields.get("exc_info")
        structlog.get_logger().info("request.malformed", error=type(error).__name__)


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """An AppRunner whose every 4xx and 5xx is application/problem+json, whatever refused the request."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        loop = asyncio.get_running_loop()
        inner: Any = made.request_handler
        factory = made.request_factory
        return _Server(_guarded(inner), request_factory=factory, loop=loop, **made._kwargs)


def _guarded(inner: Handler) -> Any:
    """What aiohttp refuses before any middleware runs (an unknown Expect) passes through here."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await problems(request, inner)

    return handle


def origin_of(address: str) -> str:
    """The web origin of an address, as browsers write it."""
    parts = urlsplit(address)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc}".lower().removesuffix(usual)


def own_origins(public_url: str | None, host: str, port: int) -> frozenset[str]:
    """The web origins of our own pages: PUBLIC_URL's, or without one those of HOST and of this machine, at our port.

    What a request says of itself (`Host`) is no evidence: somebody else's page can make it equal to its origin.
    """
    own = origin_of(public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}")
    parts = urlsplit(own)
    if public_url and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return frozenset({own})
    at = f":{parts.port}" if parts.port else ""
    # This machine has several names, and its pages may be opened under each.
    return frozenset({own, *(f"{parts.scheme}://{name}{at}" for name in ("localhost", "127.0.0.1", "[::1]"))})
