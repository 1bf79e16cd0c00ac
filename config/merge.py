"""Several files as one: sections are put together key by key, routes one after another."""

from __future__ import annotations

from collections.abc import Sequence

from config.problems import Path
from config.tree import Tree


def merge(trees: Sequence[Tree]) -> Tree:
    """One tree of all, in the given order. The same key in two files is a problem that names both places."""
    whole = trees[0]
    for tree in trees[1:]:
        whole.problems.extend(tree.problems)
        whole.faulty.extend(tree.faulty)
        whole.readable = whole.readable and tree.readable
        _add(whole, tree)
    return whole


def _add(whole: Tree, tree: Tree) -> None:
    taken: dict[Path, Path] = {}  # what was a place in the file -> where it is in the whole
    for section, value in tree.data.items():
        there = whole.data.get(section)
        if there is None:
            whole.data[section] = value
            taken[section,] = (section,)
        elif isinstance(there, dict) and isinstance(value, dict):
            for key in value:
                if key in there:
                    _conflict(whole, tree, (section, key))
                else:
                    there[key] = value[key]
                    taken[section, key] = (section, key)
        elif isinstance(there, list) and isinstance(value, list):
            taken |= {(section, index): (section, len(there) + index) for index in range(len(value))}
            there.extend(value)
        elif value is not None:
            _conflict(whole, tree, (section,))
    for place, mark in tree.marks.items():
        for size in (1, 2):
            if place[:size] in taken:
                whole.marks[taken[place[:size]] + place[size:]] = mark


def _conflict(whole: Tree, tree: Tree, path: Path) -> None:
    first = whole.mark(path)
    message = f"this is also given in {first.file}:{first.line}"
    whole.problem(path, message, "one of the two places.", tree.mark(path))
