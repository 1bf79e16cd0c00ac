"""Several processes on one database: their transactions go one after another, and none holds up the others for long."""

from __future__ import annotations

import asyncio
import threading

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bridge.store.engine.open import open_engine
from bridge.store.engine.sql import take_turn
from bridge.store.store import Store
from bridge.store.vault import Cipher


@pytest.fixture
async def other(bench, database_url, clock):
    """A second process's store."""
    store = Store(database_url, Cipher([Fernet.generate_key().decode()]), clock, "p2")
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def waiting(postgres_url, clock):
    """A process on PostgreSQL that wants its turn."""
    store = Store(postgres_url, Cipher([Fernet.generate_key().decode()]), clock, "p1")
    await store.start()
    yield store
    await store.stop()


async def test_one_begins_when_the_other_has_ended(bench, other):
    """So two that change the same rows in opposite orders never wait for each other."""
    steps: list[str] = []
    both_inside = threading.Barrier(2)

    def change(name):
        def operation(connection, items):
            steps.append(f"{name} begins")
            with pytest.raises(threading.BrokenBarrierError):
                both_inside.wait(0.2)
            both_inside.reset()
            steps.append(f"{name} ends")
            return items

        return operation

    await asyncio.gather(bench.store.do(change("one"), 1), other.do(change("two"), 2))
    assert steps[:2] in (["one begins", "one ends"], ["two begins", "two ends"])
    assert len(steps) == 4


@pytest.mark.postgres
async def test_one_that_is_frozen_is_cut_off(postgres_url, waiting, monkeypatch):
    """Its process does nothing in the middle of its turn: PostgreSQL ends it, and the others go on."""
    monkeypatch.setattr("bridge.store.engine.sql._FROZEN_MS", 200)
    engine = open_engine(postgres_url, writes=True, pool=1)
    with engine.connect() as frozen:
        take_turn(frozen)
        assert await asyncio.wait_for(waiting.do(lambda _, items: items, "mine"), 60) == "mine"
        with pytest.raises(DBAPIError, match="idle-in-transaction"):
            frozen.execute(text("SELECT 1"))
    engine.dispose()


@pytest.mark.postgres
async def test_what_others_listen_to_is_not_kept(postgres_url):
    """As behind a pooler, which hands the connection that LISTENs to everybody."""
    engine = open_engine(postgres_url, writes=True, pool=1)
    with engine.connect() as connection:
        connection.execute(text("LISTEN bridge_news"))
        connection.commit()
        for number in range(3):
            connection.execute(text("SELECT pg_notify('bridge_news', :words)"), {"words": str(number)})
            connection.commit()
        assert not connection.connection.driver_connection._notifies_backlog
    engine.dispose()


@pytest.mark.postgres
async def test_one_that_is_frozen_in_an_answer_is_cut_off(postgres_url, waiting, monkeypatch):
    """PostgreSQL is still sending to it, so it is not idle: the connection ends because nothing is taken."""
    monkeypatch.setattr("bridge.store.engine.sql._FROZEN_MS", 500)
    engine = open_engine(postgres_url, writes=True, pool=1)
    with engine.connect() as frozen:
        take_turn(frozen)
        driver = frozen.connection.driver_connection
        driver.pgconn.send_query(b"SELECT repeat('x', 100000000)")  # and nobody reads it
        driver.pgconn.flush()
        assert await asyncio.wait_for(waiting.do(lambda _, items: items, "mine"), 120) == "mine"
        driver.close()
        frozen.invalidate()
    engine.dispose()
