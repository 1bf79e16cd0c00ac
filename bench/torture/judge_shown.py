"""What the customer is shown of agents' words: those of this visit, and no private one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.torture.compare import Finding, compare, short
from bench.torture.story import DUE, PRIVATE, Line, Story, Visit


def judge_shown(story: Story) -> Finding:
    """Once, in the order of their writing, with edits and deletions; nothing private, nothing of another visit."""
    finding = Finding()
    by_text = {text: line for line in story.lines for text in (line.text, line.edited) if text}
    for visit in story.visits.values():
        finding.add(_visit(story, visit, by_text))
    return finding


def _visit(story: Story, visit: Visit, by_text: Mapping[str, Line]) -> Finding:
    finding = Finding()
    where = f"{story.subject} ({story.mode}): visit {list(story.visits).index(visit.id) + 1} ({visit.id})"
    shown: list[tuple[Line, Mapping[str, Any]]] = []
    for item in visit.items:
        if item["from"] != "agent" or not (item["text"] or item["files"]):  # an empty one was withdrawn
            continue
        line = by_text.get(item["text"])
        if line is None:
            finding.evidence.append(f"{where}: shows what nobody wrote: {item['text'][:60]!r}")
        elif line.visit != visit.id or line.duty == PRIVATE:
            finding.leaked += 1
            whose = "private words" if line.duty == PRIVATE else "words of another visit"
            finding.evidence.append(f"{where}: shows {whose}: {item['text']!r}")
        else:
            shown.append((line, item))
    _sequence(where, story, visit, [line for line, _ in shown], finding)
    for line, item in shown:
        _state(where, visit, line, item, finding)
    return finding


def _sequence(where: str, story: Story, visit: Visit, seen: list[Line], finding: Finding) -> None:
    ids = [id(line) for line in seen]
    due = [
        line
        for line in story.lines
        if line.visit == visit.id
        and line.duty != PRIVATE
        and (id(line) in ids or _must_be_there(line, visit))
    ]
    found = compare([id(line) for line in due], ids)
    if found.any:
        finding.difference += found
        finding.waiting = finding.waiting or found.lost > 0
        texts = short([line.text for line in due]), short([line.text for line in seen])
        finding.evidence.append(f"{where}: answers: {found}\n  due  {texts[0]}\n  seen {texts[1]}")


def _must_be_there(line: Line, visit: Visit) -> bool:
    """An end that customer or source ask for may come before the words were read."""
    return line.duty == DUE and not (visit.asked or line.deleted or line.unreadable)


def _state(where: str, visit: Visit, line: Line, item: Mapping[str, Any], finding: Finding) -> None:
    """How the words stand there at last. After an end that was asked for, an edit may be too late for them."""
    told = finding.evidence
    if line.deleted and not visit.ended:
        finding.waiting = True
        told.append(f"{where}: shows words that were taken back: {item['text']!r}")
    if line.edited and line.duty == DUE and not visit.asked and item["text"] != line.edited:
        finding.waiting = True
        told.append(f"{where}: shows words without their edit: {item['text']!r}")
    if line.file == "kept" and line.duty == DUE and not item["files"]:
        told.append(f"{where}: the file of {item['text']!r} is missing")
    if line.file == "refused":
        if item["files"]:
            told.append(f"{where}: shows the refused file of {item['text']!r}")
        if not visit.closed and not any(one["from"] == "system" for one in visit.items):
            told.append(f"{where}: nobody told the customer of the file refused with {item['text']!r}")
