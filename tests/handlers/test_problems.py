"""The last resort: what nobody foresaw shows nothing of itself, outside or in the log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import structlog
from aiohttp import web

from bridge.store.engine.committer import StoreUnavailable
from handlers.problems import problems
from handlers.server import Runner, origin_of
from tests.harness import free_port


async def crash(request: web.Request) -> web.Response:
    raise RuntimeError("Ada said: my card is 4111")


async def no_store(request: web.Request) -> web.Response:
    raise StoreUnavailable("disk full at /var/secret")


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"half")
    raise RuntimeError("in the middle")


@pytest.fixture
async def address() -> AsyncIterator[str]:
    app = web.Application(middlewares=[problems])
    for path, handler in (("/crash", crash), ("/store", no_store), ("/half", break_off)):
        app.router.add_get(path, handler)
    runner, port = Runner(app, access_log=None), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_crash_is_500_and_tells_only_where(address: str) -> None:
    """An error's own text may quote a customer: neither the caller nor the log gets it."""
    with structlog.testing.capture_logs() as lines:
        async with aiohttp.ClientSession() as session, session.get(f"{address}/crash?key=secret") as answer:
            assert (answer.status, answer.content_type) == (500, "application/problem+json")
            body = await answer.text()
    (line,) = [line for line in lines if line["event"] == "request.crashed"]
    assert (line["path"], line["error"]) == ("/crash", "RuntimeError")
    assert any(where.startswith("test_problems.py:") for where in line["where"])
    assert "4111" not in body + json.dumps(lines)
    assert "secret" not in json.dumps(lines)


async def test_failing_store_is_503_with_a_time(address: str) -> None:
    """Nothing was accepted, and when to try again; not why."""
    async with aiohttp.ClientSession() as session, session.get(f"{address}/store") as answer:
        assert (answer.status, int(answer.headers["Retry-After"])) == (503, 5)
        assert "disk" not in await answer.text()


async def test_answer_that_broke_off_is_not_followed_by_another(address: str) -> None:
    """The caller sees a broken answer, never half a file with a problem document in it."""
    async with aiohttp.ClientSession() as session, session.get(f"{address}/half") as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


def test_origin_is_written_as_browsers_write_it() -> None:
    """Scheme and host in lower case, the port where it is not the usual one, no path."""
    assert origin_of("https://Bridge.Example.com/base/") == "https://bridge.example.com"
    assert origin_of("https://bridge.example.com:443") == "https://bridge.example.com"
    assert origin_of("http://127.0.0.1:8080") == "http://127.0.0.1:8080"
