"""Statements of the hot path: written in SQLAlchemy Core, compiled once per dialect, run with plain parameters.

Core's own way from a statement to the driver costs several times what SQLite's work on it does. And on SQLite
the driver gives Python's interpreter lock up at every row that it inserts, updates or fetches, and waits for it
again while the event loop is busy; so many rows become few statements there (docs/performance.md). Only for
columns of text, numbers and NULL, which need no conversion on the way in or out.
"""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NoReturn

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Update,
    bindparam,
    column,
    values,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import replacement_traverse

Parameters = Mapping[str, Any]
# Rows in one statement: few numbers, so that the driver keeps every text prepared. SQLite takes 32 766 values
# in a statement; our widest row has about forty.
_WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


class among(ColumnElement[bool]):
    """`column IN` the list that is given as the parameter `name`: one parameter however long the list is."""

    inherit_cache = False

    def __init__(self, column: Column[Any], name: str) -> None:
        self.column = column
        self.name = name


@compiles(among)
def _any(element: among, compiler: SQLCompiler, **options: Any) -> str:
    values: BindParameter[Any] = bindparam(element.name, type_=ARRAY(element.column.type), required=True)
    column, given = compiler.process(element.column, **options), compiler.process(values, **options)
    return f"{column} = ANY({given})"


@compiles(among, "sqlite")
def _each(element: among, compiler: SQLCompiler, **options: Any) -> str:
    values: BindParameter[Any] = bindparam(element.name, required=True)
    column, given = compiler.process(element.column, **options), compiler.process(values, **options)
    return f"{column} IN (SELECT value FROM json_each({given}))"  # noqa: S608 - both are the compiler's own


class _Compiled(ABC):
    """One dialect's text of a statement, and how a row of named values becomes what the driver wants.

    Values that the statement itself holds are written into the text: SQLite takes a partial index only where
    it can read the condition when it plans, not from a parameter.
    """

    def __init__(self, statement: ClauseElement, connection: Connection) -> None:
        compiled = statement.compile(dialect=connection.dialect)
        assert isinstance(compiled, SQLCompiler)
        self.compiled = compiled
        self.fixed = {
            name: _literal(parameter.effective_value)
            for name, parameter in compiled.binds.items()
            if not parameter.required
        }

    @abstractmethod
    def run(self, connection: Connection, given: Parameters) -> list[Any]: ...

    @abstractmethod
    def run_all(self, connection: Connection, rows: Sequence[Parameters]) -> None: ...


