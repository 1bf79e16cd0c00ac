"""Keeps this process's leases while their work lasts, to the end of the drain at a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import structlog

from bridge.domain.errors import crash
from bridge.ports import Clock
from bridge.stages.leases import Lease, Leases
from bridge.stages.pump import Pump
from bridge.store import outbox
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.outbox import Calling, Work
from bridge.store.store import Store

SECONDS = 3.0


class Heartbeat:
    """`pumps()`: all whose lanes are to be kept."""

    def __init__(
        self, store: Store, clock: Clock, leases: Leases, pumps: Callable[[], Iterable[Pump[Any]]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._leases = leases
        self._pumps = pumps
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Beats until it is cancelled. A store that fails is asked again: then the leases run out."""
        while True:
            await asyncio.sleep(SECONDS)
            try:
                with suppress(StoreUnavailable):
                    await self.beat()
            except Exception as error:  # noqa: BLE001 - one beat that fails must not be the last
                self._log.error("leases.crashed", **crash(error))

    async def beat(self) -> None:
        """Asks the store to move every lease on, and notes which are this process's still."""
        held = [lease for pump in self._pumps() for lease in pump.leases]
        if not held:
            return
        asked_at, until = self._leases.moment(), self._clock.now() + self._leases.seconds
        keys = frozenset(key for lease in held for key in (lease.lane, *lease.along))
        calling = tuple(_calling(lease, until) for lease in held if isinstance(lease.job, Work))
        kept = await self._store.do(outbox.extend, outbox.Heartbeat(self._store.owner, until, keys, calling))
        for lease in held:
            if lease.lane in kept:
                lease.move_on(asked_at + self._leases.seconds)
            else:
                lease.lose()


def _calling(lease: Lease, until: float) -> Calling:
    work: Work = lease.job
    return Calling(work.lane, work.id, work.attempt, until + work.call_seconds)
