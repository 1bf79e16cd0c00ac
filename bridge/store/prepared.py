"""Statements of the hot path: written in SQLAlchemy Core, compiled once per dialect, run with plain parameters.

Core's own way from a statement to the driver costs several times what SQLite's work on it does, mostly in
IN-lists and in handling each row's parameters (docs/performance.md). Only for columns of text, numbers and
NULL, which need no conversion on the way in or out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, BindParameter, Column, ColumnElement, Connection, CursorResult, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Parameters = Mapping[str, Any]


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


class _Compiled:
    """One dialect's text of a statement, and how a row of named values becomes what the driver wants.

    Values that the statement itself holds are written into the text: SQLite takes a partial index only where
    it can read the condition when it plans, not from a parameter.
    """

    def __init__(self, statement: ClauseElement, connection: Connection) -> None:
        compiled = statement.compile(dialect=connection.dialect)
        assert isinstance(compiled, SQLCompiler)
        self.lists_as_json = connection.dialect.name == "sqlite"
        fixed = {
            name: _literal(parameter.effective_value)
            for name, parameter in compiled.binds.items()
            if not parameter.required
        }
        self._take: Callable[[Parameters], Any] | None = None
        if compiled.positiontup is None:
            self.text = str(compiled)
            for name, literal in fixed.items():
                self.text = self.text.replace(f"%({name})s", literal)
        else:
            holes = str(compiled).split("?")
            filled = [fixed.get(name, "?") for name in compiled.positiontup]
            self.text = "".join(chain.from_iterable(zip(holes, [*filled, ""], strict=True)))
            self._take = _taker([name for name in compiled.positiontup if name not in fixed])

    def parameters(self, row: Parameters) -> Any:
        return self._take(row) if self._take else row


def _taker(names: Sequence[str]) -> Callable[[Parameters], Any]:
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
    """`statement`, or a function from a connection to one where SQLite and PostgreSQL spell it differently."""

    def __init__(self, statement: ClauseElement | Callable[[Connection], ClauseElement]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def one(self, connection: Connection, **values: Any) -> CursorResult[Any]:
        """Runs it once; a list, tuple or set is the value of an `among`."""
        compiled = self._for(connection)
        for name, value in values.items():
            if isinstance(value, list | tuple | set | frozenset):
                values[name] = json.dumps(list(value)) if compiled.lists_as_json else list(value)
        return connection.exec_driver_sql(compiled.text, compiled.parameters(values))

    def many(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        """Runs it for each row; no rows, no statement."""
        if rows:
            compiled = self._for(connection)
            connection.exec_driver_sql(compiled.text, [compiled.parameters(row) for row in rows])

    def _for(self, connection: Connection) -> _Compiled:
        known = self._compiled.get(connection.dialect.name)
        if known is None:
            statement = self._statement
            if not isinstance(statement, ClauseElement):
                statement = statement(connection)
            known = self._compiled[connection.dialect.name] = _Compiled(statement, connection)
        return known
