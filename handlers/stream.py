"""GET .../stream: the conversation as server-sent events, resumable without a gap."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bridge.domain.model import Said
from bridge.domain.public import iso, message_item
from bridge.store import reads
from bridge.store.committer import StoreUnavailable
from bridge.store.reads import State
from handlers.customer import customer_of, number, shown_state
from handlers.origins import CORS
from handlers.parts import PARTS, Parts
from handlers.problems import DATA_HEADERS, Problem

_PING_SECONDS = 15.0
_PAGE = 500
_MOST_STREAMS = 64


async def get_stream(request: web.Request) -> web.StreamResponse:
    """Events `message`, `update`, `status`, `warning`, `token`, `ended`.

    Each item comes once as `message`, with its seq as id; what changes about it later (its delivery, an
    agent's correction) is an `update` without an id, so that Last-Event-ID stays the newest seq. A
    Last-Event-ID that is none of ours counts as 0: too much is better than something missed.
    """
    parts = request.app[PARTS]
    state = await customer_of(request, request.query.get("key"))
    ident = state.conversation.id
    if parts.open_streams[ident] >= _MOST_STREAMS:
        raise Problem(429, "This conversation has too many open streams.", retry_after=_PING_SECONDS)
    given = request.headers.get("Last-Event-ID") or request.query.get("lastEventId") or "0"
    last = min(number(given) or 0, state.conversation.last_seq)
    headers = DATA_HEADERS | request[CORS]
    parts.open_streams[ident] += 1
    parts.streams.inc()
    try:
        async with sse_response(request, headers=headers, sep="\n", ping_interval=_PING_SECONDS) as response:
            # The browser went away, reads nothing for minutes, or the store fails: it comes back and resumes.
            with contextlib.suppress(ConnectionError, TimeoutError, StoreUnavailable, asyncio.CancelledError):
                await _Stream(parts, response, state, last).run()
        return response
    finally:
        parts.streams.dec()
        parts.open_streams[ident] -= 1
        if not parts.open_streams[ident]:
            del parts.open_streams[ident]


@dataclass(slots=True)
class _Stream:
    parts: Parts
    response: EventSourceResponse
    state: State
    last: int
    shown: dict[str, Any] | None = None
    versions: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    warned: float | None = None
    issued: float | None = None

    async def run(self) -> None:
        conversation = self.state.conversation
        topics = (conversation.id, f"team:{conversation.team}", f"guest:{conversation.guest_id}")
        with self.parts.bus.listen(*topics) as news:
            await self._tell_changes()  # what the client has already may have changed meanwhile
            while not self.parts.draining() and self.response.is_connected():
                news.clear()
                state = await self.parts.door.store.read(reads.conversation_state, conversation.id)
                if state is None:
                    return
                await self._tell_messages()
                if await self._tell_state(state):
                    return
                if state.conversation.team != conversation.team:
                    self.state, conversation = state, state.conversation
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), self.parts.stream_floor_seconds)

    async def _tell_messages(self) -> None:
        ident = self.state.conversation.id
        while True:
            fresh = await self.parts.door.store.read(reads.transcript, ident, self.last, _PAGE)
            for said in fresh:
                self.versions[said.seq] = _version(said)
                await self._send("message", message_item(ident, said), said.seq)
                self.last = said.seq
            if len(fresh) < _PAGE:
                break
        await self._tell_changes()

    async def _tell_changes(self) -> None:
        ident = self.state.conversation.id
        for said in await self.parts.door.store.read(reads.changed_before, ident, self.last):
            if self.versions.get(said.seq) != _version(said):
                self.versions[said.seq] = _version(said)
                await self._send("update", message_item(ident, said))

    async def _tell_state(self, state: State) -> bool:
        """True when there is nothing more to come."""
        conversation = state.conversation
        shown = shown_state(self.parts, state)
        if shown != self.shown:
            self.shown = shown
            await self._send("status", shown)
        if conversation.warned_at and conversation.warned_at != self.warned:
            await self._send("warning", {"endsAt": iso(conversation.due_at)})
        self.warned = conversation.warned_at
        await self._tell_token(state)
        if shown["status"] == "ended":
            await self._send("ended", shown)
            return True
        return False

    async def _tell_token(self, state: State) -> None:
        """That there is a newer guest token to fetch, where the source shares it."""
        source = self.parts.door.sources().get(state.conversation.source)
        if source is None or not source.share_guest_token:
            return
        issued = await self.parts.door.store.read(reads.token_issued_at, state.conversation.guest_id)
        if self.issued is not None and issued != self.issued:
            await self._send("token", {"issuedAt": iso(issued)})
        self.issued = issued

    async def _send(self, event: str, data: dict[str, Any], seq: int | None = None) -> None:
        # In ASCII: no character of a text is a line's end to anybody who reads this line by line.
        await self.response.send(json.dumps(data), event=event, id=None if seq is None else str(seq))


def _version(said: Said) -> tuple[Any, ...]:
    return said.delivery, said.text, said.html
