"""How the configuration's faults are told: where, what is wrong, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Path = tuple[str | int, ...]  # the way to a value: ("teams", "front-desk", "hours", 0)
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `line` and `column` count from 1; None where the file as a whole is meant."""

    file: str
    line: int | None
    column: int | None
    where: str  # "teams.front-desk.hours[0]"; empty for the file as a whole
    message: str
    remedy: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.text_below_file()}"

    def text_below_file(self) -> str:
        """The same without the file's name, for a list that is grouped by file."""
        line = f"{self.line}: " if self.line else " "
        warning = "warning: " if self.severity == "warning" else ""
        where = f"{self.where}: " if self.where else ""
        remedy = f" Try: {self.remedy}" if self.remedy else ""
        stop = "" if self.message.endswith((".", "?", "!")) else "."
        return f"{line}{warning}{where}{self.message}{stop}{remedy}"


class ConfigError(Exception):
    """The configuration cannot be used. `problems` holds every error that was found, in the file's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


def dotted(path: Path) -> str:
    """`("a", "b", 0)` as a lead reads it: `a.b[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be; a difference in case alone always counts."""
    names = sorted(known)
    folded = {item.casefold(): item for item in names}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def suggest(name: str, known: Iterable[str]) -> str:
    """A remedy for an unknown name: the nearest known one, else all of them when they are few."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return close
    return f"one of {', '.join(names)}." if 0 < len(names) <= 12 else ""
