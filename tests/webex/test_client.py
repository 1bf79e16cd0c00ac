"""The client against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bridge.domain import errors
from bridge.webex.client import FilePart, WebexClient
from tests.webex.clock import HandClock
from tests.webex.server import Handler, serving
from tests.webex.test_wire import MESSAGE

TOKEN = "guest-token"


def items(*ids: str) -> dict[str, Any]:
    return {"items": [MESSAGE | {"id": ident} for ident in ids]}


async def test_a_message_is_one_small_post(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """Only what was given is sent, with the guest's token and the product's name; the call is observed."""
    seen: list[tuple[str, dict[str, str], Any]] = []
    calls: list[tuple[str, str, int | None, float]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path, dict(request.headers), await request.json()))
        return web.json_response(MESSAGE)

    async with serving(handler) as url:
        client = WebexClient(url + "/", session, clock, on_call=lambda *call: calls.append(call))
        message = await client.send_message(TOKEN, to_person_email="amy@example.com", text="grüße")
    assert message.room_id == "R1"
    ((path, headers, body),) = seen
    assert (path, body) == ("/v1/messages", {"toPersonEmail": "amy@example.com", "text": "grüße"})
    assert headers["Authorization"] == "Bearer guest-token"
    assert headers["Accept"] == "application/json"
    assert headers["User-Agent"].startswith("webex-guest-bridge/")
    assert calls == [("POST", "/messages", 200, 0.0)]


async def test_only_what_is_given_is_sent(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """Room, Markdown, a card and a public file address each go under Webex's own name for them."""
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.json_response(MESSAGE)

    async with serving(handler) as url:
        client = WebexClient(url, session, clock)
        await client.send_message(TOKEN, room_id="R1", markdown="**hi**", attachments=[{"contentType": "c"}])
        await client.send_message(TOKEN, to_person_id="P1", file_url="https://example.com/a.png")
        file = FilePart("a", "text/plain", b"x", 1)
        with pytest.raises(ValueError, match="not both"):
            await client.send_message(TOKEN, room_id="R1", attachments=[{"contentType": "c"}], file=file)
    assert seen == [
        {"roomId": "R1", "markdown": "**hi**", "attachments": [{"contentType": "c"}]},
        {"toPersonId": "P1", "files": ["https://example.com/a.png"]},
    ]


async def drop(request: web.Request) -> web.StreamResponse:
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": "M1"')
    assert request.transport is not None
    request.transport.close()
    return response