class _Usual(_Compiled):
    """PostgreSQL: parameters by name; the driver sends many rows in one go by itself."""

    def __init__(self, statement: ClauseElement, connection: Connection) -> None:
        super().__init__(statement, connection)
        self._text = str(self.compiled)
        for name, literal in self.fixed.items():
            self._text = self._text.replace(f"%({name})s", literal)

    def run(self, connection: Connection, given: Parameters) -> list[Any]:
        parameters = {name: list(one) if _is_list(one) else one for name, one in given.items()}
        result = connection.exec_driver_sql(self._text, parameters)
        return list(result.all()) if result.returns_rows else []

    def run_all(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        connection.exec_driver_sql(self._text, list(rows))


class _Sqlite(_Compiled):
    """Parameters by place; a list is one text of JSON; many rows are one VALUES as long as may be."""

    def __init__(self, statement: ClauseElement, connection: Connection) -> None:
        super().__init__(statement, connection)
        places = self.compiled.positiontup or []
        holes = str(self.compiled).split("?")
        filled = [self.fixed.get(name, "?") for name in places]
        self._text = "".join(chain.from_iterable(zip(holes, [*filled, ""], strict=True)))
        self._take = _taker([name for name in places if name not in self.fixed])
        self._row: Callable[[Any], Any] | None = None
        self._wide: dict[int, str] = {}
        group = _values_group(self._text)
        self._group = group if group and self._text.count("?") == group.count("?") else None

    def run(self, connection: Connection, given: Parameters) -> list[Any]:
        parameters = {name: json.dumps(list(one)) if _is_list(one) else one for name, one in given.items()}
        cursor = self._execute(connection, self._text, self._take(parameters))
        if cursor.description is None:
            return []
        if self._row is None:
            self._row = _row([one[0] for one in cursor.description])
        try:
            return [self._row(row) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            _failed(connection, self._text, error)

    def run_all(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        taken = [self._take(row) for row in rows]
        if self._group is None:
            for one in taken:
                self._execute(connection, self._text, one)
            return
        at = 0
        while at < len(taken):
            size = _WIDTHS[bisect_right(_WIDTHS, len(taken) - at) - 1]
            parameters = taken[at] if size == 1 else tuple(chain.from_iterable(taken[at : at + size]))
            self._execute(connection, self._for(size, self._group), parameters)
            at += size

    def _for(self, size: int, group: str) -> str:
        known = self._wide.get(size)
        if known is None:
            known = self._wide[size] = self._text.replace(group, ", ".join([group] * size), 1)
        return known

    @staticmethod
    def _execute(connection: Connection, text: str, parameters: Any) -> sqlite3.Cursor:
        driver: Any = connection.connection.driver_connection
        try:
            cursor: sqlite3.Cursor = driver.execute(text, parameters)
        except sqlite3.Error as error:
            _failed(connection, text, error)
        return cursor


def _failed(connection: Connection, text: str, error: sqlite3.Error) -> NoReturn:
    """As SQLAlchemy reports it, without the values."""
    wrapped = DBAPIError.instance(
        text, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
    )
    assert isinstance(wrapped, Exception)
    raise wrapped from error


def _values_group(text: str) -> str | None:
    """The parenthesis behind VALUES."""
    start = text.find("VALUES (") + len("VALUES ")
    if start < len("VALUES "):
        return None
    depth = 0
    for end in range(start, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if not depth:
            return text[start : end + 1]
    return None


def _row(names: list[str]) -> Callable[[Any], Any]:
    kind: Any = namedtuple("Row", names)  # type: ignore[misc]
    return kind._make


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _taker(names: Sequence[str]) -> Callable[[Parameters], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: tuple(row[name] for name in names)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str) and not {"?", "%", ":"} & set(value):
        return "'" + value.replace("'", "''") + "'"
    raise TypeError(f"{value!r} must be a parameter")


class Prepared:
    """`statement`, or a function from a connection to one where SQLite and PostgreSQL spell it differently.

    `distinct`: of the rows of one `many` no two name the same target, so that an UPDATE may take them together.
    """

    def __init__(
        self, statement: ClauseElement | Callable[[Connection], ClauseElement], *, distinct: bool = False
    ) -> None:
        self._statement = statement
        self._distinct = distinct
        self._compiled: dict[str, _Compiled] = {}
        self._compiled_many: dict[str, _Compiled] = {}

    def one(self, connection: Connection, **given: Any) -> list[Any]:
        """Runs it once; the rows that it gives, if any. A list, tuple or set is the value of an `among`."""
        name = connection.dialect.name
        known = self._compiled.get(name)
        if known is None:
            made = _Sqlite if name == "sqlite" else _Usual
            known = self._compiled[name] = made(self._made(connection), connection)
        return known.run(connection, given)

    def many(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        """Runs it for each row; no rows, no statement."""
        if not rows:
            return
        name = connection.dialect.name
        known = self._compiled_many.get(name)
        if known is None:
            statement = self._made(connection)
            if name != "sqlite":
                known = _Usual(statement, connection)
            else:
                together = self._distinct and isinstance(statement, Update)
                known = _Sqlite(_together(statement) if together else statement, connection)
            self._compiled_many[name] = known
        known.run_all(connection, rows)

    def _made(self, connection: Connection) -> ClauseElement:
        statement = self._statement
        return statement if isinstance(statement, ClauseElement) else statement(connection)


def _together(statement: ClauseElement) -> ClauseElement:
    """The UPDATE of one row, by parameters, as an UPDATE of all rows of a table `given` of these parameters."""
    names: list[str] = []

    def collect(element: Any, **_: Any) -> None:
        if isinstance(element, BindParameter) and element.required and element.key not in names:
            names.append(element.key)

    replacement_traverse(statement, {}, collect)
    rows = values(*(column(name) for name in names), name="given")
    given = rows.data([tuple(bindparam(name) for name in names)]).cte("given")

    def replace(element: Any, **_: Any) -> Any:
        return given.c[element.key] if isinstance(element, BindParameter) and element.key in names else None

    replaced = replacement_traverse(statement, {}, replace)
    assert isinstance(replaced, ClauseElement)
    return replaced
