"""The store as the rest of the service sees it: one writer, a few readers, and the vault."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bridge.ports import Clock
from bridge.store import vault
from bridge.store.engine.committer import Committer, Operation, StoreUnavailable
from bridge.store.engine.migrate import migrate
from bridge.store.engine.open import is_sqlite, open_engine, sqlite_path
from bridge.store.engine.process_lane import ProcessLane
from bridge.store.engine.turns import in_turn
from bridge.store.engine.writer import Lost, ThreadLane, Writer
from bridge.store.lanes import FreeAll, free_all
from bridge.store.vault import Cipher

Item = TypeVar("Item")
Result = TypeVar("Result")
P = ParamSpec("P")

_READERS = 4
_STOP_SECONDS = 6.0
_LOOKS, _LOOK_SECONDS = 50, 0.02


class Store:
    """Opens, migrates and owns the database. `owner` names this process in leases.

    `begin`: what a process for the writer must know (`engine.writer_process.Begin`); without it a thread of this one
    writes. `lost(why)` hears of that process's death: this store then writes nothing any more.
    """

    def __init__(
        self,
        url: str,
        cipher: Cipher,
        clock: Clock,
        owner: str,
        begin: object = None,
        lost: Lost = lambda _: None,
    ) -> None:
        self.url = url
        self.cipher = cipher
        self.clock = clock
        self.owner = owner
        self._begin = begin
        self._writes = open_engine(url, writes=True, pool=2)
        self._reads = open_engine(url, writes=False, pool=_READERS)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._reading: set[Future[Any]] = set()
        self._lock_file: int | None = None
        lane = ThreadLane(Committer(self._writes)) if begin is None else ProcessLane(begin, self._held)
        self.writer = Writer(lane, lost)

    async def start(self) -> list[str]:
        """Migrates in its turn; the revisions applied. Raises StoreUnavailable, NewerDatabase or WrongKey."""
        try:
            applied = await in_turn(lambda: asyncio.to_thread(migrate, self._writes))
        except DBAPIError as error:
            raise StoreUnavailable(f"the database cannot be used: {error.orig}") from error
        if self._begin is not None:
            self._writes.dispose()  # the writer's process has its own
        alone = is_sqlite(self.url) and await self._is_alone()
        await self.writer.start()
        if alone:
            await in_turn(lambda: self.do(free_all, FreeAll(None, self.clock.now())))
        return applied

    async def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Commits what was submitted, gives every lease of this process up, closes the database. A database that
        hangs is not waited for longer than `seconds`."""
        with contextlib.suppress(StoreUnavailable):  # then the leases run out by themselves
            freed = self.do(free_all, FreeAll(self.owner, self.clock.now()))
            freed.add_done_callback(lambda done: done.cancelled() or done.exception())
        await self.writer.stop(seconds)
        self._readers.shutdown(wait=False, cancel_futures=True)
        if reading := [asyncio.wrap_future(one) for one in self._reading]:
            await asyncio.wait(reading, timeout=seconds / 10)
        self._writes.dispose()
        self._reads.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def do(self, operation: Operation[Item, Result], item: Item) -> asyncio.Future[Result]:
        """Submits one item of an operation to the writer; resolved after the commit."""
        return self.writer.submit(operation, item)

    def do_later(
        self, operation: Operation[Item, Result], item: Item, within: float
    ) -> asyncio.Future[Result]:
        """The same for what need not be on disk at once: it goes with the next transaction, `within` seconds."""
        return self.writer.submit_later(operation, item, within)

    async def read(
        self, query: Callable[Concatenate[Connection, P], Result], *args: P.args, **kwargs: P.kwargs
    ) -> Result:
        """Runs a query beside the writer. Raises StoreUnavailable."""

        def run() -> Result:
            try:
                with self._reads.begin() as connection:
                    return query(connection, *args, **kwargs)
            except DBAPIError as error:
                raise StoreUnavailable(f"the database cannot be read: {error.orig}") from error

        reading = self._readers.submit(run)
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        return await asyncio.wrap_future(reading)

    def _held(self) -> list[int]:
        return [] if self._lock_file is None else [self._lock_file]

    async def _is_alone(self) -> bool:
        """Whether leases left over are nobody's. After a crash the writer's process may still be at its last batch,
        which may hold claims; it ends by itself."""
        for _ in range(_LOOKS):
            if self._lock():
                return True
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    def _lock(self) -> bool:
        """True when no other process has this SQLite file open.

        The lock goes with the process and its writer's process, however they end.
        """
        if self._lock_file is not None:
            os.close(self._lock_file)
        path = sqlite_path(self.url).with_suffix(".lock")
        self._lock_file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fcntl.flock(self._lock_file, fcntl.LOCK_SH)
            return False
        fcntl.flock(self._lock_file, fcntl.LOCK_SH)
        return True


class StoreVault:
    """bridge.ports.Vault on the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, name: str) -> str | None:
        sealed = await self._store.read(vault.read_secret, name)
        return self._store.cipher.open(sealed) if sealed is not None else None

    async def write(self, name: str, value: str) -> None:
        sealed = vault.Sealed(name, self._store.cipher.seal(value), self._store.clock.now())
        await self._store.do(vault.write_secrets, sealed)

    async def make_once(self, name: str) -> str:
        """The secret of this name; made by chance where there is none yet. Asked for at a start, among others."""
        fresh = vault.Sealed(name, self._store.cipher.seal(vault.fresh_secret()), self._store.clock.now())
        known = await in_turn(lambda: self._store.do(vault.make_secret_once, fresh))
        return self._store.cipher.open(known)

    async def acquire(self, name: str, seconds: float) -> bool:
        return await self._store.do(vault.take_lease, self._lease(name, seconds))

    async def release(self, name: str) -> None:
        await self._store.do(vault.give_lease, self._lease(name, 0))

    def _lease(self, name: str, seconds: float) -> vault.Lease:
        return vault.Lease(f"lease:{name}", self._store.owner, self._store.clock.now(), seconds)
