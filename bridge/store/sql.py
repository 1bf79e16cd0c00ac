"""The few statements that SQLite and PostgreSQL spell differently, and helpers that everybody shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.tables import lanes

Insert = sqlite.Insert | postgresql.Insert


def insert_for(connection: Connection, table: Table) -> Any:
    """INSERT with ON CONFLICT, in the dialect at hand."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts the rows whose key is not there yet."""
    if rows:
        connection.execute(insert_for(connection, table).on_conflict_do_nothing(), rows)


def wake(connection: Connection, stage: str, keys: Iterable[str], at: float) -> None:
    """Makes lanes known that have work; a lane that is leased or parked keeps its time.

    The no-op update takes the row's lock on PostgreSQL: a worker that is releasing the lane either sees our
    new row or we see the lane gone and make it again. Call it after the work row was inserted.
    """
    rows = [{"key": key, "stage": stage, "ready_at": at} for key in sorted(set(keys))]
    if rows:
        statement = insert_for(connection, lanes)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_={"ready_at": lanes.c.ready_at}), rows
        )
