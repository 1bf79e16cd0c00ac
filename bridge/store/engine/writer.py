"""The way to the store's one writer: calls gather while it commits the ones before, then go together.

It commits in a thread of this process, or in a process of its own: `bridge run` uses the latter, for two
threads that are both busy in Python share one interpreter lock (docs/performance.md says what that costs).
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog

from bridge.logs import OF_NO_REQUEST
from bridge.store.engine.committer import Call, Committer, Item, Operation, Result, StoreUnavailable

_DRAIN_SECONDS = 4.0
_DRAIN_SHARE, _END_SHARE = 0.6, 0.3  # of the time that a stop has
_HANGS_SECONDS = 10.0  # as long as a lease: what waited longer than that is somebody else's by now
_MOST = 1024  # calls in one transaction: bounds how long a lone caller waits behind a burst

_Pending = tuple[Operation[Any, Any], Any, "asyncio.Future[Any]"]
Answered = Callable[[list[Any]], None]
Lost = Callable[[str], None]


class Lane(Protocol):
    """Where batches are committed, one at a time."""

    async def start(self, answered: Answered, lost: Lost) -> None:
        """`answered(results)` is called in the loop for each batch; `lost(why)` once, when no more will be."""

    def send(self, batch: Sequence[Call]) -> None: ...

    async def stop(self, seconds: float) -> None:
        """Waits for its end, at most `seconds`."""


class Writer:
    """`submit` may be awaited by any number of tasks of one event loop. `lost(why)` hears of the writer's death."""

    def __init__(self, lane: Lane, lost: Lost = lambda _: None) -> None:
        self._lane = lane
        self._on_lost = lost
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[_Pending] = deque()
        self._later: deque[_Pending] = deque()
        self._under_way: list[_Pending] = []
        self._sent_at = 0.0
        self._alone: _Pending | None = None  # the last one that waits for a transaction of its own
        self._flush_at = 0.0
        self._planned = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._gone = "the store is not started"
        self.failed: str | None = (
            None  # why the database did not take a change; whoever tries it again clears it
        )

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._lane.start(self._answered, self._lost)
        self._gone = ""

    async def stop(self, seconds: float) -> None:
        """Finishes what was submitted, then ends. A database that hangs is not waited for longer than `seconds`."""
        if self._loop is not None:
            self._flush()
            try:
                await asyncio.wait_for(self._idle.wait(), min(_DRAIN_SECONDS, seconds * _DRAIN_SHARE))
            except TimeoutError:
                structlog.get_logger().error(
                    "store.not_drained", calls=len(self._under_way) + len(self._waiting)
                )
            self._gone = "the store is closed"
            await self._lane.stop(seconds * _END_SHARE)

    def submit(self, operation: Operation[Item, Result], item: Item) -> asyncio.Future[Result]:
        """A future of the result for `item`, set after the commit; it may raise StoreUnavailable.

        What one turn of the loop submits is committed together.
        """
        pending = self._pending(operation, item)
        if getattr(operation, "alone", False):
            self._flush()
            self._alone = pending
        self._waiting.append(pending)
        self._plan()
        self._look_for_a_hang()
        return pending[2]

    def submit_later(
        self, operation: Operation[Item, Result], item: Item, within: float
    ) -> asyncio.Future[Result]:
        """The same for what need not be on disk at once: it goes with the next transaction, `within` seconds."""
        pending = self._pending(operation, item)
        assert self._loop is not None
        flush_at = self._loop.time() + within
        if not self._later or flush_at < self._flush_at:
            self._flush_at = flush_at
            self._loop.call_later(within, self._flush)
        self._later.append(pending)
        return pending[2]

    def _pending(self, operation: Operation[Any, Any], item: Any) -> _Pending:
        if self._gone or self._loop is None:
            raise StoreUnavailable(self._gone)
        return operation, item, self._loop.create_future()

    def _look_for_a_hang(self) -> None:
        """Senders are not kept waiting for a database that does not answer, nor are their events piled up."""
        assert self._loop is not None
        if self._under_way and self._loop.time() - self._sent_at > _HANGS_SECONDS:
            self._refuse(f"the database has not answered for {_HANGS_SECONDS:g} seconds")

    def _flush(self) -> None:
        if self._later:
            self._waiting.extend(self._later)
            self._later.clear()
            self._plan()

    def _plan(self) -> None:
        self._idle.clear()
        if not self._planned and not self._under_way:
            self._planned = True
            assert self._loop is not None
            self._loop.call_soon(self._send, context=OF_NO_REQUEST)

    def _send(self) -> None:
        self._planned = False
        if self._alone is None:
            self._waiting.extendleft(reversed(self._later))
        else:
            self._waiting.extend(self._later)  # what came before that one was put there with it
        self._later.clear()
        if self._gone or not self._waiting:
            self._idle.set()
            return
        self._under_way = self._next_batch()
        assert self._loop is not None
        self._sent_at = self._loop.time()
        try:
            self._lane.send([(operation, item) for operation, item, _ in self._under_way])
        except Exception as error:  # noqa: BLE001 - whoever waits for these calls must hear of it
            self._loop.call_soon(self._answered, [error] * len(self._under_way), context=OF_NO_REQUEST)

    def _next_batch(self) -> list[_Pending]:
        """What goes together. An operation that is `alone` has a transaction of its own, between what was submitted
        before and after it."""
        if self._alone is None:
            return [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]
        batch: list[_Pending] = []
        while self._waiting and len(batch) < _MOST and not (batch and _is_alone(self._waiting[0])):
            batch.append(pending := self._waiting.popleft())
            if _is_alone(pending):
                self._alone = None if pending is self._alone else self._alone
                break
        return batch

    def _answered(self, results: list[Any]) -> None:
        answered, self._under_way = self._under_way, []
        if self._waiting:
            self._send()
        else:
            self._idle.set()
        for (_, _, future), result in zip(answered, results, strict=True):
            if future.done():  # the caller was cancelled; the change stands
                continue
            if isinstance(result, StopIteration):  # which a future does not take
                future.set_exception(RuntimeError("StopIteration"))
            elif isinstance(result, Exception):
                if isinstance(result, StoreUnavailable):
                    self.failed = str(result)
                future.set_exception(result)
            else:
                future.set_result(result)

    def _lost(self, why: str) -> None:
        self._gone = why
        self._refuse(why)
        self._under_way = []
        self._idle.set()
        self._on_lost(why)

    def _refuse(self, why: str) -> None:
        """Whoever waits hears that nothing is known to be stored; what was not sent yet never will be."""
        for _, _, future in (*self._under_way, *self._waiting, *self._later):
            if not future.done():
                future.set_exception(StoreUnavailable(why))
        self._waiting.clear()
        self._alone = None
        self._later.clear()


def _is_alone(pending: _Pending) -> bool:
    return getattr(pending[0], "alone", False)


class ThreadLane:
    """Commits in a thread of this process."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._batches: queue.SimpleQueue[Sequence[Call] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    async def start(self, answered: Answered, lost: Lost) -> None:
        self._loop, self._answered = asyncio.get_running_loop(), answered
        self._thread.start()

    def send(self, batch: Sequence[Call]) -> None:
        self._batches.put(batch)

    async def stop(self, seconds: float) -> None:
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join, seconds)

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                results = self._committer.commit(batch)
            except Exception as error:  # noqa: BLE001 - these calls fail, the thread goes on
                results = [error] * len(batch)
            try:
                self._loop.call_soon_threadsafe(self._answered, results)
            except RuntimeError:  # the loop closed while we committed: nobody waits any more
                break
        self._committer.hang_up()
