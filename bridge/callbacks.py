"""News to the source's own address: signed, in order, only to places we may call, until it is taken."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from bridge.domain.public import iso
from bridge.domain.reach import is_public
from bridge.domain.retry import MOST_DAYS, callback_wait
from bridge.domain.signing import sign
from bridge.leases import Leases
from bridge.ports import Clock
from bridge.store import outbox
from bridge.store.outbox import Claim, Settled, Work
from bridge.store.store import Store
from bridge.webex.wire_errors import parse_retry_after

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=10)
_LONGEST_RETRY_AFTER = 86400.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a source's news goes. `secret` signs it."""

    url: str
    secret: bytes
    allow_private: bool


class Forbidden(Exception):
    """The address is one that we do not call."""


class PublicResolver(AbstractResolver):
    """Gives only public addresses, at every connection: a name that changes its mind gains nothing."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise Forbidden(f"{host} is not a public address")
        return public

    async def close(self) -> None:
        await self._resolver.close()


class Callbacks:
    """The workers of the stage `call`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        target_of: Callable[[str], Target | None],
        on_call: Callable[[str, bool], None],
        leases: Leases,
    ) -> None:
        self._store = store
        self._clock = clock
        self._target_of = target_of
        self._on_call = on_call
        self._lease = leases.seconds
        self._log = structlog.get_logger()
        requests = leases.request_class()
        self._public = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=PublicResolver(), limit=64), request_class=requests
        )
        self._private = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=64), request_class=requests
        )

    async def close(self) -> None:
        await asyncio.gather(self._public.close(), self._private.close())

    async def claim(self, room: int) -> Sequence[Work]:
        wish = Claim("call", self._store.owner, self._clock.now(), self._lease, room)
        return await self._store.do(outbox.claim, wish)

    async def work(self, work: Work) -> Work | None:
        target = self._target_of(work.address or "")
        if target is None:
            return await self._settle(work, "dead", "the source has no callback any more")
        problem, gone, retry_after = await self._post(work, target)
        self._on_call(work.address or "", problem is None)
        if problem is None:
            return await self._settle(work, "done")
        now = self._clock.now()
        self._log.warning(
            "callback.failed",
            conversation=work.conversation_id,
            delivery=work.id,
            attempt=work.attempt,
            reason=problem,
        )
        if gone or now - work.created_at > MOST_DAYS * 86400:
            return await self._settle(work, "dead", problem)
        wait = max(callback_wait(work.attempt, self._clock.chance()), min(retry_after, _LONGEST_RETRY_AFTER))
        return await self._settle(work, "again", problem, again_at=now + wait)

    async def _post(self, work: Work, target: Target) -> tuple[str | None, bool, float]:
        """(what went wrong or None, whether for good, the seconds the receiver asks us to wait)."""
        payload = json.loads(work.payload)
        body = json.dumps(
            {"type": payload["type"], "timestamp": iso(payload["at"]), "data": payload["data"]},
            ensure_ascii=False,
        ).encode()
        webhook_id = f"news_{work.conversation_id}_{work.id}"
        timestamp = int(self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(target.secret, webhook_id, timestamp, body),
        }
        try:
            session = self._session(target)
            async with session.post(
                target.url, data=body, headers=headers, allow_redirects=False, timeout=_TIMEOUT
            ) as response:
                if 200 <= response.status < 300:
                    return None, False, 0
                asked = response.headers.get("Retry-After")
                wait = parse_retry_after(asked, self._clock.now()) if asked else 0.0
                return f"the receiver answered {response.status}", response.status == 410, wait
        except Forbidden as error:
            return str(error), False, 0
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            inner = error.__cause__ if isinstance(error.__cause__, Forbidden) else None
            return str(inner or f"the receiver could not be reached ({type(error).__name__})"), False, 0

    def _session(self, target: Target) -> aiohttp.ClientSession:
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

    async def _settle(
        self, work: Work, outcome: str, error: str | None = None, *, again_at: float = 0
    ) -> Work | None:
        settled = Settled(work, outcome, self._clock.now(), self._lease, again_at=again_at, error=error)
        return (await self._store.do(outbox.settle, settled)).work
