"""What every call to Webex shares: addresses, reading answers, following pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import structlog
from pydantic_core import to_json
from yarl import URL

from bridge.domain.errors import Doubtful, Refused, WebexError
from bridge.ports import Clock
from bridge.webex import wire
from bridge.webex.gates import Gates
from bridge.webex.transport import Answer, OnCall, Transport, trouble, unreadable
from bridge.webex.wire import Message, Webhook
from bridge.webex.wire_links import next_link, same_origin

JSON_TYPE = "application/json"
CHUNK = 65536
_MOST_TOLD = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, newest first. `more`: there are older ones; ask again with `before_message`: the last id."""

    items: tuple[Message, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class FileStream:
    """An open file of a message. `name` is safe to show and store; `size` in bytes where Webex tells it."""

    name: str
    content_type: str
    size: int | None
    _response: aiohttp.ClientResponse = field(repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content, once, at most 64 KiB at a time. Raises Unavailable when it breaks off."""
        error: WebexError | None = None
        try:
            async for chunk in self._response.content.iter_chunked(CHUNK):
                yield chunk
        except (aiohttp.ClientError, OSError) as exc:
            error = trouble("GET", exc)
        if error:
            raise error


class Caller:
    """Calls below `base_url` through one aiohttp session."""

    def __init__(
        self,
        base_url: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        timeout: float,
        on_call: OnCall | None,
        gates: Gates | None,
    ) -> None:
        self._root = base_url.rstrip("/")
        self._base = URL(self._root)
        self._timeout = timeout
        self._transport = Transport(session, clock, timeout=timeout, on_call=on_call, gates=gates)
        self.gates = self._transport.gates
        self._told: set[str] = set()
        self._log = structlog.get_logger()

    def _listed(self, parse: Callable[..., T]) -> Callable[[bytes], T]:
        """`parse` for a list: what is left out of it is logged, once."""
        return partial(parse, skipped=self._skipped)

    def _skipped(self, why: str) -> None:
        if why in self._told:
            return
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        self._told.add(why)
        self._log.warning("webex.item_skipped", reason=why)

    def _url(self, path: str, ident: str | None = None, **query: str | None) -> URL:
        if ident is not None:
            if ident in ("", ".", ".."):
                raise Refused("an id is empty or a path")
            path = path.replace("{id}", quote(ident, safe="", errors="replace"))
        given = {key: value for key, value in query.items() if value is not None}
        tail = "?" + urlencode(given, errors="replace") if given else ""
        return URL(self._root + path + tail, encoded=True)

    async def _get(
        self,
        path: str,
        token: str,
        parse: Callable[[bytes], T],
        ident: str | None = None,
        **query: str | None,
    ) -> T:
        answer = await self._transport.call("GET", self._url(path, ident, **query), path, token)
        return parsed("GET", parse, answer)

    async def _write(
        self, method: str, path: str, token: str, fields: dict[str, str], ident: str | None = None
    ) -> Webhook:
        answer = await self._transport.call(
            method,
            self._url(path, ident),
            path,
            token,
            body=to_json(fields),
            content_type=JSON_TYPE,
            secrets=(fields.get("secret", ""),),
        )
        return wire.parse_webhook(answer.body)

    async def _delete(self, path: str, token: str, ident: str) -> None:
        await self._transport.call("DELETE", self._url(path, ident), path, token)

    def _next(self, answer: Answer) -> tuple[URL | None, bool]:
        """The next page's address, if it may be followed, and whether there is a next page at all."""
        url = next_link(answer.headers.getall("Link", ()), answer.url)
        return (url if url and same_origin(url, self._base) else None), url is not None


def parsed(method: str, parse: Callable[[bytes], T], answer: Answer) -> T:
    try:
        return parse(answer.body)
    except Doubtful as exc:
        raise unreadable(method, exc) from None
