"""Answers as gateways, proxies and bad days give them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

import aiohttp
import pytest

from bridge.domain import errors
from bridge.webex.client import WebexClient
from tests.webex.clock import HandClock
from tests.webex.conftest import BASE
from tests.webex.test_wire import MESSAGE
from tests.webex.wire_fakes import WireFakes

TOKEN = "guest-token-hush"
Call = Callable[[WebexClient], Awaitable[object]]


def send(client: WebexClient) -> Awaitable[object]:
    return client.send_message(TOKEN, to_person_email="amy@example.com", text="hi")


def count(client: WebexClient) -> Awaitable[object]:
    return client.guest_count(TOKEN)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 15), ({"Retry-After": "0"}, 1), ({"Retry-After": "3600"}, 3600), ({"Retry-After": "later"}, 15),
        ({"retry-after": "2"}, 2), ({"Retry-After": "DATE"}, 30),
    ],
)  # fmt: skip
async def test_a_429_parks_for_what_webex_asks(
    client: WebexClient, wire: WireFakes, clock: HandClock, headers: dict[str, str], wait: float
) -> None:
    """Seconds, a date, nothing or nonsense; the body is HTML as in the published sample."""
    if headers.get("Retry-After") == "DATE":
        headers = {"Retry-After": formatdate(clock.now() + 30, usegmt=True)}
    wire.post(
        f"{BASE}/messages", status=429, headers=headers, body="<html>slow</html>", content_type="text/html"
    )
    with pytest.raises(errors.Throttled) as caught:
        await send(client)
    assert caught.value.retry_after == pytest.approx(wait, abs=1)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"<html>ok</html>", "text/html"),
        (json.dumps(MESSAGE)[:40].encode(), "application/json"),
        (b"[]", "application/json"), (b"\xff" * 50, "application/octet-stream"),
        (b"[" * 90_000, "application/json"),
    ],
)  # fmt: skip
async def test_an_unreadable_success_is_doubtful(
    client: WebexClient, wire: WireFakes, body: bytes, content_type: str
) -> None:
    """A POST answered 200 with what cannot be read may well have been done."""
    wire.post(f"{BASE}/messages", status=200, body=body, content_type=content_type)
    with pytest.raises(errors.Doubtful):
        await send(client)


async def test_a_good_answer_needs_no_content_type(client: WebexClient, wire: WireFakes) -> None:
    """What counts is the body: JSON sent as text/plain is read."""
    wire.post(f"{BASE}/messages", body=json.dumps(MESSAGE), content_type="text/plain")
    assert (await client.send_message(TOKEN, room_id="R1", text="hi")).id == "M1"


async def test_an_unreadable_answer_to_a_question_may_be_asked_again(
    client: WebexClient, wire: WireFakes
) -> None:
    """After a GET nothing was done, so it is Unavailable and not Doubtful."""
    wire.get(f"{BASE}/guests/count", body="<html>", content_type="text/html")
    with pytest.raises(errors.Unavailable):
        await count(client)


async def test_the_guest_count_is_bare_text(client: WebexClient, wire: WireFakes) -> None:
    """`112` as text/plain is the number of guests."""
    wire.get(f"{BASE}/guests/count", body="112", content_type="text/plain")
    assert await client.guest_count(TOKEN) == 112


@pytest.mark.parametrize(("status", "kind"), [(400, errors.CredentialsDead), (401, errors.CredentialsDead),
    (403, errors.CredentialsDead), (404, errors.CredentialsDead), (423, errors.CredentialsDead),
    (429, errors.Throttled), (500, errors.Doubtful), (302, errors.Doubtful)])  # fmt: skip
async def test_any_4xx_but_429_of_a_refresh_means_dead(
    client: WebexClient, wire: WireFakes, status: int, kind: type[errors.WebexError]
) -> None:
    """No other answer ends the credentials, and none echoes them."""
    body = {"message": "malformed", "errors": [{"description": "refresh-hush is invalid for secret-hush"}]}
    wire.post(f"{BASE}/access_token", status=status, payload=body)
    with pytest.raises(errors.WebexError) as caught:
        await client.refresh("id", "secret-hush", "refresh-hush")
    assert type(caught.value) is kind
    assert "hush" not in str(caught.value)


async def test_a_refresh_is_form_encoded(client: WebexClient, wire: WireFakes) -> None:
    """The four fields go as application/x-www-form-urlencoded, without a bearer token."""
    wire.post(f"{BASE}/access_token", payload={"access_token": "A", "expires_in": "9", "refresh_token": "R"})
    await client.refresh("id", "a&b", "r+r")
    ((_, [call]),) = wire.requests.items()
    assert (
        call.kwargs["data"]
        == b"grant_type=refresh_token&client_id=id&client_secret=a%26b&refresh_token=r%2Br"
    )
    assert call.kwargs["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in call.kwargs["headers"]


CERTIFICATE = aiohttp.ClientConnectorCertificateError(None, ValueError("bad"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trouble", "post", "get"),
    [
        (aiohttp.ConnectionTimeoutError("x"), errors.Unavailable, errors.Unavailable),
        (CERTIFICATE, errors.Unavailable, errors.Unavailable),
        (aiohttp.ServerDisconnectedError(), errors.Doubtful, errors.Unavailable),
        (aiohttp.ClientOSError(104, "reset"), errors.Doubtful, errors.Unavailable),
        (aiohttp.ClientPayloadError("cut"), errors.Doubtful, errors.Unavailable),
        (TimeoutError(), errors.Doubtful, errors.Unavailable),
        (ConnectionResetError(), errors.Doubtful, errors.Unavailable),
        (aiohttp.InvalidURL("x"), errors.Refused, errors.Refused),
        (RuntimeError("Session is closed"), errors.Unavailable, errors.Unavailable),
    ],
)
async def test_trouble_is_told_by_what_may_have_been_done(
    client: WebexClient, wire: WireFakes, trouble: Exception, post: type[Exception], get: type[Exception]
) -> None:
    """Before sending: Unavailable. After sending: Doubtful, or Unavailable for a question."""
    wire.post(f"{BASE}/messages", exception=trouble)
    wire.get(f"{BASE}/guests/count", exception=trouble)
    for call, kind in ((send, post), (count, get)):
        with pytest.raises(errors.WebexError) as caught:
            await call(client)
        assert type(caught.value) is kind
        assert caught.value.__context__ is None  # aiohttp's exceptions carry the request and its token


@pytest.mark.parametrize("ident", ["", ".", ".."])
async def test_an_id_that_is_a_path_is_refused(client: WebexClient, ident: str) -> None:
    """Ids are opaque, but never a way up."""
    with pytest.raises(errors.Refused):
        await client.get_message(TOKEN, ident)


async def test_a_hostile_id_stays_inside_its_place(client: WebexClient, wire: WireFakes) -> None:
    """Slashes, question marks and line breaks of an id are escaped."""
    seen: list[str] = []

    def answer(url: Any, **_: Any) -> None:
        seen.append(str(url))

    wire.get("https://webex.test/v1/messages/a%2F..%2Fb%3Fx%0D%0A", payload=MESSAGE, callback=answer)
    await client.get_message(TOKEN, "a/../b?x\r\n")
    assert seen == ["https://webex.test/v1/messages/a%2F..%2Fb%3Fx%0D%0A"]
