"""Waiting for one's turn at a start, when others start on the same database or somebody has it locked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from bridge.store.engine.committer import StoreBusy, StoreUnavailable, is_locked

T = TypeVar("T")

_MOST_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
# PostgreSQL: a lock was waited for as long as it may be; or its holder waited for us, and one had to give way.
_NO_LOCK = ("55P03", "40P01")


async def in_turn(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` gives, as soon as the database is not locked any more. Raises StoreUnavailable after a minute."""
    loop = asyncio.get_running_loop()
    until, told = loop.time() + _MOST_SECONDS, False
    while True:
        try:
            return await attempt()
        except (DBAPIError, StoreBusy) as error:
            if not _is_busy(error):
                raise
            if loop.time() > until:
                raise StoreUnavailable(
                    f"the database has been locked by somebody else for {_MOST_SECONDS:g} seconds"
                ) from error
        if not told:
            structlog.get_logger().warning(
                "store.waiting",
                reason="another process starts on this database, or has it locked",
                at_most_seconds=_MOST_SECONDS,
            )
            told = True
        await asyncio.sleep(_PAUSE_SECONDS)


def _is_busy(error: DBAPIError | StoreBusy) -> bool:
    return isinstance(error, StoreBusy) or is_locked(error) or getattr(error.orig, "sqlstate", "") in _NO_LOCK