async def never(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


@pytest.mark.parametrize("handler", [drop, cut, never])
async def test_a_lost_answer_is_doubtful_after_a_post_only(
    session: aiohttp.ClientSession, clock: HandClock, handler: Handler
) -> None:
    """Connection dropped, body cut short, or no answer in time."""
    patience = 2.0 if handler is never else 60.0  # half of it is for the connecting
    async with serving(handler) as url:
        client = WebexClient(url, session, clock, timeout=patience)
        with pytest.raises(errors.Doubtful):
            await client.send_message(TOKEN, room_id="R1", text="hi")
        with pytest.raises(errors.Doubtful):
            await client.delete_message(TOKEN, "M1")
        with pytest.raises(errors.Unavailable):
            await client.get_message(TOKEN, "M1")


async def test_a_refused_connection_sent_nothing(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """Nobody listens, or the name does not exist: Unavailable even for a POST."""
    async with serving(never) as url:
        pass
    for base in (url, "http://nobody.invalid/v1"):
        with pytest.raises(errors.Unavailable):
            await WebexClient(base, session, clock).send_message(TOKEN, room_id="R1", text="hi")


@pytest.mark.parametrize("token", ["hush\r\nX-Evil: 1", "hush\ud800", "hush\x00"])
async def test_a_token_no_header_can_hold_is_refused_unseen(
    session: aiohttp.ClientSession, clock: HandClock, token: str
) -> None:
    """A line break or a lone surrogate in a token sends nothing, is not quoted and not chained."""
    arrived: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        arrived.append(request.path)
        return web.Response()

    async with serving(handler) as url:
        with pytest.raises(errors.Refused) as caught:
            await WebexClient(url, session, clock).me(token)
    assert "hush" not in str(caught.value)
    assert caught.value.__context__ is None
    assert arrived == []


@pytest.mark.parametrize("size", [5_000_000, 12_000_000])
async def test_a_huge_answer_is_not_read_to_its_end(
    session: aiohttp.ClientSession, clock: HandClock, size: int
) -> None:
    """Past 4 MiB the connection is given up; a POST is Doubtful then."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b'"' + b"x" * size + b'"', content_type="application/json")

    async with serving(handler) as url:
        with pytest.raises(errors.Doubtful, match="too large"):
            await WebexClient(url, session, clock).send_message(TOKEN, room_id="R1", text="hi")


async def test_a_redirect_is_not_followed(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """The token goes nowhere else, and a POST is not repeated."""
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async with serving(handler) as url:
        with pytest.raises(errors.Doubtful):
            await WebexClient(url, session, clock).send_message(TOKEN, room_id="R1", text="hi")
    assert paths == ["/v1/messages"]


async def test_cancelling_is_not_swallowed(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """A cancelled call ends as cancelled, not as an error of Webex."""
    arrived = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        arrived.set()
        return await never(request)

    async with serving(handler) as url:
        task = asyncio.create_task(WebexClient(url, session, clock).me(TOKEN))
        await asyncio.wait_for(arrived.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_no_1_to_1_yet_is_an_empty_list(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """Whether Webex says 404 or an empty list is not documented; the client makes it one."""

    async def handler(request: web.Request) -> web.Response:
        assert request.rel_url.raw_query_string == "personEmail=a%2Bb%40example.com"
        return web.json_response({"message": "Could not find a room."}, status=404)

    async with serving(handler) as url:
        assert await WebexClient(url, session, clock).list_direct(TOKEN, person_email="a+b@example.com") == []


async def test_pages_are_followed_over_empty_ones(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """An empty page with a next link is no end; `more` is true where the wish was filled before the end."""
    queries: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        queries.append(request.query_string)
        page = int(request.query.get("page", "0"))
        body = (items("M5"), items(), items("M4", "M3"), items("M2"))[page]
        link = f'<{request.url.with_query(f"page={page + 1}&max=null")}>; rel="next"'
        return web.json_response(body, headers={"Link": link} if page < 3 else {})

    async with serving(handler) as url:
        client = WebexClient(url, session, clock)
        page = await client.list_messages(TOKEN, "R1", max_items=2, before_message="M6")
        assert [m.id for m in page.items] == ["M5", "M4"]
        assert page.more
        assert queries == ["roomId=R1&beforeMessage=M6&max=2", "page=1", "page=2"]
        everything = await client.list_messages(TOKEN, "R1")
        assert [m.id for m in everything.items] == ["M5", "M4", "M3", "M2"]
        assert not everything.more


async def test_a_next_link_elsewhere_gets_no_token(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """A page that points to another origin is the last one read, and says that there is more."""
    stolen: list[str] = []

    async def thief(request: web.Request) -> web.Response:
        stolen.append(request.headers["Authorization"])
        return web.json_response(items("M1"))

    async with serving(thief) as other:

        async def handler(request: web.Request) -> web.Response:
            return web.json_response(items("M2"), headers={"Link": f'<{other}/messages>; rel="next"'})

        async with serving(handler) as url:
            page = await WebexClient(url, session, clock).list_messages(TOKEN, "R1")
    assert ([m.id for m in page.items], page.more, stolen) == (["M2"], True, [])


async def test_endless_empty_pages_come_to_an_end(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """After 20 pages the call gives what it has."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response(items(), headers={"Link": '</v1/messages>; rel="next"'})

    async with serving(handler) as url:
        page = await WebexClient(url, session, clock).list_messages(TOKEN, "R1")
    assert (page.items, page.more, len(asked)) == ((), True, 20)


async def in_pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_file_travels_as_a_form(
    session: aiohttp.ClientSession, clock: HandClock, streamed: bool
) -> None:
    """Bytes or a stream arrive whole, under a safe name, with a Content-Length."""
    data = bytes(range(256)) * 300
    seen: dict[str, Any] = {}

    async def handler(request: web.Request) -> web.Response:
        form = await request.post()
        part = form["files"]
        assert isinstance(part, web.FileField)
        seen.update(text=form["text"], name=part.filename, type=part.content_type, data=part.file.read())
        seen["length"] = request.content_length
        return web.json_response(MESSAGE)

    content: Any = in_pieces(data) if streamed else data
    async with serving(handler) as url:
        file = FilePart('../r"é\r\n.pdf', "application/pdf", content, len(data))
        await WebexClient(url, session, clock).send_message(TOKEN, room_id="R1", text="sieh ä", file=file)
    assert seen["length"] > len(data)
    assert (seen["text"], seen["name"], seen["type"]) == ("sieh ä", "ré.pdf", "application/pdf")
    assert seen["data"] == data


@pytest.mark.parametrize("claimed", [10, 100_000])
async def test_a_stream_of_another_length_is_not_delivered(
    session: aiohttp.ClientSession, clock: HandClock, claimed: int
) -> None:
    """A file that was cut or grew on the way never arrives as a complete form."""
    complete: list[bool] = []

    async def handler(request: web.Request) -> web.Response:
        await request.post()
        complete.append(True)
        return web.json_response(MESSAGE)

    async with serving(handler) as url:
        client = WebexClient(url, session, clock, timeout=5)
        file = FilePart("a", "text/plain", in_pieces(b"x" * 5000), claimed)
        with pytest.raises(errors.WebexError):
            await client.send_message(TOKEN, room_id="R1", file=file)
    assert complete == []


async def file_server(request: web.Request) -> web.StreamResponse:
    state = request.path.rpartition("/")[2]
    if state == "scanning":
        return web.json_response({"message": "scanning"}, status=423, headers={"Retry-After": "5"})
    if state == "infected":
        return web.json_response({"message": "infected"}, status=410)
    if state == "encrypted" and request.query.get("allow") != "unscannable":
        return web.json_response({"message": "unscannable"}, status=428)
    if state == "cut":
        return await cut(request)
    headers = {
        "Content-Disposition": "attachment; filename*=UTF-8''..%2Fr%C3%A9.pdf",
        "X-Query": request.query_string,
    }
    return web.Response(body=b"%PDF" * 50_000, content_type="application/pdf", headers=headers)


async def test_a_file_is_streamed(session: aiohttp.ClientSession, clock: HandClock) -> None:
    """Name, type and size come with the headers, the content in pieces."""
    async with serving(file_server) as url:
        client = WebexClient(url, session, clock)
        async with client.open_file(TOKEN, f"{url}/contents/clean?x=%2F") as file:
            assert (file.name, file.content_type, file.size) == ("ré.pdf", "application/pdf", 200_000)
            assert b"".join([chunk async for chunk in file.chunks()]) == b"%PDF" * 50_000
        async with client.open_file(TOKEN, f"{url}/contents/encrypted", allow_unscannable=True) as file:
            assert file.size == 200_000


@pytest.mark.parametrize(
    ("state", "kind"),
    [("scanning", errors.Scanning), ("infected", errors.Gone), ("encrypted", errors.Unscannable)],
)
async def test_a_files_scan_state_is_told(
    session: aiohttp.ClientSession, clock: HandClock, state: str, kind: type[errors.WebexError]
) -> None:
    """423, 410 and 428 each have an error of their own."""
    async with serving(file_server) as url:
        with pytest.raises(kind):
            async with WebexClient(url, session, clock).open_file(TOKEN, f"{url}/contents/{state}"):
                raise AssertionError("the file opened")


async def test_a_file_that_breaks_off_is_unavailable(
    session: aiohttp.ClientSession, clock: HandClock
) -> None:
    """A cut download is never taken for the whole file."""
    async with (
        serving(file_server) as url,
        WebexClient(url, session, clock).open_file(TOKEN, f"{url}/contents/cut") as file,
    ):
        with pytest.raises(errors.Unavailable):
            [chunk async for chunk in file.chunks()]


@pytest.mark.parametrize(
    "address", ["https://evil.test/v1/contents/1", "", "/v1/contents/1", "file:///etc/passwd", "http://[", "http://127.0.0.1:1/"]
)  # fmt: skip
async def test_a_file_elsewhere_is_refused(
    session: aiohttp.ClientSession, clock: HandClock, address: str
) -> None:
    """A message cannot make the bridge send its token to another server."""
    async with serving(file_server) as url:
        with pytest.raises(errors.Refused):
            async with WebexClient(url, session, clock).open_file(TOKEN, address):
                raise AssertionError("the file opened")


async def test_webhooks_can_be_made_found_mended_and_removed(
    session: aiohttp.ClientSession, clock: HandClock
) -> None:
    """The four calls send what the page says; PUT always asks for `active`."""
    seen: list[tuple[str, str, Any]] = []
    hook = {"id": "W1", "name": "n", "targetUrl": "https://x", "resource": "messages", "event": "created"}

    async def handler(request: web.Request) -> web.Response:
        body = json.loads(await request.read() or b"null")
        seen.append((request.method, request.path_qs, body))
        if request.method == "DELETE":
            return web.Response(status=204)
        return web.json_response({"items": [hook]} if request.method == "GET" else hook)

    async with serving(handler) as url:
        client = WebexClient(url, session, clock)
        made = await client.create_webhook(
            TOKEN, name="n", target_url="https://x", resource="messages", event="created", secret="s"
        )
        assert (await client.list_webhooks(TOKEN)) == [made]
        await client.update_webhook(TOKEN, "W1", name="n", target_url="https://x")
        await client.delete_webhook(TOKEN, "W1")
    sent = {"name": "n", "targetUrl": "https://x"}
    assert seen == [
        ("POST", "/v1/webhooks", sent | {"resource": "messages", "event": "created", "secret": "s"}),
        ("GET", "/v1/webhooks?max=100", None),
        ("PUT", "/v1/webhooks/W1", sent | {"status": "active"}),
        ("DELETE", "/v1/webhooks/W1", None),
    ]
