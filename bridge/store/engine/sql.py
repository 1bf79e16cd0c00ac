"""The few statements that SQLite and PostgreSQL spell differently, and helpers that everybody shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, text
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.engine.prepared import Prepared

Insert = sqlite.Insert | postgresql.Insert

_TURN = 7439  # any number, the same for every process
_FROZEN_MS = 8000  # less than a lease: who holds the turn and does nothing for so long is cut off


def take_turn(connection: Connection) -> None:
    """For a transaction that writes: on PostgreSQL, too, they go one after another, as SQLite has them anyway.

    Each decides by all that was committed before, and two can never wait for each other's rows. To be called
    before anything else. A process that is frozen in the middle does not hold up the others: the server ends
    its transaction.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(_TAKE_TURN, {"turn": _TURN, "most": str(_FROZEN_MS)})


def clock_reading(connection: Connection, steady: Callable[[], float]) -> tuple[float, float, float]:
    """PostgreSQL's own time, and `steady` right before and after: of two looks the one that took less."""
    looks = []
    for _ in range(2):
        before = steady()
        at = float(connection.execute(_CLOCK).scalar() or 0.0)
        looks.append((at, before, steady()))
    return min(looks, key=lambda look: look[2] - look[1])


def time_by(connection: Connection, machine: float) -> float:
    """The time by which what this database holds is compared: its server's, or the machine's for SQLite."""
    if connection.dialect.name == "sqlite":
        return machine
    return float(connection.execute(_CLOCK).scalar() or 0.0)


def insert_for(connection: Connection, table: Table) -> Any:
    """INSERT with ON CONFLICT, in the dialect at hand."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all give the same columns."""
    if rows:
        _insert(table, tuple(rows[0])).many(connection, rows)


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same, except rows whose key is there already."""
    if rows:
        _insert_missing(table, tuple(rows[0])).many(connection, rows)


def upsert(
    connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """The same; where a row with these `keys` is there already it gets the other columns' new values."""
    if rows:
        _upsert(table, tuple(keys), tuple(rows[0])).many(connection, rows)


@cache
def _insert(table: Table, names: tuple[str, ...]) -> Prepared:
    return Prepared(lambda connection: _values(connection, table, names))


@cache
def _insert_missing(table: Table, names: tuple[str, ...]) -> Prepared:
    return Prepared(lambda connection: _values(connection, table, names).on_conflict_do_nothing())


@cache
def _upsert(table: Table, keys: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    def statement(connection: Connection) -> Any:
        fresh = _values(connection, table, names)
        new = {name: fresh.excluded[name] for name in names if name not in keys}
        return fresh.on_conflict_do_update(index_elements=list(keys), set_=new)

    return Prepared(statement)


def _values(connection: Connection, table: Table, names: Sequence[str]) -> Any:
    return insert_for(connection, table).values({name: bindparam(name) for name in names})


_TAKE_TURN = text(
    "SELECT pg_advisory_xact_lock(:turn), set_config('idle_in_transaction_session_timeout', :most, true),"
    " set_config('tcp_user_timeout', :most, true)"  # since 12; one that does not take an answer is not idle
)
_CLOCK = text("SELECT extract(epoch FROM clock_timestamp())")
