"""Several first starts at once, and starts while somebody else has the database: each waits for its turn."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bridge.store.engine.committer import StoreUnavailable
from bridge.store.engine.open import open_engine
from bridge.store.engine.turns import in_turn
from bridge.store.store import Store, StoreVault
from bridge.store.vault import Cipher
from tests.harness import eventually
from tests.store.conftest import Clock

KEYS = [Fernet.generate_key().decode()]


def store_on(url: str, name: str = "p1") -> Store:
    return Store(url, Cipher(KEYS), Clock(), name)


async def test_starts_that_cannot_wait_for_one_another_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine so busy that a migration takes longer than SQLite waits: all start, one migrates."""
    monkeypatch.setattr("bridge.store.engine.open._BUSY_SECONDS", 0.01)
    url = f"sqlite:///{tmp_path}/x.db"
    stores = [store_on(url, f"p{number}") for number in range(8)]
    with capture_logs() as log:
        applied = await asyncio.gather(*(store.start() for store in stores))
        roots = await asyncio.gather(*(StoreVault(store).make_once("root") for store in stores))
    assert sum(bool(one) for one in applied) == 1
    assert len(set(roots)) == 1
    assert "store.waiting" in [line["event"] for line in log]
    for store in stores:
        await store.stop()


async def test_a_start_waits_for_who_has_locked_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, once, and goes on when the lock is free."""
    monkeypatch.setattr("bridge.store.engine.open._BUSY_SECONDS", 0.01)
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        store = store_on(f"sqlite:///{path}")
        with capture_logs() as log:
            starting = asyncio.create_task(store.start())
            await _told(log)
            assert not starting.done()
            other.execute("COMMIT")
            assert await asyncio.wait_for(starting, 60)
    assert [line["event"] for line in log].count("store.waiting") == 1
    await store.stop()


async def test_a_start_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it says in plain words what is in the way."""
    monkeypatch.setattr("bridge.store.engine.open._BUSY_SECONDS", 0.01)
    monkeypatch.setattr("bridge.store.engine.turns._MOST_SECONDS", 0.2)
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        store = store_on(f"sqlite:///{path}")
        with pytest.raises(StoreUnavailable, match="locked by somebody else"):
            await store.start()
    await store.stop()


@pytest.mark.postgres
async def test_a_start_waits_for_another_that_migrates(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL as well, and says so."""
    monkeypatch.setattr("bridge.store.engine.migrate._LOCK_MS", 10)
    with psycopg.connect(empty_postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7440)")
        store = store_on(empty_postgres_url)
        with capture_logs() as log:
            starting = asyncio.create_task(store.start())
            await _told(log)
            other.execute("SELECT pg_advisory_unlock(7440)")
            assert await asyncio.wait_for(starting, 60)
    await store.stop()


@pytest.mark.postgres
async def test_a_migration_takes_its_turn_among_those_who_write(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version at work beside it never waits for a table that the migration has, while that waits for its."""
    with monkeypatch.context() as patched:
        patched.setattr("bridge.store.engine.migrate.ScriptDirectory.get_current_head", lambda _: "0002")
        older = store_on(empty_postgres_url)
        assert await older.start() == ["0002", "0001"]
        await older.stop()
    with psycopg.connect(empty_postgres_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(7439)")
        other.execute("UPDATE lanes SET owner = NULL")
        store = store_on(empty_postgres_url, "p2")
        starting = asyncio.create_task(store.start())
        await eventually(lambda: _waits(empty_postgres_url), within=60)
        await asyncio.to_thread(other.execute, "SELECT id FROM deliveries")
        other.commit()
        assert await asyncio.wait_for(starting, 60)
    await store.stop()


@pytest.mark.parametrize("fault", [psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected])
async def test_a_start_that_had_to_give_way_comes_again(fault: type[psycopg.Error]) -> None:
    """Whatever held the tables for so long, or wanted what the migration had."""
    faults = [fault()]

    async def attempt() -> str:
        if faults:
            raise OperationalError("ALTER TABLE", None, faults.pop())
        return "migrated"

    assert await in_turn(attempt) == "migrated"


def _waits(url: str) -> bool:
    """Whether some transaction waits for another's lock."""
    with psycopg.connect(url) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())


def test_first_connections_wait_for_one_another(tmp_path: Path) -> None:
    """The change to WAL needs the file alone for a moment, and SQLite does not wait for it by itself."""
    url, together = f"sqlite:///{tmp_path}/x.db", threading.Barrier(12)
    failed: list[Exception] = []

    def connect() -> None:
        engine = open_engine(url, writes=True)
        together.wait(60)
        try:
            engine.connect().close()
        except Exception as error:
            failed.append(error)
        engine.dispose()

    threads = [threading.Thread(target=connect) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


async def _told(log: list) -> None:
    await eventually(lambda: [line for line in log if line["event"] == "store.waiting"], within=60)
