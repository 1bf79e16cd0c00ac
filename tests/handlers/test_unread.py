"""Who asks and does not read the answer."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from handlers import server
from tests.harness import eventually

WHOLE = 64 * 1024 * 1024  # more than any system keeps for a connection


async def test_whoever_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is not kept for ever; who reads it has all of it."""
    monkeypatch.setattr(server, "UNREAD_SECONDS", 1.0)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=bytes(WHOLE))

    app = web.Application()
    app.router.add_get("/", answer)
    runner = server.Runner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        assert runner.server is not None
        (host, port), *_ = runner.addresses
        reading, asking = await asyncio.open_connection(host, port)
        asking.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await eventually(lambda: runner.server.connections, why="it is connected")
        await eventually(lambda: not runner.server.connections, why="it is cut off")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reading.readexactly(WHOLE)
        asking.close()

        monkeypatch.setattr(server, "UNREAD_SECONDS", 60.0)
        reading, asking = await asyncio.open_connection(host, port)
        asking.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert len(await reading.readexactly(WHOLE)) == WHOLE
        asking.close()
    finally:
        await runner.cleanup()
