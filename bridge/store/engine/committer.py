"""One transaction for many operations: what arrived together is committed together.

An *operation* is a plain function `(connection, items) -> results`, one result per item. Calls of the same
operation that arrive together become one call with all their items, and everything that arrives together
becomes one transaction. That is what makes an fsync per event affordable (see docs/performance.md).

An operation's function may have a `rank`: within a transaction lower ranks (default 0) go first, so that an event
can be stored, decided and claimed in one. It may also have `careful`: an operation that takes its place after it
failed because of some of the values that it had to write, and leaves those out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from bridge.domain.errors import BridgeError
from bridge.store.engine.open import file_of
from bridge.store.engine.same_file import FileReplaced, SameFile
from bridge.store.engine.sql import take_turn

Item = TypeVar("Item")
Result = TypeVar("Result")
Operation = Callable[[Connection, Sequence[Item]], Sequence[Result]]
Call = tuple[Operation[Any, Any], Any]

_TRIES = 3  # of one call alone, after a deadlock or a lost connection


class StoreUnavailable(BridgeError):
    """The database could not take the change now (full, locked, read-only, gone), or did not say that it has."""


class StoreBusy(StoreUnavailable):
    """Somebody else holds the database's lock, for longer than we wait for it: it may be free in a moment."""


class Committer:
    """Owns the writing connection. One thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        path = file_of(engine)
        self._file = SameFile(path) if path else None
        self._log = structlog.get_logger()

    def commit(self, batch: Sequence[Call]) -> list[Any]:
        """Each call's result, in order; an exception where it failed, StoreUnavailable where the database did."""
        try:
            return self._whole(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers must hear of it
            self._give_up(error)
            if len(batch) == 1:
                return [self._alone(batch[0], error)]
            if is_locked(error) or isinstance(error, FileReplaced):
                return [self._unavailable(error) for _ in batch]
        # One bad call must not fail its neighbours: everybody again, each in a transaction of its own.
        results: list[Any] = []
        for call in batch:
            results.append(result := self._alone(call, None))
            if isinstance(result, StoreUnavailable) and _takes_nothing(result.__cause__):
                return results + [self._unavailable(result.__cause__) for _ in batch[len(results) :]]
        return results

    def _whole(self, batch: Sequence[Call]) -> list[Any]:
        try:
            return self._transaction(batch)
        except Exception as error:
            if not _worth_repeating(error):
                raise
            self.hang_up()
            self._log.warning("store.repeated", reason=_words(error)[:200])
            return self._transaction(batch)

    def _give_up(self, error: Exception) -> None:
        """A new connection after any failure; but one to a file that was removed still holds what is in it."""
        if not isinstance(error, FileReplaced):
            self.hang_up()

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _alone(self, call: Call, error: Exception | None) -> Any:
        for _ in range(_TRIES):
            if error is not None and not _worth_repeating(error):
                break
            try:
                return self._transaction([call])[0]
            except Exception as again:  # noqa: BLE001 - returned to the caller below
                self._give_up(again)
                error = again
        assert error is not None
        careful = getattr(call[0], "careful", None)
        if careful is not None and is_about_values(error):
            try:
                return self._transaction([(careful, call[1])])[0]
            except Exception as again:  # noqa: BLE001 - returned to the caller below
                self._give_up(again)
                error = again
        if isinstance(error, DBAPIError | FileReplaced):
            kind = type(getattr(error, "orig", error)).__name__
            self._log.error("store.failed", error=kind, reason=_words(error)[:200])
            return self._unavailable(error)
        return error

    @staticmethod
    def _unavailable(error: BaseException | None) -> StoreUnavailable:
        kind = StoreBusy if is_locked(error) else StoreUnavailable
        unavailable = kind(f"the database did not take the change: {_words(error)}")
        unavailable.__cause__ = error
        return unavailable

    def _transaction(self, batch: Sequence[Call]) -> list[Any]:
        grouped: dict[Operation[Any, Any], list[int]] = {}
        for place in sorted(range(len(batch)), key=lambda place: getattr(batch[place][0], "rank", 0)):
            grouped.setdefault(batch[place][0], []).append(place)
        results: list[Any] = [None] * len(batch)
        connection = self._connected()
        if self._file:
            self._file.check()
        with connection.begin():
            take_turn(connection)
            for operation, places in grouped.items():
                found = operation(connection, [batch[place][1] for place in places])
                for place, result in zip(places, found, strict=True):
                    results[place] = result
        if self._file:  # nothing is acknowledged that went into a file which nobody finds again
            self._file.check(committed=True)
        return results

    def _connected(self) -> Connection:
        """SQLite's one connection stays open: the pool's care costs more than a small transaction."""
        if self._connection is None or self._engine.dialect.name != "sqlite":
            self.hang_up()
            self._connection = self._engine.connect()
            if self._file:
                self._file.opened()
        return self._connection


def _words(error: BaseException | None) -> str:
    """What the database says, without the further lines on which PostgreSQL quotes values."""
    return str(getattr(error, "orig", error)).partition("\n")[0]


def is_about_values(error: Exception) -> bool:
    """Whether some value, or the code that met it, is to blame; False where the database takes nothing from anybody."""
    if isinstance(error, StoreUnavailable | FileReplaced | MemoryError):
        return False
    if not isinstance(error, DBAPIError):
        return True
    if isinstance(error.orig, sqlite3.Error):
        # Of the rest, some are SQLite's words for a value of a kind that it cannot take.
        kinds = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
        return isinstance(error.orig, kinds)
    # What is too large, and what a view or a trigger of the operator's own does not take.
    not_taken = (getattr(error.orig, "sqlstate", None) or "").startswith(("44", "54", "P0"))
    return isinstance(error, DataError | IntegrityError) or not_taken


def is_locked(error: BaseException | None) -> bool:
    """Somebody else holds SQLite's lock, and we have waited for it as long as we do. To wait as long again for
    each call would keep everybody waiting for minutes."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _takes_nothing(error: BaseException | None) -> bool:
    """Whether it is about the database and not about this call: locked, or no connection to be had."""
    if is_locked(error):
        return True
    lost = isinstance(error, OperationalError) and not isinstance(error.orig, sqlite3.Error)
    return lost and getattr(getattr(error, "orig", None), "sqlstate", None) is None


def _worth_repeating(error: Exception) -> bool:
    """A deadlock, a serialization failure or a lost connection on PostgreSQL; SQLite has waited already.

    Also a row that another process inserted meanwhile: looked at again, it is a repeat.
    """
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state in ("40001", "40P01", "23505") or (error.connection_invalidated and state is not None)
