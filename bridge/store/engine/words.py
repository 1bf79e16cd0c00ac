"""Columns that hold one of a few fixed words or numbers, and which partial indexes ask for."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Integer, Text, literal_column
from sqlalchemy.sql import operators

_WORD = re.compile(r"[a-z-]+")


class _Written:
    """Writes a constant that a column is compared with by `==` into the statement's text.

    SQLite takes a partial index (`... WHERE status = 'queued'`) only where it reads the condition when it plans
    a statement, not from a parameter: https://www.sqlite.org/partialindex.html
    """

    def operate(self, op: Any, *other: Any, **options: Any) -> Any:
        if op is operators.eq and len(other) == 1:
            other = (_written(other[0]),)
        return super().operate(op, *other, **options)  # type: ignore[misc]


def _written(value: Any) -> Any:
    if isinstance(value, int):
        return literal_column(str(int(value)))
    if isinstance(value, str) and _WORD.fullmatch(value):
        return literal_column(f"'{value}'")
    return value


class Word(Text):
    """A text that is one of a few words of ours, such as a status."""

    class comparator_factory(_Written, Text.Comparator[Any]):
        """Finds by partial indexes."""


class Flag(Integer):
    """0 or 1."""

    class comparator_factory(_Written, Integer.Comparator[Any]):
        """Finds by partial indexes."""
