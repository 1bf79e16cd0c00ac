"""Retention beside the traffic: small pieces, with pauses, as long as there is more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bridge.ports import Clock
from bridge.store import overrides
from bridge.store.engine.committer import Item, Operation, Result
from bridge.store.files import UNCLAIMED_SECONDS, Sweep, sweep_files
from bridge.store.retention import START, Purge, Tidy, purge, tidy
from bridge.store.store import Store

RUN_SECONDS = 300.0  # then the next run goes on
_REST, _LONGEST_REST = 4.0, 0.5  # of a piece's time, after it; seconds


class Retention:
    """`keep_seconds()`: how long ended conversations are kept. Safe to be cancelled between two pieces."""

    def __init__(self, store: Store, clock: Clock, keep_seconds: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._swept = START
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Takes out all that is old, or as much as can be in some minutes."""
        until = self._clock.monotonic() + RUN_SECONDS
        await self._store.do(overrides.forget_ended, self._clock.now())
        gone = 0
        try:
            behind: tuple[float, str] | None = START
            while behind is not None and self._clock.monotonic() < until:
                wish = Purge(self._clock.now(), self._keep_seconds(), behind)
                conversations, behind = await self._piece(purge, wish)
                gone += conversations
        finally:
            if gone:
                self._log.info("conversations.purged", conversations=gone)
        while await self._piece(tidy, Tidy(self._clock.now(), self._keep_seconds())):
            if self._clock.monotonic() >= until:
                break
        await self._sweep(until)

    async def _sweep(self, until: float) -> None:
        """Files that an upload left behind. Those that were looked at once are not looked at again."""
        # The clock was set back: files come with times that were looked at.
        if self._swept[0] > self._clock.now() - UNCLAIMED_SECONDS:
            self._swept = START
        more = True
        while more and self._clock.monotonic() < until:
            self._swept, more = await self._piece(sweep_files, Sweep(self._clock.now(), self._swept))

    async def _piece(self, operation: Operation[Item, Result], item: Item) -> Result:
        """One transaction, or a part of one that carries events as well; then four times as long for them alone."""
        began = self._clock.monotonic()
        result = await self._store.do(operation, item)
        await asyncio.sleep(min(_LONGEST_REST, _REST * (self._clock.monotonic() - began)))
        return result
