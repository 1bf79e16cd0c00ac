"""Fixtures for every folder: databases."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from bridge.store.engine.migrate import migrate
from bridge.store.engine.open import open_engine
from tests import postgres
from tests.harness import migrated_sqlite

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
settings.register_profile("house", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("house")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other things is no database that hangs; who tests that sets it back."""
    monkeypatch.setattr("bridge.store.engine.writer._HANGS_SECONDS", 120.0)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A server for this process's tests; skips with the reason where there is none, fails under CI."""
    try:
        with postgres.server() as address:
            yield address
    except postgres.NoServer as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """The name of a database with the schema in it, to be copied: that takes a tenth of a migration."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute("create database migrated")
    engine = open_engine(f"{postgres_server}/migrated", writes=True)
    migrate(engine)
    engine.dispose()
    return "migrated"


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
        yield f"{server}/{name}"
        connection.execute(f"drop database if exists {name} with (force)")


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """A database of its own for each test, as a first start leaves it."""
    with _database(postgres_server, migrated_postgres) as url:
        yield url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind, as a first start leaves it."""
    if request.param == "sqlite":
        shutil.copy(migrated_sqlite(), tmp_path / "bridge.db")
        return f"sqlite:///{tmp_path}/bridge.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """A database with nothing in it yet, for a first start."""
    with _database(postgres_server, "template1") as url:
        yield url


@pytest.fixture(params=KINDS)
def fresh_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with nothing in it yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bridge.db"
    return str(request.getfixturevalue("empty_postgres_url"))
