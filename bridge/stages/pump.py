"""The loop of a stage: claim -> work -> settle, with a bounded number in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import structlog

from bridge.domain.errors import crash
from bridge.logs import OF_NO_REQUEST
from bridge.stages.leases import Lease, LeaseLost, Leases
from bridge.store.engine.committer import StoreUnavailable


class Leased(Protocol):
    @property
    def lane(self) -> str: ...


Job = TypeVar("Job", bound=Leased)

_POLL_SECONDS = 0.2  # how soon a lane whose time has come is noticed when nobody says so
_TROUBLE_SECONDS = 1.0
_CANCELLED_SECONDS = 1.0


class Pump(Generic[Job]):
    """`claim(n)` leases up to n jobs; `work(job)` does one and settles it, and gives the lane's next or None.

    `give_back(job)`: that next one is not worked after all. Not needed where `work` always gives None.
    A lane has one task at a time here, whatever the claims give.
    """

    def __init__(
        self,
        name: str,
        claim: Callable[[int], Awaitable[Sequence[Job]]],
        work: Callable[[Job], Awaitable[Job | None]],
        width: int,
        leases: Leases,
        give_back: Callable[[Job], Awaitable[object]] | None = None,
    ) -> None:
        self._name = name
        self._claim = claim
        self._work = work
        self._width = width
        self._leases = leases
        self._give_back = give_back
        self._tasks: dict[asyncio.Task[None], Lease] = {}
        self._behind: dict[str, tuple[Job, Lease]] = {}  # claimed while the lane's former task was not over
        self._since: dict[str, float] = {}
        self.moved_at = 0.0  # by the loop's clock, when something was last claimed or ended
        self._claiming: asyncio.Future[Sequence[Job]] | None = None
        self._news = False  # there may be more to claim than was claimed so far
        self._stopping = False
        self._over = False  # nothing is begun any more, for nobody would see it to its end
        self._log = structlog.get_logger()

    @property
    def leases(self) -> list[Lease]:
        """The leases to keep."""
        return [*self._tasks.values(), *(lease for _, lease in self._behind.values())]

    @property
    def lanes(self) -> set[str]:
        """The lanes being worked now."""
        return {lease.lane for lease in self.leases}

    def longest(self, now: float) -> float:
        """Seconds since the oldest job under way was begun, by the loop's clock."""
        return now - min(self._since.values(), default=now)

    def wake(self) -> None:
        """Claims at once, or when the claim under way is back and there is room."""
        self.claim_now()

    def claim_now(self) -> bool:
        """The same; True: at once. A claim submitted right behind something else sees what that has done."""
        room = self._width - len(self._tasks) - len(self._behind)
        # A few at a time would make a transaction of each; wait until a claim is worth one.
        self._news = self._claiming is not None or room < max(1, self._width // 4)
        if self._news or self._stopping:
            return False
        asked_at = self._leases.moment()
        self._claiming = self._begin_claim(room)
        self._claiming.add_done_callback(partial(self._claimed, room, asked_at), context=OF_NO_REQUEST)
        return not self._claiming.done()

    def _begin_claim(self, room: int) -> asyncio.Future[Sequence[Job]]:
        """Whoever brought the news must not suffer from a claim that cannot even be submitted."""
        try:
            return OF_NO_REQUEST.copy().run(asyncio.ensure_future, self._claim(room))
        except Exception as error:  # noqa: BLE001 - told by `_claimed`
            failed: asyncio.Future[Sequence[Job]] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    async def run(self) -> None:
        """Until `stop`. A store that fails is waited for."""
        while not self._stopping:
            self.wake()
            await asyncio.sleep(_POLL_SECONDS)

    async def stop(self, seconds: float) -> None:
        """Claims nothing more and waits for what is in flight, at most `seconds` in all; what is not done then is
        cancelled, and has a second more to say so."""
        self._stopping = True
        until = self._leases.moment() + seconds
        if self._claiming:
            await asyncio.wait([self._claiming], timeout=seconds)
        while self._tasks and (left := until - self._leases.moment()) > 0:
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        self._over = True
        if late := set(self._tasks):
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=_CANCELLED_SECONDS)

    def _claimed(self, room: int, asked_at: float, claimed: asyncio.Future[Sequence[Job]]) -> None:
        error = asyncio.CancelledError() if claimed.cancelled() else claimed.exception()
        if error is not None:
            if self._stopping:
                return
            if not isinstance(error, StoreUnavailable):
                self._log.error("claim.crashed", stage=self._name, **crash(error))
            asyncio.get_running_loop().call_later(_TROUBLE_SECONDS, self._rested)
            return
        self._claiming = None
        jobs = claimed.result()
        if jobs:
            self._move()
        working = {lease.lane: lease for lease in self._tasks.values()} if jobs else {}
        for job in jobs:
            lease = self._leases.begun(job.lane, asked_at)
            lease.job = job
            if former := working.get(job.lane):
                # It was just settled and is about to end; or its lease was over, and it must do nothing more.
                former.lose()
                self._behind[job.lane] = (job, lease)
            else:
                self._begin(job, lease)
        if self._news or len(jobs) >= room:
            self.wake()

    def _begin(self, job: Job, lease: Lease) -> None:
        if self._over:
            return
        task = asyncio.create_task(self._follow(job, lease), context=OF_NO_REQUEST)
        self._tasks[task] = lease
        task.add_done_callback(self._finished)

    def _rested(self) -> None:
        self._claiming = None
        self.wake()

    def _move(self) -> float:
        self.moved_at = asyncio.get_running_loop().time()
        return self.moved_at

    def _finished(self, task: asyncio.Task[None]) -> None:
        lane = self._tasks.pop(task).lane
        self._since.pop(lane, None)
        self._move()
        if lane in self._behind:
            self._begin(*self._behind.pop(lane))
        if task.cancelled() and not self._stopping:  # by what it waited for: its lease runs out
            self._log.error("work.crashed", stage=self._name, **crash(asyncio.CancelledError()))
        if self._news and len(self._tasks) <= self._width // 2:
            self.wake()

    async def _follow(self, job: Job, lease: Lease) -> None:
        """One lane, delivery after delivery, while its lease lasts."""
        following: Job | None = job
        with self._leases.held_by_this_task(lease):
            while following is not None:
                lease.job = following
                begun_at = self._leases.moment()
                self._since[job.lane] = self._move()
                try:
                    following = await self._work(following)
                    if following is not None and self._stopping and self._give_back is not None:
                        await self._give_back(following)
                        return
                except StoreUnavailable:
                    return  # not settled: the lease runs out and somebody looks again
                except LeaseLost as lost:
                    conversation = getattr(lease.job, "conversation_id", None)
                    self._log.warning("lease.lost", conversation=conversation, reason=str(lost))
                    return
                except Exception as error:  # noqa: BLE001 - one delivery must not stop its stage
                    self._log.error("work.crashed", stage=self._name, **crash(error))
                    return
                lease.move_on(begun_at + self._leases.seconds)  # the settle was asked for after that
