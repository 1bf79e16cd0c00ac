"""Until when Webex has us wait: every call looks here once more before it leaves.

A 429 also stands in the store (the lanes, and `told`), but what was claimed before it came would leave too early.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

import aiohttp
from aiohttp.client import ClientTimeout
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from bridge.domain.errors import Parked, Throttled
from bridge.domain.throttling import MINTING, OwnedToken, flow_of, flows_of, longest
from bridge.ports import Clock
from bridge.webex.grant import fingerprint

_MANY = 10_000

T = TypeVar("T")
Told = Callable[[str, str, float], None]


def owner_of(token: str) -> str:
    """Whose token it is; one that does not say counts as an owner of its own."""
    return token.owner if isinstance(token, OwnedToken) else fingerprint(token) or ""


class Gates:
    """One for each owner and flow. `told(owner, flow, seconds)` hears of each that a 429 closes.

    Minting is not told: its parks are kept with the guests.
    """

    def __init__(self, clock: Clock, told: Told | None = None) -> None:
        self._clock = clock
        self._told = told
        self._closed: dict[tuple[str, str], float] = {}

    def check(self, owner: str, method: str, path: str) -> None:
        """Raises Parked where this call must not be made yet."""
        if not self._closed:
            return
        now = self._clock.monotonic()
        left = max(self._closed.get((owner, flow), now) - now for flow in flows_of(method, path))
        if left > 0:
            raise Parked(retry_after=left)

    def throttled(self, owner: str, method: str, path: str, seconds: float) -> None:
        """Webex answered 429 to this call."""
        flow = flow_of(method, path)
        self.close(owner, flow, longest(flow, seconds))
        if self._told and flow != MINTING:
            self._told(owner, flow, seconds)

    def close(self, owner: str, flow: str, seconds: float) -> None:
        """Nothing of this flow for so long, or longer where that is known already."""
        now = self._clock.monotonic()
        if len(self._closed) >= _MANY:
            self._closed = {key: until for key, until in self._closed.items() if until > now}
        known = self._closed.get((owner, flow), now)
        self._closed[owner, flow] = max(known, now + seconds)

    async def through(self, owner: str, method: str, path: str, call: Callable[[], Awaitable[T]]) -> T:
        """`call`, where it is made by other means than our own transport."""
        self.check(owner, method, path)
        try:
            return await call()
        except Throttled as error:
            self.throttled(owner, method, path, error.retry_after)
            raise


LAST_LOOK: ContextVar[Callable[[], None] | None] = ContextVar("last_look", default=None)


class Connector(aiohttp.TCPConnector):
    """Looks at the gate (`LAST_LOOK`) once more when there is a connection: on a busy machine it takes a while."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        connection = await super().connect(req, traces, timeout)
        look = LAST_LOOK.get()
        if look is not None:
            try:
                look()
            except BaseException:
                connection.release()
                raise
        return connection
