"""Parts of the configuration that are accepted but that this version does not act on, yet or any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.problems import Path

# A pattern such as "teams.*.overflow" (`*`: any name, or any item of a list) and the sentence that says so.
# An entry is added with the part's model and removed with the change that makes the part work.
WITHOUT_EFFECT: dict[str, str] = {
    "sources.*.first_line": "customers do not meet the first line yet: for now `bridge ask` tries its answers",
    "messages.*.opened": "this text is never said: that an agent has the conversation shows in its status",
    "messages.*.file_too_large": "this text is never said: a file that is too large is refused where it is sent",
}


def without_effect(data: Mapping[str, Any], table: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """The place and the reason of each part of the configuration that is used and has no effect."""
    for pattern, reason in table.items():
        for path in _find(data, tuple(pattern.split("."))):
            yield path, reason


def _find(value: Any, pattern: tuple[str, ...]) -> Iterator[Path]:
    if not pattern:
        if value is not None:
            yield ()
        return
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = [(key, item) for key, item in value.items() if pattern[0] in ("*", key)]
    elif isinstance(value, list) and pattern[0] == "*":
        items = list(enumerate(value))
    for key, item in items:
        for rest in _find(item, pattern[1:]):
            yield (key, *rest)
