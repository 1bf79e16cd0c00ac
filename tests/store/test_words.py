"""What a partial index is for is found by it, on both databases."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Connection, Index, select, text

from bridge.store.engine.words import Flag, Word
from bridge.store.tables import conversations, metadata
from tests.store.conftest import Bench


def _condition(index: Index) -> str:
    return str(index.dialect_options["sqlite"]["where"])


OF_WORDS = {
    str(index.name): index
    for table in metadata.tables.values()
    for index in table.indexes
    if re.search(r"^[a-z_]+ = ['0-9]", _condition(index)) and "''" not in _condition(index)
}


def test_there_are_such_indexes() -> None:
    assert len(OF_WORDS) >= 6


@pytest.mark.parametrize("name", sorted(OF_WORDS))
async def test_comparing_with_the_word_takes_the_index(bench: Bench, name: str) -> None:
    """A query that says `column == value`, as everybody writes it, reads no whole table."""
    index = OF_WORDS[name]
    column_name, _, value = _condition(index).partition(" = ")
    column = index.table.c[column_name]
    assert isinstance(column.type, Word | Flag)
    constant: Any = value.strip("'") if isinstance(column.type, Word) else int(value)
    first = next(iter(index.columns))
    query = select(first).where(column == constant, first == 1 if _is_number(first) else first == "x")

    def plan(connection: Connection) -> str:
        made = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {made}", tuple(made.params.values()))
        else:
            # Else a small table is read whole.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            rows = connection.exec_driver_sql(f"EXPLAIN {made}", made.params)
        return "\n".join(str(row) for row in rows)

    found = await bench.store.read(plan)
    assert name in found


def _is_number(column: Any) -> bool:
    return column.type.python_type in (int, float)


def test_only_words_of_ours_are_written_into_a_statement() -> None:
    """What could be somebody's text stays a parameter."""
    assert "'" not in str(select(conversations.c.id).where(conversations.c.status == "it's"))
    assert str(conversations.c.status == "open").endswith("= 'open'")
    assert str(conversations.c.accepting == 1).endswith("= 1")
