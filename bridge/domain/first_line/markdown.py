"""Reads answers out of a Markdown file: a heading is the question, what stands under it is the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_FENCE = re.compile(r" {0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class Section:
    """One heading: its line, from 1, its depth, its words, and the text up to the next heading."""

    line: int
    depth: int
    question: str
    text: str


def sections(content: str) -> list[Section]:
    """Returns every heading with the text under it. A '#' inside a fenced block is no heading."""
    heads: list[tuple[int, int, str, list[str]]] = []
    fence = ""
    for number, line in enumerate(content.lstrip("\ufeff").splitlines(), 1):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        head = None if fence or mark else _HEADING.match(line)
        if head:
            heads.append((number, len(head[1]), _words(line[head.end() :]), []))
        elif heads:
            heads[-1][3].append(line)
    return [Section(line, depth, words, "\n".join(text).strip()) for line, depth, words, text in heads]


def _words(rest: str) -> str:
    """The words of a heading, without the '#' that may close it."""
    words = rest.strip()
    bare = words.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else words


def faults(found: list[Section]) -> list[tuple[int, str]]:
    """What keeps a heading from being asked or answered: its line and the reason.

    A heading without text is fine where deeper headings follow it: it is the title of a chapter.
    """
    wrong: list[tuple[int, str]] = []
    for index, section in enumerate(found):
        after = found[index + 1] if index + 1 < len(found) else None
        if not section.question:
            wrong.append((section.line, "this heading is empty, so nobody can ask for what stands under it"))
        elif not section.text and (after is None or after.depth <= section.depth):
            wrong.append((section.line, "nothing stands under this heading, so there is no answer"))
    return wrong
