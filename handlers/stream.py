"""GET .../stream: the conversation as server-sent events, resumable without a gap."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bridge.domain.conversation.model import Conversation
from bridge.domain.conversation.public import iso
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.following import changeable, page
from handlers.customer import customer_of, number, shown_state
from handlers.feed import PAGE, Feed, TooMany, as_line, frames
from handlers.origins import CORS
from handlers.parts import PARTS, Parts
from handlers.problems import DATA_HEADERS, Problem

_PING_SECONDS = 15.0
_SEND_SECONDS = 30.0  # whoever reads nothing for so long is dropped; the browser comes back and resumes
_SEND_BUFFER = 128 * 1024  # bytes that the system keeps for a reader that is slow


async def get_stream(request: web.Request) -> web.StreamResponse:
    """Events `message`, `update`, `status`, `warning`, `token`, `ended`, and `ping` every 15 seconds without news.

    Each item comes once as `message`, with its seq as id; what changes about it later (its delivery, an
    agent's correction) is an `update` without an id, so that Last-Event-ID stays the newest seq. A
    Last-Event-ID that is none of ours counts as 0: too much is better than something missed. `ended` has the
    number after the last seq: who comes back with it has seen everything, and 204 keeps a browser from coming
    back again (https://html.spec.whatwg.org/multipage/server-sent-events.html).
    """
    parts = request.app[PARTS]
    state = await customer_of(request, request.query.get("key"))
    given = request.headers.get("Last-Event-ID") or request.query.get("lastEventId") or "0"
    seen = number(given) or 0
    if state.conversation.status == "ended" and seen == _id_of_end(state.conversation):
        return web.Response(status=204, headers=DATA_HEADERS | request[CORS])
    last = min(seen, state.conversation.last_seq)

    def connected() -> bool:
        return request.transport is not None

    try:
        with parts.feeds.join(state, connected) as feed:
            return await _serve(request, parts, connected, feed, last)
    except TooMany:
        raise Problem(
            429, "This conversation has too many open streams.", retry_after=_PING_SECONDS
        ) from None


def _id_of_end(conversation: Conversation) -> int:
    return conversation.last_seq + 1


async def _serve(
    request: web.Request, parts: Parts, connected: Callable[[], bool], feed: Feed, last: int
) -> web.StreamResponse:
    parts.streams.inc()
    try:
        async with sse_response(
            request,
            headers=DATA_HEADERS | request[CORS],
            sep="\n",
            ping_interval=4 * _PING_SECONDS,
            send_timeout=_SEND_SECONDS,
        ) as response:
            _keep_little(request)
            # The browser went away, reads nothing, or the store fails: it comes back and resumes.
            with contextlib.suppress(ConnectionError, TimeoutError, StoreUnavailable, asyncio.CancelledError):
                await _Stream(parts, response, connected, feed, last).run()
        return response
    finally:
        parts.streams.dec()


def _keep_little(request: web.Request) -> None:
    own: Any = request.transport.get_extra_info("socket") if request.transport else None
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)


@dataclass(slots=True)
class _Stream:
    parts: Parts
    response: EventSourceResponse
    connected: Callable[[], bool]
    feed: Feed
    last: int
    changed: int = 0  # the number of the last change that was told
    shown: dict[str, Any] | None = None
    warned: float | None = None
    issued: float | None = None

    async def run(self) -> None:
        feed = self.feed
        while not feed.looked:
            await feed.news.wait()
        self.changed = feed.changes.newest
        await self._tell_changeable()  # what the client has already may have changed meanwhile
        while self.response.is_connected() and self.connected():
            news = feed.news
            await self._tell_messages()
            await self._tell_changes()
            if await self._tell_state() or feed.over:
                return
            await self._wait(news)

    async def _wait(self, news: asyncio.Event) -> None:
        """Until there is news; a page hears meanwhile that the line lives, which a comment does not tell it."""
        while True:
            try:
                async with asyncio.timeout(_PING_SECONDS):
                    await news.wait()
                return
            except TimeoutError:
                await self._send("ping", {})

    async def _tell_messages(self) -> None:
        ident = self.feed.state.conversation.id
        while self.last < (upto := self.feed.items.newest):
            fresh = self.feed.items.after(self.last)
            if fresh is None:
                read = await self.parts.door.store.read(page, ident, self.last, PAGE)
                # What the feed has not seen yet it could not tell the changes of.
                fresh = frames(ident, [said for said in read if said.seq <= upto])
            if not fresh:
                return
            for frame in fresh:
                await self.response.send(frame.data, event="message", id=str(frame.seq))
                self.last = frame.seq

    async def _tell_changes(self) -> None:
        changes = self.feed.changes.after(self.changed)
        if changes is None:
            self.changed = self.feed.changes.newest
            await self._tell_changeable()
            return
        for frame in changes:
            await self.response.send(frame.data, event="update")
            self.changed = frame.seq

    async def _tell_changeable(self) -> None:
        ident = self.feed.state.conversation.id
        if self.last:
            for frame in frames(ident, await self.parts.door.store.read(changeable, ident, self.last)):
                await self.response.send(frame.data, event="update")

    async def _tell_state(self) -> bool:
        """True when there is nothing more to come."""
        state = self.feed.state
        conversation = state.conversation
        shown = shown_state(self.parts, state)
        if shown != self.shown:
            self.shown = shown
            await self._send("status", shown)
        if conversation.warned_at and conversation.warned_at != self.warned:
            await self._send("warning", {"endsAt": iso(conversation.due_at)})
        self.warned = conversation.warned_at
        if self.issued is not None and self.feed.issued not in (None, self.issued):
            await self._send("token", {"issuedAt": iso(self.feed.issued)})
        self.issued = self.feed.issued
        if shown["status"] == "ended":
            await self.response.send(as_line(shown), event="ended", id=str(_id_of_end(conversation)))
            return True
        return False

    async def _send(self, event: str, data: dict[str, Any]) -> None:
        await self.response.send(as_line(data), event=event)
