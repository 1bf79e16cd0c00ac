"""Engines: how SQLite and PostgreSQL are opened, and nothing else that differs between them."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url

_BUSY_SECONDS = 5


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def sqlite_path(url: str) -> Path:
    """The file of a `sqlite:///relative` or `sqlite:////absolute` address."""
    return Path(make_url(url).database or "")


def file_of(engine: Engine) -> Path | None:
    """The file behind an engine of ours; None where it is PostgreSQL's."""
    if engine.dialect.name != "sqlite":
        return None
    return Path(unquote((engine.url.database or "").removeprefix("file:")))


def open_engine(url: str, *, writes: bool, pool: int = 4) -> Engine:
    """An engine for `DATABASE_URL`.

    `writes`: SQLite transactions begin IMMEDIATE, so that read-then-write needs no retry. SQLite runs in WAL
    mode with synchronous=FULL: what was acknowledged survives a power cut. Errors do not quote the values of
    a statement: they are what customers said, and errors are logged.
    """
    if is_sqlite(url):
        return _open_sqlite(url, writes=writes, pool=pool)
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    # No prepared statements on the server: a pooler in transaction mode (pgbouncer) may hand each
    # transaction another connection.
    engine = create_engine(
        parsed,
        pool_size=pool,
        max_overflow=0,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None, **postgres_options(url)},
    )

    @event.listens_for(engine, "connect")
    def drop_notices(connection: Any, _: Any) -> None:
        # Such a pooler passes on what another of its clients LISTENs to; without a handler psycopg keeps it.
        connection.add_notify_handler(lambda _: None)

    return engine


def postgres_options(url: str) -> dict[str, Any]:
    """libpq's options for every connection, but for those that the address names itself.

    A server that vanishes without a word (a lost host, a firewall) is given up after some ten seconds, where the
    system's own limits are a quarter of an hour and more.
    """
    options = {
        "application_name": "webex-guest-bridge",
        "connect_timeout": 10,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    return {name: value for name, value in options.items() if name not in make_url(url).query}


def _open_sqlite(url: str, *, writes: bool, pool: int) -> Engine:
    path = sqlite_path(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():  # customers' names and words are in it: for its owner alone
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    # Only an existing file is opened: one that somebody removed must not come back as an empty one.
    address = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
    engine = create_engine(
        address,
        pool_size=1 if writes else pool,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False, "cached_statements": 1024},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        _use_wal(connection)
        for pragma in (
            "synchronous=FULL",
            "temp_store=MEMORY",
            "cache_size=-65536",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """For the change to WAL, which a database's first connections make, SQLite does not wait: so we do."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
