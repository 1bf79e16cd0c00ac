"""A copy of the plain values from which wrong parts can be taken out without losing count of the items."""

from __future__ import annotations

import copy
from typing import Any

from config.problems import Path

HOLE = object()  # stands for a list item that was taken out


class Remains:
    """What is left of the values. `original` leads from a place in the rest to its place in the files."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = copy.deepcopy(data)

    def values(self) -> Any:
        return _without_holes(self._data)

    def original(self, path: Path) -> Path:
        """The same place, counting also the list items that were taken out."""
        result: list[str | int] = []
        data: Any = self._data
        for part in path:
            if isinstance(data, list) and isinstance(part, int):
                kept = [index for index, item in enumerate(data) if item is not HOLE]
                part = kept[part] if part < len(kept) else part
            result.append(part)
            data = _child(data, part)
        return tuple(result)

    def remove(self, path: Path) -> None:
        """Takes out what stands at `path` in the files, or the single value that stands for a list there."""
        if not path:
            return
        data: Any = self._data
        for part in path[:-1]:
            data = _child(data, part)
        last = path[-1]
        if isinstance(data, dict):
            data.pop(last, None)
        elif isinstance(data, list) and isinstance(last, int) and last < len(data):
            data[last] = HOLE
        elif isinstance(data, str):
            self.remove(path[:-1])


def _child(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _without_holes(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_holes(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_without_holes(item) for item in data if item is not HOLE]
    return data
