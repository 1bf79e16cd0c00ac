"""What is no proper HTTP, or no address of ours: always a problem document, never a crash."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
import structlog

from handlers import reading
from handlers.routes import ROUTES
from tests.handlers.conftest import read_answer
from tests.harness import RunningBridge

HOST = b"Host: bridge\r\n"
MALFORMED = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no version": b"BLAH\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00",
    "long path": b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "long header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 10_000 + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 500 + b"\r\n",
    "nul in a header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Authorization: Bearer \x00key\r\n\r\n",
    "two lengths": b"POST /v1/events/kiosk HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "negative length": b"POST /v1/events/kiosk HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\n",
    "endless length": b"POST /v1/events/kiosk HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: "
    + b"9" * 30
    + b"\r\n\r\n",
    "no chunk size": b"POST /v1/events/kiosk HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    "chunk too long": b"POST /v1/events/kiosk HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n",
    "bytes in the path": b"POST /v1/events/k\xff HTTP/1.1\r\n" + HOST + b"\r\n",
}
ODD = {
    "unknown expectation": (417, b"GET /healthz HTTP/1.1\r\n" + HOST + b"Expect: nonsense\r\n\r\n"),
    "the same at no address": (417, b"GET /nope HTTP/1.1\r\n" + HOST + b"Expect: nonsense\r\n\r\n"),
    "asterisk": (404, b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "connect": (404, b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "trace": (405, b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n"),
    "bad escapes": (404, b"POST /v1/events/%zz%ff%00 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "dots": (404, b"GET /pages/static/..%2f..%2fkiosk.html HTTP/1.1\r\n" + HOST + b"\r\n"),
    "odd id": (401, b"GET /v1/conversations/%ff%00%ED%A0%80 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "odd key": (401, b"GET /v1/conversations/a/stream?key=%ED%A0%80%00 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "bytes in the key": (401, b"GET /v1/conversations/a HTTP/1.1\r\n" + HOST + b"Authorization: Bearer \xff\r\n\r\n"),
    "bytes in the origin": (401, b"GET /v1/conversations/a HTTP/1.1\r\n" + HOST + b"Origin: \xff\r\n\r\n"),
    "bytes in the signature": (
        401,
        b"POST /v1/events/kiosk HTTP/1.1\r\n" + HOST + b"webhook-id: \xff\r\nwebhook-timestamp: \xff\r\n"
        b"webhook-signature: v1,\xff\r\nContent-Length: 2\r\n\r\n{}",
    ),
    "bytes in webex's signature": (
        401, b"POST /webex/webhooks HTTP/1.1\r\n" + HOST + b"X-Spark-Signature: \xff\r\nContent-Length: 2\r\n\r\n{}"
    ),
}  # fmt: skip


def is_problem(status: int, headers: dict[str, str], body: bytes) -> bool:
    document = json.loads(body)
    members = {"type", "title", "status", "detail"}
    return headers["content-type"] == "application/problem+json" and members <= set(document) and (
        document["status"] == status
    )  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_request_is_a_problem_document(raw, name: str) -> None:
    """What aiohttp cannot parse is answered as everything else is."""
    status, headers, body = await raw(MALFORMED[name])
    assert status == 400
    assert is_problem(status, headers, body)


@pytest.mark.parametrize("name", ODD)
async def test_odd_request_is_a_problem_document(raw, name: str) -> None:
    """Well-formed HTTP that makes no sense gets the status that says why."""
    expected, data = ODD[name]
    status, headers, body = await raw(data)
    assert status == expected
    assert is_problem(status, headers, body)


async def test_malformed_bytes_are_not_logged(raw, caplog: pytest.LogCaptureFixture) -> None:
    """A header that cannot be read may be somebody's key: no log line quotes it."""
    with structlog.testing.capture_logs() as lines, caplog.at_level(logging.DEBUG):
        await raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x00s3cret-key\r\n\r\n")
    assert "request.malformed" in {line["event"] for line in lines}
    assert "s3cret" not in f"{lines}{caplog.text}"


@pytest.mark.parametrize("path", sorted({path for _, path, _ in ROUTES}))
async def test_method_that_an_address_lacks_is_405_with_allow(bridge: RunningBridge, path: str) -> None:
    """Allow names every method the address takes."""
    address = bridge.url + path.replace("{source}", "kiosk").replace("{id}", "a").replace("{file}", "b")
    async with bridge.session.request("DELETE", address) as answer:
        assert answer.status == 405
        assert answer.content_type == "application/problem+json"
        allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
    assert {method for method, other, _ in ROUTES if other == path} <= allowed
    assert "DELETE" not in allowed


async def test_connection_goes_on_after_a_refusal(bridge: RunningBridge) -> None:
    """A 4xx does not cost the caller their connection; pipelined requests are answered in order."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    post = b"POST /v1/events/kiosk HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    writer.write(
        post + b"GET /nope HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    async with asyncio.timeout(60):
        assert [(await read_answer(reader))[0] for _ in range(3)] == [401, 404, 200]
    writer.close()


async def test_expected_continue_is_met(bridge: RunningBridge) -> None:
    """A caller that waits for 100 before its body gets it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    writer.write(
        b"POST /v1/events/kiosk HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    async with asyncio.timeout(60):
        assert (await read_answer(reader))[0] == 100
        writer.write(b"{}")
        assert (await read_answer(reader))[0] == 401
    writer.close()


async def test_body_that_comes_too_slowly_is_given_up(raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that promises a body and sends nothing is answered 408 and let go."""
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.1)
    for path in (b"/v1/events/kiosk", b"/v1/pages/lobby", b"/webex/webhooks"):
        status, headers, body = await raw(
            b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        )
        assert status == 408
        assert is_problem(status, headers, body)
        assert headers["connection"] == "close"


async def test_head_answers_as_get_without_a_body(bridge: RunningBridge) -> None:
    """Monitors ask with HEAD."""
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        async with bridge.session.head(bridge.url + path) as answer:
            assert answer.status == 200
            assert await answer.read() == b""


async def test_caller_who_leaves_in_the_middle_is_no_crash(bridge: RunningBridge) -> None:
    """A connection that breaks off within its body is noted nowhere as our fault."""
    with structlog.testing.capture_logs() as lines:
        _, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
        writer.write(b"POST /v1/events/kiosk HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()
        assert (await bridge.get("/healthz"))[0] == 200
    assert not [line for line in lines if line["log_level"] in ("error", "warning")]
