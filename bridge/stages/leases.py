"""Until when this process may work on a lane, as it can know it by itself: on the clock that never jumps.

A lease ends in the database whether or not its worker is awake to see it: a process may be frozen between any two
steps and wake up when somebody else has long taken over. So each request asks here, when its connection stands and
before its first byte: it leaves only while the lease holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp.connector import Connection

from bridge.domain.errors import BridgeError
from bridge.ports import Clock

_MARGIN_SECONDS = 1.0  # a request must be at Webex before anybody else looks for what it does


class LeaseLost(BridgeError):
    """The lane may be somebody else's by now: nothing more is done of this work, and nothing settled."""


class Lease:
    """A lane that one task of this process works on. `along`: lanes that are kept from others meanwhile."""

    def __init__(self, lane: str, until: float, clock: Clock) -> None:
        self.lane = lane
        self.along: frozenset[str] = frozenset()
        self.job: Any = None
        self._until = until
        self._clock = clock
        self._lost = False

    def check(self) -> None:
        """Raises LeaseLost unless the lease is known to hold for a moment longer."""
        if self._lost or self._clock.monotonic() > self._until - _MARGIN_SECONDS:
            raise LeaseLost(f"the lease on work of the stage {self.lane.partition(':')[0]} is over")

    def move_on(self, until: float) -> None:
        """The store has confirmed it until then; one that is lost stays so."""
        self._until = max(self._until, until)

    def lose(self) -> None:
        """Somebody has claimed the lane anew."""
        self._lost = True


class Leases:
    """The leases of this process's tasks. They last `seconds` from the moment in which they were asked for."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock
        self._by_task: dict[asyncio.Task[Any] | None, Lease] = {}

    def moment(self) -> float:
        """To be noted before a claim is submitted: the answer may find a process that was frozen meanwhile."""
        return self._clock.monotonic()

    def begun(self, lane: str, asked_at: float) -> Lease:
        """A lease that was claimed; `asked_at`: the `moment` of asking."""
        return Lease(lane, asked_at + self.seconds, self._clock)

    @contextmanager
    def held_by_this_task(self, lease: Lease) -> Iterator[None]:
        """What this task asks of others, it asks under the lease. Tasks that it starts are on their own."""
        task = asyncio.current_task()
        self._by_task[task] = lease
        try:
            yield
        finally:
            del self._by_task[task]

    @contextmanager
    def keeping(self, lanes: Iterable[str]) -> Iterator[None]:
        """Keeps the leases on these lanes, too, while the block runs."""
        lease = self._by_task.get(asyncio.current_task())
        if lease is not None:
            lease.along = frozenset(lanes)
        try:
            yield
        finally:
            if lease is not None:
                lease.along = frozenset()

    def present(self) -> Lease | None:
        """This task's lease; None: it works without one."""
        return self._by_task.get(asyncio.current_task())

    def check(self) -> None:
        """Raises LeaseLost where this task works under a lease that may be over."""
        if lease := self.present():
            lease.check()

    def request_class(self) -> type[aiohttp.ClientRequest]:
        """For an aiohttp session: requests that leave only while their task's lease holds."""
        leases = self

        class LeasedRequest(aiohttp.ClientRequest):
            async def send(self, conn: Connection) -> aiohttp.ClientResponse:
                leases.check()
                return await super().send(conn)

        return LeasedRequest
