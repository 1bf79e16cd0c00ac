"""The loop of a stage: claim -> work -> settle, with a bounded number in flight."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from bridge.logs import crash
from bridge.store.writer import StoreUnavailable


class Leased(Protocol):
    @property
    def lane(self) -> str: ...


Job = TypeVar("Job", bound=Leased)

_POLL_SECONDS = 0.2  # how soon a lane whose time has come is noticed when nobody says so
_TROUBLE_SECONDS = 1.0


class Pump(Generic[Job]):
    """`claim(n)` leases up to n jobs; `work(job)` does one and settles it, and gives the lane's next or None."""

    def __init__(
        self,
        name: str,
        claim: Callable[[int], Awaitable[Sequence[Job]]],
        work: Callable[[Job], Awaitable[Job | None]],
        width: int,
    ) -> None:
        self._name = name
        self._claim = claim
        self._work = work
        self._width = width
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._news = asyncio.Event()
        self._stopping = False
        self._log = structlog.get_logger()

    @property
    def lanes(self) -> set[str]:
        """The lanes being worked now: the leases to keep."""
        return set(self._tasks.values())

    def wake(self) -> None:
        self._news.set()

    async def run(self) -> None:
        """Until `stop`. A store that fails is waited for."""
        while not self._stopping:
            self._news.clear()
            room = self._width - len(self._tasks)
            # A few at a time would make a transaction of each; wait until a claim is worth one.
            claimed = await self._claim_safely(room) if room >= self._width // 4 else 0
            if claimed < room or room == 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), _POLL_SECONDS)

    async def stop(self, seconds: float) -> None:
        """Claims nothing more and waits for what is in flight, at most `seconds`."""
        self._stopping = True
        self._news.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1)

    async def _claim_safely(self, room: int) -> int:
        try:
            jobs = await self._claim(room)
        except StoreUnavailable:
            await asyncio.sleep(_TROUBLE_SECONDS)
            return 0
        for job in jobs:
            task = asyncio.create_task(self._follow(job))
            self._tasks[task] = job.lane
            task.add_done_callback(self._finished)
        return len(jobs)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if len(self._tasks) <= self._width // 2:
            self._news.set()

    async def _follow(self, job: Job) -> None:
        """One lane, delivery after delivery, while its lease lasts."""
        following: Job | None = job
        while following is not None:
            try:
                following = await self._work(following)
            except StoreUnavailable:
                return  # not settled: the lease runs out and somebody looks again
            except Exception as error:  # noqa: BLE001 - one delivery must not stop its stage
                self._log.error("work.crashed", stage=self._name, **crash(error))
                return
            if self._stopping:
                return
