"""Keeps the service's clock: by the machine's time of day on SQLite, by the database's on PostgreSQL.

Leases and waits in a PostgreSQL are compared by processes on several machines: there the server's clock counts for
all of them, and a machine's own, wrong or set, for nothing but its own timers. A SQLite belongs to one machine. When
its clock is set, all that waits in the store moves along, in a transaction of its own: what was submitted before it
goes by the old time, what comes after it by the new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog

from bridge.clock import ServiceClock
from bridge.domain.errors import crash
from bridge.service.ticks import JUMP_SECONDS
from bridge.store import upkeep
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.store import Store

_LOOK_SECONDS = 1.0
_DATABASE_LOOKS = 3  # the database is asked each third time


class Reading(NamedTuple):
    """The database's time, shown at some moment between `before` and `after` of the steady clock."""

    at: float
    before: float
    after: float


class Timekeeper:
    """`database_clock()` reads the leading clock where that is the database's; None on SQLite.

    `looked()` is called at each look, `jumped()` when the service's clock was set.
    """

    def __init__(
        self,
        store: Store,
        clock: ServiceClock,
        database_clock: Callable[[], Awaitable[Reading]] | None,
        looked: Callable[[], None],
        jumped: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._database_clock = database_clock
        self._looked = looked
        self._jumped = jumped
        self._ahead = clock.machine.now() - clock.machine.monotonic()
        self._looks = 0
        self._unsure: upkeep.Jump | None = None
        self._log = structlog.get_logger()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.look()
            except StoreUnavailable:
                continue  # looked at again in a second
            except Exception as error:  # noqa: BLE001 - a fault in one look must not end them all
                self._log.error("clock.crashed", **crash(error))

    async def look(self) -> None:
        """Follows the leading clock, and tells of a machine's clock that was set."""
        machine = self._clock.machine
        ahead = machine.now() - machine.monotonic()
        set_by, self._ahead = ahead - self._ahead, ahead
        if abs(set_by) >= JUMP_SECONDS:
            self._log.warning("clock.jumped", seconds=round(set_by, 1))
        self._looked()
        if self._database_clock is None:
            await self._follow_machine()
        elif self._looks % _DATABASE_LOOKS == 0 and abs(await self.agree()) >= JUMP_SECONDS:
            self._jumped()
        self._looks += 1

    async def agree(self) -> float:
        """Agrees with the database's clock, where that is the leading one; how far this one was off."""
        if self._database_clock is None:
            return 0.0
        off = self._clock.off(*await self._database_clock())
        self._clock.move(off)
        if abs(off) >= JUMP_SECONDS:
            self._log.warning("clock.followed", seconds=round(off, 1))
        return off

    async def _follow_machine(self) -> None:
        steady = self._clock.monotonic()
        off = self._clock.off(self._clock.machine.now(), steady, steady)
        if abs(off) < JUMP_SECONDS:
            self._clock.move(off)
            return
        jump = self._unsure or upkeep.Jump(off, self._clock.now() + off)
        # In one step: whatever is submitted from now on goes by the new time, and comes after this.
        rebased = self._store.do(upkeep.rebase, jump)
        self._clock.move(jump.seconds)
        try:
            await rebased
        except Exception:
            self._clock.move(-jump.seconds)
            self._unsure = jump  # it may be stored all the same: the very same one is not done twice
            raise
        self._unsure = None
        self._jumped()
