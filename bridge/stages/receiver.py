"""A source's receiver: one signed call to it, and only where we may call."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from bridge.domain.conversation.public import iso
from bridge.domain.reach import is_public
from bridge.domain.signing import sign
from bridge.webex.wire_errors import parse_retry_after

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=10)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a source's news goes. Each of `secrets` signs it, the newest first; `headers` go with it."""

    url: str
    secrets: tuple[bytes, ...]
    allow_private: bool
    headers: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Names this receiver as it is configured, so that a change is seen."""
        parts = [
            self.url,
            *(secret.hex() for secret in self.secrets),
            *map(repr, sorted(self.headers.items())),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def host(self) -> str:
        """The host and port that is called."""
        url = URL(self.url)
        return f"{url.host}:{url.port}"


class Answered(NamedTuple):
    """What came of a call: the problem (None: taken), the status (None: no answer), the seconds asked to wait."""

    problem: str | None
    status: int | None = None
    retry_after: float = 0.0


class Forbidden(Exception):
    """The address is one that we do not call."""


class PublicResolver(AbstractResolver):
    """Resolves to public addresses only, on every connection, so DNS rebinding cannot reach a private one."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a host. Raises Forbidden where it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise Forbidden(f"{host} is not a public address")
        return public

    async def close(self) -> None:
        """Closes the resolver."""
        await self._resolver.close()


class Caller:
    """Calls receivers, over sessions of its own: no cookies, no redirects, public addresses unless told otherwise."""

    def __init__(self, requests: type[aiohttp.ClientRequest] = aiohttp.ClientRequest) -> None:
        self._public = _session(PublicResolver(), requests)
        self._private = _session(None, requests)

    async def close(self) -> None:
        """Closes the sessions."""
        await asyncio.gather(self._public.close(), self._private.close())

    async def post(self, target: Target, webhook_id: str, body: bytes, now: float) -> Answered:
        """Posts a body under an id, signed by Standard Webhooks with every secret; it raises nothing."""
        signatures = [sign(secret, webhook_id, int(now), body) for secret in target.secrets]
        headers = {
            **target.headers,
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": " ".join(signatures),
        }
        try:
            session = self._session_for(target)
            async with session.post(
                target.url, data=body, headers=headers, allow_redirects=False, timeout=_TIMEOUT
            ) as response:
                if 200 <= response.status < 300:
                    return Answered(None, response.status)
                asked = response.headers.get("Retry-After")
                wait = parse_retry_after(asked, now) if asked else 0.0
                return Answered(f"the receiver answered {response.status}", response.status, wait)
        except Forbidden as error:
            return Answered(str(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            inner = error.__cause__ if isinstance(error.__cause__, Forbidden) else None
            return Answered(str(inner or f"the receiver could not be reached ({type(error).__name__})"))

    def _session_for(self, target: Target) -> aiohttp.ClientSession:
        if target.allow_private:
            return self._private
        host = URL(target.url).host or ""
        try:
            public = is_public(host)
        except ValueError:
            public = True  # a name, which the resolver judges
        if not public:
            raise Forbidden(f"{host} is not a public address")
        return self._public


def news_body(kind: str, at: float, data: Mapping[str, Any]) -> bytes:
    """Makes the body of one piece of news (contract 7)."""
    return json.dumps({"type": kind, "timestamp": iso(at), "data": data}, ensure_ascii=False).encode()


def _session(
    resolver: AbstractResolver | None, requests: type[aiohttp.ClientRequest]
) -> aiohttp.ClientSession:
    """What one receiver sets is nothing to another. How many calls at once, the claims see to."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=resolver, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        request_class=requests,
        auto_decompress=False,  # only the status and the head of an answer are read
    )
