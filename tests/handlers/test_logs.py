"""What a whole conversation, with everything going wrong in it, leaves in the log."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog

from bridge import logs
from bridge.simulator import CLIENT_SECRET, REFRESH_TOKEN, Simulator
from tests.handlers.conftest import OTHER_SHOP, SETUP
from tests.harness import AMY, SECRET, SECRET_KEY, eventually, running, whsec

NAME, SUBJECT, WORDS = "Ada Lovelace-Byron", "loyalty-48213", "my-order-5512-arrived-broken"
REPLY, QUERY = "we-send-you-another-one", "after=0&colour=tell-nobody-this"


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to stderr with logging as `bridge run` has it, everything told; put back afterwards."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("json", "debug")
    yield written
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


async def test_no_line_holds_what_is_nobody_s_business(errors: io.StringIO) -> None:
    """No token, secret, key, text, name, raw subject or query string, and every line is a JSON object."""
    async with Simulator() as sim, running(SETUP, sim) as bridge:
        wish = {"subject": SUBJECT, "displayName": NAME, "message": WORDS, "context": {"order": WORDS}}
        _, answer = await bridge.event(webhook_id="one", **wish)
        await bridge.event(webhook_id="one", **wish)
        await bridge.event(**{**wish, "store": 5})
        await bridge.event("message.created", subject=SUBJECT + "-unknown", message=WORDS)
        await bridge.event(secret=b"wrong", **wish)
        ada = bridge.customer(answer)
        await ada.upload(f"{WORDS}.png", "image/png", b"\x89PNG\r\n\x1a\n" + WORDS.encode())
        await ada.upload(f"{WORDS}.exe", "application/x-msdownload", WORDS.encode())
        odd = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{WORDS}\r\n\r\nx\r\n--b--\r\n'
        refused = await ada.call(
            "POST", "/messages", data=odd, headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert refused.status == 422
        await eventually(lambda: WORDS in bridge.texts())
        guest = next(iter(sim.world.guests.values()))
        sim.world.say(AMY, guest.id, text=REPLY)
        await eventually(lambda: ada.heard())
        sim.world.fault("POST /v1/messages", status=500, times=2)
        await ada.say(WORDS)
        await ada.call("GET", f"/messages?{QUERY}")
        await ada.call("GET", f"/files/{quote(WORDS)}?{QUERY}")
        async with ada.stream() as told:
            await eventually(lambda: told.texts)
        page = {"displayName": NAME, "message": WORDS}
        async with bridge.session.post(
            f"{bridge.url}/v1/pages/lobby?{QUERY}", json=page, headers={"Origin": OTHER_SHOP}
        ) as begun:
            assert begun.status == 202
        reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
        writer.write(
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x00" + WORDS.encode() + b"\r\n\r\n"
        )
        assert b" 400 " in await reader.readline()
        writer.close()
        await ada.end()
        await ada.call("GET", f"?{QUERY}")
    lines = errors.getvalue().splitlines()
    events = {json.loads(line)["event"] for line in lines}
    assert {
        "library.warned",
        "service.listening",
        "envelope.stored",
        "delivery.sent",
        "service.stopped",
    } <= events
    text = "\n".join(lines)
    for secret in (
        NAME,
        "Lovelace",
        SUBJECT,
        WORDS,
        REPLY,
        "tell-nobody",
        answer["conversationKey"],
        CLIENT_SECRET,
        REFRESH_TOKEN,
        whsec(SECRET),
        SECRET.decode(),
        SECRET_KEY,
        bridge.service.webhook_secret,
        bridge.service.root.decode(),
        "Bearer",
        "eyJhbGciOiJ",  # how every token of the simulator begins
    ):
        assert secret not in text, [line for line in lines if secret in line]
    assert "Traceback" not in text
