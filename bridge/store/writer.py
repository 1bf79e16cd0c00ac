"""Group commit: one thread owns the writing connection and commits whatever arrived while it last committed.

An *operation* is a plain function `(connection, items) -> results`, one result per item. Calls of the same
operation that arrive together become one call with all their items, and everything that arrives together
becomes one transaction. That is what makes an fsync per event affordable (see docs/performance.md).

Two attributes of an operation's function matter here. `rank`: within a transaction lower ranks (default 0) go
first, so that an event can be stored, decided and claimed in one. `begin(connection)`: called before anything
else of a transaction with that operation, for a lock that must be taken before any row's.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from bridge.domain.errors import BridgeError

Item = TypeVar("Item")
Result = TypeVar("Result")
Operation = Callable[[Connection, Sequence[Item]], Sequence[Result]]
_Call = tuple[Operation[Any, Any], Any, "asyncio.Future[Any]"]

_MOST = 1024  # items in one transaction: bounds how long a lone caller waits behind a burst
_TRIES = 3  # of one call alone, after a deadlock or a lost connection
_LATER_SECONDS = 0.05


class StoreUnavailable(BridgeError):
    """The database could not take the change now (full, locked, read-only, gone). Nothing was stored."""


class Writer:
    """Runs operations in its own thread. `submit` may be awaited by any number of tasks of one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._later: deque[_Call] = deque()
        self._connection: Connection | None = None
        self._log = structlog.get_logger()
        self.transactions = 0
        self.items = 0

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Finishes what was submitted, then ends the thread."""
        if self._thread.ident is not None:
            self._flush()
            self._calls.put(None)
            await asyncio.to_thread(self._thread.join)

    def submit(self, operation: Operation[Item, Result], item: Item) -> asyncio.Future[Result]:
        """A future of the result for `item`, set after the commit; it may raise StoreUnavailable."""
        if self._loop is None:
            raise StoreUnavailable("the store is not started")
        future: asyncio.Future[Result] = self._loop.create_future()
        self._calls.put((operation, item, future))
        return future

    def submit_later(self, operation: Operation[Item, Result], item: Item) -> asyncio.Future[Result]:
        """The same for what need not be on disk at once: it goes with the next transaction, within 50 ms."""
        if self._loop is None:
            raise StoreUnavailable("the store is not started")
        future: asyncio.Future[Result] = self._loop.create_future()
        if not self._later:
            self._loop.call_later(_LATER_SECONDS, self._flush)
        self._later.append((operation, item, future))
        return future

    def _flush(self) -> None:
        while self._later:
            self._calls.put(self._later.popleft())

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._arrived()
            if batch:
                self._settle(self._commit(batch))
        self._hang_up()

    def _arrived(self) -> tuple[list[_Call], bool]:
        """Waits for a call, then takes what came with it. The flag says that this was the last batch."""
        batch: list[_Call] = []
        call = self._calls.get()
        with contextlib.suppress(IndexError):
            while True:
                batch.append(self._later.popleft())
        with contextlib.suppress(queue.Empty):
            while call is not None:
                batch.append(call)
                if len(batch) >= _MOST:
                    return batch, False
                call = self._calls.get_nowait()
            return batch, True
        return batch, False

    def _commit(self, batch: list[_Call]) -> list[tuple[_Call, Any]]:
        try:
            return self._transaction(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers must hear of it
            self._hang_up()
            if len(batch) == 1:
                return [(batch[0], self._alone(batch[0], error))]
            if _is_locked(error):
                return [(call, self._unavailable(error)) for call in batch]
        # One bad call must not fail its neighbours: everybody again, each in a transaction of its own.
        outcome: list[tuple[_Call, Any]] = []
        for call in batch:
            outcome.append((call, result := self._alone(call, None)))
            if isinstance(result, StoreUnavailable) and _takes_nothing(result.__cause__):
                rest = batch[len(outcome) :]
                return outcome + [(call, self._unavailable(result.__cause__)) for call in rest]
        return outcome

    def _alone(self, call: _Call, error: Exception | None) -> Any:
        for _ in range(_TRIES):
            if error is not None and not _worth_repeating(error):
                break
            try:
                return self._transaction([call])[0][1]
            except Exception as again:  # noqa: BLE001 - returned to the caller below
                self._hang_up()
                error = again
        assert error is not None
        if isinstance(error, OperationalError | DBAPIError):
            self._log.error("store.failed", error=type(error.orig).__name__, reason=str(error.orig)[:200])
            return self._unavailable(error)
        return error

    @staticmethod
    def _unavailable(error: BaseException | None) -> StoreUnavailable:
        unavailable = StoreUnavailable(
            f"the database did not take the change: {getattr(error, 'orig', error)}"
        )
        unavailable.__cause__ = error
        return unavailable

    def _transaction(self, batch: list[_Call]) -> list[tuple[_Call, Any]]:
        grouped: dict[Operation[Any, Any], list[_Call]] = {}
        for call in sorted(batch, key=_rank):
            grouped.setdefault(call[0], []).append(call)
        outcome: list[tuple[_Call, Any]] = []
        connection = self._connected()
        with connection.begin():
            for operation in grouped:
                if begin := getattr(operation, "begin", None):
                    begin(connection)
            for operation, calls in grouped.items():
                results = operation(connection, [item for _, item, _ in calls])
                outcome.extend(zip(calls, results, strict=True))
        self.transactions += 1
        self.items += len(batch)
        return outcome

    def _connected(self) -> Connection:
        """SQLite's one connection stays open: the pool's care costs more than a small transaction."""
        if self._connection is None or self._engine.dialect.name != "sqlite":
            self._hang_up()
            self._connection = self._engine.connect()
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _settle(self, outcome: list[tuple[_Call, Any]]) -> None:
        def resolve() -> None:
            for (_, _, future), result in outcome:
                if future.done():  # the caller was cancelled; the change stands
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop closed while we committed: nobody waits any more
            self._loop.call_soon_threadsafe(resolve)


def _is_locked(error: BaseException | None) -> bool:
    """Somebody else holds SQLite's lock, and we have waited for it as long as we do. To wait as long again for
    each call would keep everybody waiting for minutes."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _takes_nothing(error: BaseException | None) -> bool:
    """Whether it is about the database and not about this call: locked, or no connection to be had."""
    if _is_locked(error):
        return True
    lost = isinstance(error, OperationalError) and not isinstance(error.orig, sqlite3.Error)
    return lost and getattr(getattr(error, "orig", None), "sqlstate", None) is None


def _rank(call: _Call) -> int:
    return getattr(call[0], "rank", 0)


def _worth_repeating(error: Exception) -> bool:
    """A deadlock, a serialization failure or a lost connection on PostgreSQL; SQLite has waited already.

    Also a row that another process inserted meanwhile: looked at again, it is a repeat.
    """
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state in ("40001", "40P01", "23505") or (error.connection_invalidated and state is not None)
