"""News to the source's own address: signed, in order, only to places we may call, until it is taken."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from bridge.domain.conversation.public import iso
from bridge.domain.reach import is_public
from bridge.domain.retry import MOST_DAYS, callback_wait
from bridge.domain.signing import sign
from bridge.domain.turns import MOST_OF_HOST, free_places
from bridge.ports import Clock
from bridge.stages.leases import Leases
from bridge.store import calls, settling
from bridge.store.calls import CallClaim, Turn
from bridge.store.outbox import Work
from bridge.store.settling import Settled
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
    """The workers of the stage `call`. `more()`: there is room again for news of a source that had none."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        targets: Callable[[], Mapping[str, Target]],
        on_call: Callable[[str, bool], None],
        more: Callable[[], None],
        leases: Leases,
    ) -> None:
        self._store = store
        self._clock = clock
        self._targets = targets
        self._on_call = on_call
        self._more = more
        self._lease = leases.seconds
        self._log = structlog.get_logger()
        self._busy: dict[str, str] = {}  # the source of each lane that is worked
        self._short: set[str] = set()  # sources that may have more than they got
        self._served: dict[str, int] = {}  # when each source was given something last, in claims
        self._claims = 0
        requests = leases.request_class()
        self._public = _session(PublicResolver(), requests)
        self._private = _session(None, requests)

    async def close(self) -> None:
        await asyncio.gather(self._public.close(), self._private.close())

    async def claim(self, room: int) -> Sequence[Work]:
        """Leases only what can be called at once: what waits for a host that is full waits in the store."""
        hosts = {source: _host(target) for source, target in self._targets().items()}
        by_source, free = free_places(hosts, Counter(self._busy.values()))
        longest_ago_first = sorted(hosts, key=lambda source: self._served.get(source, 0))
        turns = tuple(Turn(source, hosts[source], by_source[source]) for source in longest_ago_first)
        wish = CallClaim(self._store.owner, self._clock.now(), self._lease, room, turns, free)
        claimed = await self._store.do(calls.claim, wish)
        self._claims += 1
        for work in claimed:
            self._busy[work.lane] = work.address or ""
            self._served[work.address or ""] = self._claims
        got = Counter(work.address or "" for work in claimed)
        of_host = Counter(hosts.get(work.address or "") for work in claimed)
        self._short = {
            turn.source
            for turn in turns
            if got[turn.source] >= turn.most or of_host[turn.host] >= free[turn.host]
        }
        return claimed

    async def work(self, work: Work) -> Work | None:
        """Attempts one delivery and settles it; the lane's next one, on the same lease and in the same place."""
        following: Work | None = None
        self._busy[work.lane] = work.address or ""
        try:
            following = await self._attempt(work)
        finally:
            if following is None:
                self._leave(work.lane)
        return following

    def _leave(self, lane: str) -> None:
        source = self._busy.pop(lane, "")
        # A few at a time: a claim for each would be a transaction for each.
        if source in self._short and list(self._busy.values()).count(source) <= MOST_OF_HOST // 4:
            self._more()

    async def _attempt(self, work: Work) -> Work | None:
        target = self._targets().get(work.address or "")
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
            session = self._session_for(target)
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

    async def _settle(
        self, work: Work, outcome: str, error: str | None = None, *, again_at: float = 0
    ) -> Work | None:
        settled = Settled(work, outcome, self._clock.now(), self._lease, again_at=again_at, error=error)
        return (await self._store.do(settling.settle, settled)).work


def _session(
    resolver: AbstractResolver | None, requests: type[aiohttp.ClientRequest]
) -> aiohttp.ClientSession:
    """No cookies: what one receiver sets is nothing to another. How many calls at once, the claims see to."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=resolver, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        request_class=requests,
        auto_decompress=False,  # only the status and the head of an answer are read
    )


def _host(target: Target) -> str:
    url = URL(target.url)
    return f"{url.host}:{url.port}"
