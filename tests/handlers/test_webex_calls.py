"""POST /webex/webhooks: signed or not at all, and no payload of any kind is a crash."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.simulator import Simulator
from tests.harness import RunningBridge, config, running

SECRET = "what-webex-signs-with"  # a secret of this test alone


@pytest.fixture
async def hooked() -> AsyncIterator[RunningBridge]:
    environ = {"WEBEX_WEBHOOK_SECRET": SECRET}
    async with Simulator() as sim, running(config(), sim, environ=environ) as bridge:
        yield bridge


def mac(body: bytes, digest: Any = hashlib.sha1) -> str:
    return hmac.new(SECRET.encode(), body, digest).hexdigest()


async def call(bridge: RunningBridge, body: bytes, **headers: str) -> int:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with bridge.session.post(f"{bridge.url}/webex/webhooks", data=body, headers=given) as answer:
        assert answer.status < 400 or answer.content_type == "application/problem+json"
        return answer.status


async def test_signature_is_checked_before_anything_is_read(hooked: RunningBridge) -> None:
    """401 for whatever does not sign the raw bytes; no signature, no look at the body."""
    body = b'{"id": "1"}'
    for wrong in ("", "nonsense", mac(b"other"), mac(body)[:-1], "0" * 40, "é", mac(body, hashlib.sha256)):
        assert await call(hooked, body, X_Spark_Signature=wrong) == 401
    assert await call(hooked, b"{") == 401
    assert await call(hooked, body.replace(b" ", b""), X_Spark_Signature=mac(body)) == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"\xff\xfe",
        b"[" * 30_000,
        b'{"data": 5}',
        b'{"data": {"id": 5}}',
        b'{"name": 5}',
        b'{"id": "a", "name": "b", "resource": "messages", "event": "created", "data": {"id": "\\u0000"}}',
        b'{"id": "a", "name": "b", "resource": "messages", "event": "created", "data": {"id": "'
        + b"x" * 9999
        + b'"}}',
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_signed_nonsense_is_400(hooked: RunningBridge, body: bytes) -> None:
    """A problem document, and nothing is stored."""
    assert await call(hooked, body, X_Spark_Signature=mac(body)) == 400


async def test_large_body_is_413(hooked: RunningBridge) -> None:
    """What Webex sends is small."""
    assert await call(hooked, b"x" * 65_537) == 413


@pytest.mark.parametrize("change", [
    {"name": "somebody else's webhook"}, {"name": "webex-guest-bridge "}, {"name": "webex-guest-bridge wgb-unknown"},
    {"name": "webex-guest-bridge \ud800\x00"}, {"name": None}, {"resource": "rooms"}, {"resource": "nonsense"},
    {"event": "deleted"}, {"event": "nonsense"}, {"data": {"id": "m", "personEmail": "\ud800"}},
])  # fmt: skip
async def test_foreign_news_is_taken_and_ignored(hooked: RunningBridge, change: dict[str, Any]) -> None:
    """Webex switches a webhook off that is answered with errors, so what is not for us is no error."""
    news = {
        "id": "w1", "name": "webex-guest-bridge wgb-unknown", "resource": "messages", "event": "created",
        "data": {"id": "m1", "roomId": "r1", "personId": "p1", "personEmail": "amy@example.com"},
    }  # fmt: skip
    body = json.dumps(news | change).encode()
    assert await call(hooked, body, X_Spark_Signature=mac(body)) in (204, 400)
    assert (await hooked.get("/healthz"))[0] == 200
    assert hooked.world.messages_to("amy@example.com") == []
