"""One HTTP call to Webex: sent once, never repeated or redirected, every kind of trouble a typed error.

Errors are raised outside the `except` that saw aiohttp's: its exceptions carry the request with its token,
and a chained one would take that into logs.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from bridge.domain.errors import Doubtful, Lapsed, Refused, Throttled, Unavailable, WebexError
from bridge.domain.throttling import OwnedToken
from bridge.ports import Clock
from bridge.webex.gates import LAST_LOOK, Gates, owner_of
from bridge.webex.wire_errors import error_from

LARGEST_ANSWER = 4 * 1024 * 1024
LARGEST_ERROR = 64 * 1024
PRODUCT = "webex-guest-bridge"

OnCall = Callable[[str, str, int | None, float], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer, read whole."""

    url: URL
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class Transport:
    """Calls through `session`; `timeout` in seconds bounds a whole call, half of it the connecting.

    `on_call(method, path template, status or None, seconds)` sees every call. None leaves while its gate is
    closed: Parked.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        timeout: float,
        on_call: OnCall | None = None,
        gates: Gates | None = None,
    ) -> None:
        self.gates = gates or Gates(clock)
        self._session = session
        self._clock = clock
        self._seconds = timeout
        self._timeout = self.timeout_for(timeout)
        self._on_call = on_call
        self._agent = _user_agent()

    def timeout_for(self, total: float) -> aiohttp.ClientTimeout:
        """Connecting has its own end: until then nothing was sent, which is Unavailable, not Doubtful."""
        return aiohttp.ClientTimeout(total=total, connect=self._seconds / 2)

    async def call(
        self,
        method: str,
        url: URL,
        template: str,
        token: str | None,
        *,
        body: bytes | AsyncIterator[bytes] | None = None,
        content_type: str | None = None,
        length: int | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
        secrets: Iterable[str] = (),
        owner: str | None = None,
    ) -> Answer:
        """The 2xx answer, at most 4 MiB. `template`: the path without ids, for metrics. Raises WebexError.

        `owner`: who is throttled by a 429; without it the token says so.
        """
        headers = self._headers(token, "application/json")
        owner = owner or owner_of(token or "")
        self._enter(owner, method, template, token)
        if content_type:
            headers["Content-Type"] = content_type
        if length is not None:
            headers["Content-Length"] = str(length)
        status: int | None = None
        error: WebexError
        started = self._clock.monotonic()
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=timeout or self._timeout,
            ) as response:
                status = response.status
                success = 200 <= status < 300
                content = await _read(response, LARGEST_ANSWER if success else LARGEST_ERROR)
                if success and len(content) <= LARGEST_ANSWER:
                    return Answer(url, status, response.headers, content)
                error = self._refusal(method, response, content, token, secrets)
                self._note(error, owner, method, template)
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as exc:
            error = trouble(method, exc)
        finally:
            if self._on_call:
                self._on_call(method, template, status, self._clock.monotonic() - started)
        raise error

    @asynccontextmanager
    async def stream(self, url: URL, template: str, token: str) -> AsyncGenerator[aiohttp.ClientResponse]:
        """A GET whose body the caller reads: bounded by silence, not as a whole. Raises WebexError."""
        self._enter(owner_of(token), "GET", template, token)
        headers = self._headers(token, "*/*") | {"Accept-Encoding": "identity"}
        timeout = aiohttp.ClientTimeout(total=None, connect=self._seconds / 2, sock_read=self._seconds)
        response, error = await self._open(url, template, token, headers, timeout)
        if error:
            raise error
        assert response is not None
        try:
            yield response
        finally:
            response.close()

    async def _open(
        self, url: URL, template: str, token: str, headers: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> tuple[aiohttp.ClientResponse | None, WebexError | None]:
        status: int | None = None
        started = self._clock.monotonic()
        try:
            response = await self._session.get(url, headers=headers, allow_redirects=False, timeout=timeout)
            status = response.status
            if 200 <= status < 300:
                return response, None
            async with response:
                error = self._refusal("GET", response, await _read(response, LARGEST_ERROR), token, ())
                self._note(error, owner_of(token), "GET", template)
                return None, error
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as exc:
            return None, trouble("GET", exc)
        finally:
            if self._on_call:
                self._on_call("GET", template, status, self._clock.monotonic() - started)

    def _enter(self, owner: str, method: str, template: str, token: str | None) -> None:
        """Now, and once more when there is a connection. Raises Parked, or Lapsed."""
        look = partial(self._check, owner, method, template, token)
        look()
        LAST_LOOK.set(look)

    def _check(self, owner: str, method: str, template: str, token: str | None) -> None:
        self.gates.check(owner, method, template)
        good_until = token.good_until if isinstance(token, OwnedToken) else None
        if good_until is not None and self._clock.monotonic() >= good_until:
            raise Lapsed

    def _note(self, error: WebexError, owner: str, method: str, template: str) -> None:
        if isinstance(error, Throttled):
            self.gates.throttled(owner, method, template, error.retry_after)

    def _headers(self, token: str | None, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": self._agent}
        if token is not None:
            if not (token.isascii() and token.isprintable()):
                raise Refused("the token is malformed")  # aiohttp would drop what it cannot encode
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _refusal(
        self,
        method: str,
        response: aiohttp.ClientResponse,
        body: bytes,
        token: str | None,
        secrets: Iterable[str],
    ) -> WebexError:
        if 200 <= response.status < 300:
            return unreadable(method, Doubtful("the answer is too large", status=response.status))
        hidden = [token or "", *secrets]
        return error_from(response.status, response.headers, body, self._clock.now(), secrets=hidden)


def trouble(method: str, exc: Exception) -> WebexError:
    """What an exception of aiohttp means. It is not quoted: its text may hold what was sent."""
    if isinstance(exc, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Unavailable("Webex cannot be reached: " + _why_unreachable(exc))
    if isinstance(exc, aiohttp.ServerFingerprintMismatch | RuntimeError):
        return Unavailable("the connection to Webex is closed")
    if isinstance(exc, ValueError):
        return Refused("the request cannot be written: an address, a token or a header is malformed")
    late = isinstance(exc, asyncio.TimeoutError)
    what = "Webex did not answer in time" if late else f"the connection broke off ({type(exc).__name__})"
    return Unavailable(what) if method == "GET" else Doubtful(what)


def unreadable(method: str, error: Doubtful) -> WebexError:
    """A 2xx that cannot be read: after a GET nothing was done, the same may simply be asked again."""
    if method != "GET":
        return error
    return Unavailable(error.reason, status=error.status, tracking_id=error.tracking_id)


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body up to the chunk that passes `limit`, counted after decompression."""
    content = response.content
    chunk = await content.readany()
    chunks, size = [chunk], len(chunk)
    while chunk and size <= limit:
        chunk = await content.readany()
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _why_unreachable(exc: Exception) -> str:
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return "its name is not known here"
    if isinstance(exc, aiohttp.ClientSSLError):
        return "no secure connection"
    return "no connection in time" if isinstance(exc, asyncio.TimeoutError) else "no connection"


def _user_agent() -> str:
    try:
        return f"{PRODUCT}/{importlib.metadata.version(PRODUCT)}"
    except importlib.metadata.PackageNotFoundError:
        return PRODUCT
