"""The customer's API as the contract says it, in memory, with handles for a test that plays the agent and the net."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from bridge import pages

Item = dict[str, Any]
STARTED = "2026-11-22T10:15:00Z"


@dataclass
class Fault:
    """What happens to the next message: a refusal, or (`status` 0) a dropped line, after or before it was accepted."""

    status: int
    detail: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    accepted: bool = False


@dataclass
class Talk:
    """One conversation, and what a test may do to it."""

    id: str
    wish: dict[str, Any]
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    items: list[Item] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    answers: dict[str, Item] = field(default_factory=dict)
    status: str = "queued"
    agent: str | None = None
    position: int | None = 1
    opens_at: str | None = None
    end_reason: str | None = None
    key_dead: bool = False
    ends: int = 0
    seq: int = 0
    # The line to the page is open, and nothing comes through.
    deaf: bool = False
    streams: set[asyncio.Queue[tuple[int | None, str, Any] | None]] = field(default_factory=set)

    def state(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": self.status,
            "agent": {"name": self.agent} if self.agent else None,
            "queuePosition": self.position if self.status == "queued" else None,
            "opensAt": self.opens_at,
            "startedAt": STARTED,
            "endedAt": STARTED if self.status == "ended" else None,
            "endReason": self.end_reason,
        }

    def add(self, who: str, text: str | None = None, html: str | None = None, **more: Any) -> Item:
        self.seq += 1
        item = {"seq": self.seq, "id": f"message-{self.seq}", "from": who, "text": text, "html": html}
        item |= {"files": [], "at": STARTED, "delivery": "sent"} | more
        self.items.append(item)
        self._tell("message", item, self.seq)
        return item

    def attach(self, who: str, name: str, kind: str, body: bytes, text: str | None = None) -> Item:
        number = f"file-{len(self.files)}"
        self.files[number] = (kind, body)
        url = f"/v1/conversations/{self.id}/files/{number}"
        return self.add(who, text, files=[{"name": name, "type": kind, "size": len(body), "url": url}])

    def deliver(self, item: Item, delivery: str) -> None:
        item["delivery"] = delivery
        self._tell("message", item)

    def open(self, agent: str) -> None:
        self.status, self.agent = "open", agent
        self._tell("status", self.state())

    def wait(self, *, position: int | None = None, opens_at: str | None = None) -> None:
        self.position, self.opens_at = position, opens_at
        self._tell("status", self.state())

    def warn(self, ends_at: str) -> None:
        self._tell("warning", {"endsAt": ends_at})

    def end(self, reason: str) -> None:
        """By the agent or the source it may still be read; by the customer or idleness the key is dead at once."""
        self.status, self.end_reason = "ended", reason
        self.key_dead = reason in {"customer", "idle"}
        self._tell("status", self.state())
        self._tell("ended", self.state())
        self.drop_streams()

    def ping(self) -> None:
        self._tell("ping", {})

    def drop_streams(self) -> None:
        for stream in self.streams:
            stream.put_nowait(None)

    def customer_words(self) -> list[str | None]:
        return [item["text"] for item in self.items if item["from"] == "customer"]

    def _tell(self, event: str, data: Any, seq: int | None = None) -> None:
        if self.deaf:
            return
        for stream in self.streams:
            stream.put_nowait((seq, event, data))


class FakeBridge:
    """Serves the pages with their real headers, and the API behind them."""

    def __init__(self) -> None:
        self.talks: list[Talk] = []
        self.faults: list[Fault] = []
        self.start_faults: list[Fault] = []
        self.address = ""
        self.refuse_streams = 0
        self.frame_ancestors: tuple[str, ...] = ()
        self.app = web.Application(client_max_size=2**20)
        self.app.add_routes(
            [
                web.get("/kiosk/{source}", self._page),
                web.get("/form/{source}", self._page),
                web.get("/talk/{source}", self._page),
                web.get("/demo", self._demo),
                web.get("/pages/static/{file}", self._static),
                web.post("/v1/pages/{source}", self._start),
                web.get("/v1/conversations/{id}", self._state),
                web.post("/v1/conversations/{id}/messages", self._say),
                web.post("/v1/conversations/{id}/end", self._end),
                web.get("/v1/conversations/{id}/stream", self._stream),
                web.get("/v1/conversations/{id}/files/{file}", self._file),
            ]
        )

    @property
    def talk(self) -> Talk:
        return self.talks[-1]

    # Pages

    async def _page(self, request: web.Request) -> web.Response:
        page = request.path.split("/")[1]
        return web.Response(body=pages.page_body(page), headers=pages.page_headers(self.frame_ancestors))

    async def _demo(self, request: web.Request) -> web.Response:
        body = pages.demo_body("/kiosk/lobby-page?topic=returns", "/form/lobby-page")
        return web.Response(body=body, headers=pages.demo_headers())

    async def _static(self, request: web.Request) -> web.Response:
        file = pages.static_file(request.match_info["file"])
        if file is None:
            return problem(404, "no such file")
        return web.Response(body=file.body, headers=file.headers)

    # The API

    async def _start(self, request: web.Request) -> web.StreamResponse:
        if self.start_faults:
            return self._fail(request, self.start_faults.pop(0))
        wish = await request.json()
        if wish["displayName"] == "refuse me":
            errors = [{"field": "displayName", "detail": "This name cannot be used."}]
            return problem(422, "fields wrong", errors=errors)
        talk = Talk(f"talk-{len(self.talks) + 1}", wish)
        self.talks.append(talk)
        if wish.get("message"):
            talk.add("customer", wish["message"])
        answer = {"eventId": "e1", "conversationId": talk.id, "conversationKey": talk.key, "status": "queued"}
        return web.json_response(answer, status=202)

    def _find(self, request: web.Request) -> Talk | web.Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get("key")
        talk = next((talk for talk in self.talks if talk.id == request.match_info["id"]), None)
        if talk is None or key != talk.key:
            return problem(401, "unknown")
        return problem(410, "over") if talk.key_dead else talk

    def _fail(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.status == 0 and request.transport:
            request.transport.abort()
        return problem(fault.status or 500, fault.detail, fault.headers)

    async def _state(self, request: web.Request) -> web.Response:
        talk = self._find(request)
        return talk if isinstance(talk, web.Response) else web.json_response(talk.state())

    async def _say(self, request: web.Request) -> web.Response:
        talk = self._find(request)
        if isinstance(talk, web.Response):
            return talk
        fault = self.faults.pop(0) if self.faults else None
        if fault and not fault.accepted:
            return self._fail(request, fault)
        key = request.headers["Idempotency-Key"]
        if key not in talk.answers:
            item = await self._accept(request, talk)
            talk.answers[key] = {"id": item["id"], "seq": item["seq"]}
        if fault:
            return self._fail(request, fault)
        return web.json_response(talk.answers[key], status=202)

    async def _accept(self, request: web.Request, talk: Talk) -> Item:
        if request.content_type == "application/json":
            return talk.add("customer", (await request.json())["text"], delivery="pending")
        part = await (await request.multipart()).next()
        assert isinstance(part, BodyPartReader)
        assert part.name == "file"
        kind = part.headers.get("Content-Type", "")
        return talk.attach("customer", part.filename or "", kind, bytes(await part.read()))

    async def _end(self, request: web.Request) -> web.Response:
        talk = self._find(request)
        if isinstance(talk, web.Response):
            return talk
        talk.ends += 1
        if talk.status != "ended":
            talk.end("customer")
        talk.key_dead = True
        return web.json_response(talk.state())

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        talk = self._find(request)
        if isinstance(talk, web.Response):
            return talk
        if self.refuse_streams:
            self.refuse_streams -= 1
            return problem(503, "later", {"Retry-After": "1"})
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        await response.write(b"retry: 100\n\n")
        queue: asyncio.Queue[tuple[int | None, str, Any] | None] = asyncio.Queue()
        last = int(request.headers.get("Last-Event-ID", "0"))
        for item in talk.items:
            # What was there before may have changed meanwhile; it comes without an id.
            queue.put_nowait((item["seq"] if item["seq"] > last else None, "message", item))
        queue.put_nowait((None, "status", talk.state()))
        talk.streams.add(queue)
        try:
            while (event := await queue.get()) is not None:
                seq, name, data = event
                ident = f"id: {seq}\n" if seq is not None else ""
                await response.write(f"{ident}event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        finally:
            talk.streams.discard(queue)
        return response

    async def _file(self, request: web.Request) -> web.Response:
        talk = self._find(request)
        if isinstance(talk, web.Response):
            return talk
        kind, body = talk.files[request.match_info["file"]]
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type=kind, headers=headers)


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    body = {"title": "Refused", "status": status, "detail": detail} | more
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")
