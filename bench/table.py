"""How a measurement is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Shown:
    """One table. Cells are texts; figures are read beside one another, never against another machine's."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    note: str = ""

    def add(self, *cells: object) -> None:
        self.rows.append([str(cell) for cell in cells])

    def print(self, console: Console) -> None:
        table = Table(
            title=self.title, title_justify="left", caption=self.note or None, caption_justify="left"
        )
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="left" if index == 0 else "right")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def rate(value: float) -> str:
    return f"{value:,.0f}/s"


def ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:,.1f} ms"


def times(value: float) -> str:
    return f"x {value:.2f}"
