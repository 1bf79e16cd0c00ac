"""A look into the database beside a running service, or without one. Nothing is made or migrated here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bridge.domain.errors import BridgeError
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.engine.migrate import behind
from bridge.store.engine.open import is_sqlite, open_engine, sqlite_path
from bridge.store.engine.sql import take_turn


class NoDatabase(BridgeError):
    """There is no database, or one without tables."""


class OldDatabase(BridgeError):
    """The database has the schema of an older version."""


@contextmanager
def visit(url: str, *, writes: bool) -> Iterator[Connection]:
    """One transaction, committed at the end. Raises NoDatabase, OldDatabase, NewerDatabase, StoreUnavailable."""
    if is_sqlite(url) and not sqlite_path(url).is_file():
        raise NoDatabase(f"there is no database {sqlite_path(url)} yet; bridge run makes it (DATABASE_URL)")
    engine = open_engine(url, writes=writes, pool=1)
    try:
        with engine.begin() as connection:
            if writes:
                take_turn(connection)
            _check(connection)
            yield connection
    except DBAPIError as error:
        raise StoreUnavailable(f"the database cannot be used: {first_line(error)}") from error
    finally:
        engine.dispose()


def _check(connection: Connection) -> None:
    missing = behind(connection)
    if missing is None:
        raise NoDatabase("the database is empty; bridge run makes its tables")
    if missing:
        raise OldDatabase("the database is of an older version; bridge run brings it up to date")


def first_line(error: DBAPIError) -> str:
    """What the database says, without the statement and its values."""
    return (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]


def scrub(url: str) -> bool:
    """SQLite: writes the file anew, so that nothing deleted is left in its free space. False where it could not.

    A running service waits meanwhile, about a second for each 200 MB. PostgreSQL's own vacuum does this.
    """
    if not is_sqlite(url):
        return True
    engine = open_engine(url, writes=False, pool=1)
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM")
            return bool(raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    except (DBAPIError, sqlite3.Error):  # somebody reads or writes all the time, or the disk is full
        return False
    finally:
        engine.dispose()
