"""After a 429 no call of that owner and flow leaves before its time; every other one does."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from bridge.domain.errors import Parked, Throttled
from bridge.domain.throttling import READING, SENDING, OwnedToken
from bridge.webex.client import WebexClient
from bridge.webex.gates import Connector, Gates
from tests.webex.clock import HandClock
from tests.webex.server import Handler, serving
from tests.webex.test_wire import MESSAGE

ADA, BERT = OwnedToken("token-1", "ada"), OwnedToken("token-9", "bert")
ADA_LATER = OwnedToken("token-2", "ada")


def webex(seen: list[str], refuse: set[str]) -> Handler:
    """Notes `METHOD path by token`; what is in `refuse` gets a 429 once."""

    async def handler(request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        call = f"{request.method} {request.path.removeprefix('/v1')}"
        seen.append(f"{call} {token}")
        if call in refuse:
            refuse.remove(call)
            return web.Response(status=429, headers={"Retry-After": "30"})
        if request.method == "DELETE":
            return web.Response(status=204)
        if request.path.endswith("/token"):
            return web.json_response({"id": "P", "email": "g@x", "accessToken": "t", "expiresIn": 60})
        listed = request.method == "GET"
        return web.json_response({"items": [MESSAGE]} if listed else MESSAGE)

    return handler


async def test_429_speaks_for_all_sending_of_its_owner(
    session: aiohttp.ClientSession, clock: HandClock
) -> None:
    """Deletions, webhooks and a new token's calls too; reading and another guest's sending go on."""
    seen: list[str] = []
    told: list[tuple[str, str, float]] = []
    async with serving(webex(seen, {"POST /messages"})) as url:
        client = WebexClient(url, session, clock, gates=Gates(clock, lambda *gate: told.append(gate)))
        with pytest.raises(Throttled):
            await client.send_message(ADA, room_id="R", text="hi")
        clock.pass_(29.9)
        for call in (
            lambda: client.send_message(ADA_LATER, room_id="R", text="hi"),
            lambda: client.delete_message(ADA, "M"),
            lambda: client.delete_webhook(ADA, "W"),
        ):
            with pytest.raises(Parked) as parked:
                await call()
            assert parked.value.retry_after == pytest.approx(0.1)
        await client.list_direct(ADA, person_email="amy@example.com")
        await client.send_message(BERT, room_id="R", text="hi")
        clock.pass_(0.2)
        await client.send_message(ADA_LATER, room_id="R", text="hi")
    assert seen == [
        "POST /messages token-1",
        "GET /messages/direct token-1",
        "POST /messages token-9",
        "POST /messages token-2",
    ]
    assert told == [("ada", SENDING, 30.0)]


async def test_429_for_a_webhook_holds_no_words_up(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """Only the webhooks wait; and files and reading have clocks of their own."""
    seen: list[str] = []
    async with serving(webex(seen, {"DELETE /webhooks/W", "GET /messages/direct"})) as url:
        client = WebexClient(url, session, clock)
        with pytest.raises(Throttled):
            await client.delete_webhook(ADA, "W")
        with pytest.raises(Throttled):
            await client.list_direct(ADA, person_email="amy@example.com")
        await client.send_message(ADA, room_id="R", text="hi")
        for call in (client.delete_webhook(ADA, "W"), client.get_message(ADA, "M")):
            with pytest.raises(Parked):
                await call
    assert len(seen) == 3


async def test_429_on_minting_stops_other_mints_for_a_minute(
    session: aiohttp.ClientSession, clock: HandClock
) -> None:
    """However long that one guest must wait (contract 6.7), which the store knows."""
    told: list[tuple[str, str, float]] = []
    gates = Gates(clock, lambda *gate: told.append(gate))
    gates.throttled("service-app", "POST", "/guests/token", 3600)
    with pytest.raises(Parked):
        gates.check("service-app", "POST", "/guests/token")
    gates.check("service-app", "GET", "/guests/count")
    clock.pass_(60)
    gates.check("service-app", "POST", "/guests/token")
    assert told == []


async def test_longer_wait_is_not_shortened(clock: HandClock) -> None:
    """By a second 429, or by what another process wrote down."""
    gates = Gates(clock)
    gates.close("ada", READING, 60)
    gates.close("ada", READING, 5)
    clock.pass_(59)
    with pytest.raises(Parked):
        gates.check("ada", "GET", "/messages/direct")


async def test_call_that_waits_for_a_connection_looks_once_more(clock: HandClock) -> None:
    """The one before it got the 429 meanwhile: it does not leave, and its connection serves the next."""
    seen: list[str] = []
    refuse = {"POST /messages"}
    entered, go_on = asyncio.Event(), asyncio.Event()
    answer = webex(seen, refuse)

    async def handler(request: web.Request) -> web.StreamResponse:
        entered.set()
        await go_on.wait()
        return await answer(request)

    async with serving(handler) as url, aiohttp.ClientSession(connector=Connector(limit=1)) as session:
        client = WebexClient(url, session, clock)
        first = asyncio.create_task(client.send_message(ADA, room_id="R", text="one"))
        await entered.wait()
        second = asyncio.create_task(client.send_message(ADA, room_id="R", text="two"))
        third = asyncio.create_task(client.send_message(BERT, room_id="R", text="three"))
        await asyncio.sleep(0)
        go_on.set()
        done = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [type(one).__name__ for one in done] == ["Throttled", "Parked", "Message"]
    assert seen == ["POST /messages token-1", "POST /messages token-9"]


async def test_token_that_lapses_while_a_connection_is_awaited_is_not_used(clock: HandClock) -> None:
    """A busy or frozen process comes to the sending late: nothing is asked, and the caller is to take another token."""
    seen: list[str] = []
    entered, go_on = asyncio.Event(), asyncio.Event()
    answer = webex(seen, set())

    async def handler(request: web.Request) -> web.StreamResponse:
        entered.set()
        await go_on.wait()
        return await answer(request)

    short = OwnedToken("token-3", "cleo", good_until=clock.monotonic() + 5)
    async with serving(handler) as url, aiohttp.ClientSession(connector=Connector(limit=1)) as session:
        client = WebexClient(url, session, clock)
        first = asyncio.create_task(client.send_message(ADA, room_id="R", text="one"))
        await entered.wait()
        second = asyncio.create_task(client.send_message(short, room_id="R", text="two"))
        await asyncio.sleep(0)
        clock.pass_(5)
        go_on.set()
        done = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(one).__name__ for one in done] == ["Message", "Lapsed"]
    assert seen == ["POST /messages token-1"]
