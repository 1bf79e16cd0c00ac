"""Keeps the service's loops running: one that ends with an error is logged and begun again, and /readyz names it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.domain.errors import crash
from bridge.domain.retry import backoff
from bridge.store.engine.committer import StoreUnavailable

_WELL_SECONDS = 5.0  # a loop that has run so long after its last end is well again
_LONGEST_WAIT = 30.0


class Loops:
    """The long-lived tasks of the service, each under its name. `chance()` spreads their restarts."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._tasks: list[asyncio.Task[None]] = []
        self._log = structlog.get_logger()
        self.ended: dict[str, str] = {}  # name and reason of those that ended and are not well again

    def keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Runs `run()` until it returns; after an error once more, a little later each time."""
        self._tasks.append(asyncio.create_task(self._keep(name, run), name=name))

    async def stop(self, seconds: float) -> None:
        """Cancels every loop; one that does not end within `seconds` is not waited for."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            begun = loop.time()
            well = loop.call_later(_WELL_SECONDS, self.ended.pop, name, None)
            try:
                await run()
            except (Exception, asyncio.CancelledError) as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                attempt = attempt + 1 if loop.time() - begun < _WELL_SECONDS else 1
                self._note(name, error)
            else:
                self.ended.pop(name, None)
                return
            finally:
                well.cancel()
            await asyncio.sleep(min(_LONGEST_WAIT, backoff(attempt, self._chance())))

    def _note(self, name: str, error: BaseException) -> None:
        if isinstance(error, StoreUnavailable):
            self.ended[name] = str(error)
            self._log.warning("task.failed", task=name, reason=str(error))
        else:
            self.ended[name] = type(error).__name__
            self._log.error("task.crashed", task=name, **crash(error))
