"""Opening, migrating, secrets, group commit."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from bridge.store import vault
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.engine.migrate import NewerDatabase
from bridge.store.store import Store, StoreVault
from bridge.store.vault import Cipher, WrongKey


async def test_several_processes_may_start_at_once(fresh_database_url, clock):
    """Five stores on an empty database: one migrates, all start, all know the same root."""
    keys = [Fernet.generate_key().decode()]
    stores = [Store(fresh_database_url, Cipher(keys), clock, f"p{n}") for n in range(5)]
    applied = await asyncio.gather(*(store.start() for store in stores))
    assert sum(bool(one) for one in applied) == 1
    roots = await asyncio.gather(*(StoreVault(store).make_once("root") for store in stores))
    assert len(set(roots)) == 1
    for store in stores:
        await store.stop()


async def test_a_newer_database_is_refused(bench, database_url, clock):
    """A schema that this version does not know is not touched."""

    def jump(connection, items):
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        return [None] * len(items)

    await bench.store.do(jump, None)
    with pytest.raises(NewerDatabase, match="newer version"):
        await Store(database_url, bench.store.cipher, clock, "p2").start()


async def test_secrets_are_sealed_and_keys_rotate(bench, database_url):
    """At rest nothing is readable; the new key first, the old one may go after a resealing."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    bench.store.cipher = Cipher([old])
    safe = StoreVault(bench.store)
    await safe.write("refresh", "very secret")
    sealed = await bench.store.read(vault.read_secret, "refresh")
    assert "very secret" not in sealed
    bench.store.cipher = Cipher([new, old])
    assert await safe.read("refresh") == "very secret"
    await bench.store.do(vault.reseal_all, bench.store.cipher)
    bench.store.cipher = Cipher([new])
    assert await safe.read("refresh") == "very secret"
    bench.store.cipher = Cipher([old])
    with pytest.raises(WrongKey, match="BRIDGE_SECRET_KEY"):
        await safe.read("refresh")


async def test_a_named_lease_has_one_owner(bench, clock):
    """Until it is given up or over, nobody else gets it."""
    safe = StoreVault(bench.store)
    assert await safe.acquire("refresh", 30)
    other = vault.Lease("lease:refresh", "p2", clock.at + 29.9, 30)
    assert await bench.store.do(vault.take_lease, other) is False
    later = vault.Lease("lease:refresh", "p2", clock.at + 30, 30)
    assert await bench.store.do(vault.take_lease, later) is True
    await safe.release("refresh")
    assert (
        await bench.store.do(vault.take_lease, vault.Lease("lease:refresh", "p3", clock.at + 31, 5)) is False
    )


async def test_one_bad_call_does_not_fail_its_neighbours(bench):
    """What arrived together is tried again alone when one of it fails."""

    def sometimes(connection, items):
        if "bad" in items:
            raise ZeroDivisionError
        return [item.upper() for item in items]

    results = await asyncio.gather(
        *(bench.store.do(sometimes, item) for item in ("a", "bad", "b")), return_exceptions=True
    )
    assert results[0] == "A"
    assert results[2] == "B"
    assert isinstance(results[1], ZeroDivisionError)


async def test_what_arrives_together_is_committed_together(bench):
    """A hundred calls take far fewer than a hundred transactions."""
    sizes = []

    def note(connection, items):
        sizes.append(len(items))
        return items

    await asyncio.gather(*(bench.store.do(note, n) for n in range(100)))
    assert sizes == [100]


async def test_a_locked_database_is_unavailable_and_heals(tmp_path, clock, monkeypatch):
    """Somebody else holds the file: nothing is stored and the caller knows; afterwards it works."""
    monkeypatch.setattr("bridge.store.engine.open._BUSY_SECONDS", 0.05)
    store = Store(f"sqlite:///{tmp_path}/x.db", Cipher([Fernet.generate_key().decode()]), clock, "p1")
    await store.start()
    with sqlite3.connect(tmp_path / "x.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await StoreVault(store).write("a", "b")
        other.execute("ROLLBACK")
    await StoreVault(store).write("a", "b")
    assert await StoreVault(store).read("a") == "b"
    await store.stop()
    other.close()


async def test_a_full_disk_is_unavailable_and_heals(tmp_path, clock):
    """No room: nothing is stored and the caller knows; with room again it works."""
    store = Store(f"sqlite:///{tmp_path}/x.db", Cipher([Fernet.generate_key().decode()]), clock, "p1")
    await store.start()

    def pages(limit):
        def set_limit(connection, items):
            return [connection.exec_driver_sql(f"PRAGMA max_page_count={limit}").scalar() for _ in items]

        return set_limit

    await store.do(pages(1), None)
    with pytest.raises(StoreUnavailable, match="full"):
        await StoreVault(store).write("a", "b" * 100_000)
    await store.do(pages(1_000_000), None)
    await StoreVault(store).write("a", "b" * 100_000)
    await store.stop()
