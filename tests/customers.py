"""A customer at a kiosk or a form, as the public API sees one: a conversation's id and its key."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Any


class News(NamedTuple):
    """One server-sent event; `id` is None where it had none."""

    event: str
    id: int | None
    data: Any


@dataclass
class Stream:
    """What a stream has told so far. `ended`: the server closed it."""

    news: list[News] = field(default_factory=list)
    ended: bool = False

    def of(self, event: str) -> list[Any]:
        """The data of every event of this name."""
        return [each.data for each in self.news if each.event == event]

    @property
    def texts(self) -> list[str]:
        """The words of messages that came with an id: each message once."""
        return [each.data["text"] for each in self.news if each.event == "message" and each.id is not None]

    @property
    def last_id(self) -> int:
        return max((each.id for each in self.news if each.id is not None), default=0)


class Customer:
    def __init__(self, session: aiohttp.ClientSession, url: str, ident: str, key: str) -> None:
        self.id, self.key = ident, key
        self._session = session
        self._root = url
        self._url = f"{url}/v1/conversations/{ident}"
        self._headers = {"Authorization": f"Bearer {key}"}

    async def call(self, method: str, path: str = "", **options: Any) -> Answer:
        headers = self._headers | options.pop("headers", {})
        async with self._session.request(method, self._url + path, headers=headers, **options) as answer:
            body = await (answer.json() if "json" in answer.content_type else answer.read())
            return Answer(answer.status, body, answer.headers)

    async def state(self) -> Any:
        """The conversation's state. AssertionError unless the answer is 200."""
        answer = await self.call("GET")
        assert answer.status == 200, answer
        return answer.body

    async def status(self) -> str:
        return str((await self.state())["status"])

    async def messages(self, after: int = 0) -> list[Any]:
        answer = await self.call("GET", "/messages", params={"after": after})
        assert answer.status == 200, answer
        return list(answer.body["items"])

    async def transcript(self) -> list[tuple[str, str]]:
        """(from, text) of every message."""
        return [(item["from"], item["text"]) for item in await self.messages()]

    async def heard(self) -> list[str]:
        """What agents said."""
        return [text for author, text in await self.transcript() if author == "agent"]

    async def say(self, text: str, idempotency_key: str | None = None) -> Answer:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return await self.call("POST", "/messages", json={"text": text}, headers=headers)

    async def upload(self, name: str, media_type: str, data: bytes, text: str | None = None) -> Answer:
        form = aiohttp.FormData(quote_fields=False)
        if text is not None:
            form.add_field("text", text)
        form.add_field("file", data, filename=name, content_type=media_type)
        return await self.call("POST", "/messages", data=form)

    async def download(self, url: str) -> Answer:
        """A file by the `url` of a message's item."""
        async with self._session.get(self._root + url, headers=self._headers) as answer:
            return Answer(answer.status, await answer.read(), answer.headers)

    async def end(self) -> Answer:
        return await self.call("POST", "/end")

    @asynccontextmanager
    async def stream(self, last_event_id: int | None = None) -> AsyncIterator[Stream]:
        """Collects server-sent events until the block is left."""
        headers = dict(self._headers)
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        stream = Stream()
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{self._url}/stream", headers=headers, timeout=timeout) as answer:
            assert answer.status == 200, await answer.text()
            reader = asyncio.create_task(_collect(answer, stream))
            try:
                yield stream
            finally:
                reader.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reader


async def _collect(answer: aiohttp.ClientResponse, stream: Stream) -> None:
    fields: dict[str, str] = {}
    with contextlib.suppress(aiohttp.ClientError):
        async for raw in answer.content:
            line = raw.decode().rstrip("\r\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(":")
                fields[name] = fields.get(name, "") + value.removeprefix(" ")
            elif not line and fields:
                ident = int(fields["id"]) if "id" in fields else None
                stream.news.append(News(fields.get("event", "message"), ident, json.loads(fields["data"])))
                fields = {}
    stream.ended = True
