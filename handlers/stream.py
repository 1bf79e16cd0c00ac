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
from bridge.store.reads import State
from handlers.customer import customer_of, number, shown_state
from handlers.parts import PARTS, Parts

_PING_SECONDS = 15.0
_PAGE = 500


async def get_stream(request: web.Request) -> web.StreamResponse:
    """Events `message`, `status`, `warning`, `token`, `ended`; `id:` is the message's seq.

    What changes about a message that was sent before (its delivery, an agent's correction) comes as a
    `message` without an id, so that Last-Event-ID stays the newest seq.
    """
    parts = request.app[PARTS]
    state = await customer_of(request, request.query.get("key"))
    last = number(
        request.headers.get("Last-Event-ID") or request.query.get("lastEventId") or "0", "Last-Event-ID"
    )
    async with sse_response(request, headers=request.get("cors"), ping_interval=_PING_SECONDS) as response:
        parts.streams.inc()
        try:
            await _Stream(parts, response, state, last).run()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the customer's browser went away
        finally:
            parts.streams.dec()
    return response


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
                await self._send("message", message_item(ident, said))

    async def _tell_state(self, state: State) -> bool:
        """True when there is nothing more to come."""
        conversation = state.conversation
        shown = shown_state(self.parts, state)
        dead = (
            conversation.key_dead_at is not None and conversation.key_dead_at <= self.parts.door.clock.now()
        )
        if dead and shown["status"] != "ended":
            shown = {
                **shown,
                "status": "ended",
                "endReason": "customer",
                "endedAt": iso(conversation.key_dead_at),
            }
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
        await self.response.send(
            json.dumps(data, ensure_ascii=False), event=event, id=str(seq) if seq is not None else None
        )


def _version(said: Said) -> tuple[Any, ...]:
    return said.delivery, said.text, said.html
