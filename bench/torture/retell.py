"""A subject's story in the order of its happening, for whoever looks into a broken promise."""

from __future__ import annotations

from datetime import UTC, datetime

from bench.torture.story import Story, Visit


def retell(story: Story) -> str:
    """One line for each thing that happened, with its time; then each visit's transcript."""
    numbers = {visit: f"visit {number}" for number, visit in enumerate(story.visits, 1)}
    told = [
        (word.sent_at, f"{numbers.get(word.visit or '', '?')}: sends {word.text[:60]!r}")
        for word in story.words
    ]
    for event in story.events:
        visit = event.visit or story.visit_of(event.text) or ""
        what = f"{event.kind} {event.text[:60]!r}" if event.text else f"/{event.kind} {event.to or ''}"
        told.append((event.at, f"{numbers.get(visit, '?')}: {event.agent}: {what}"))
    for line in story.lines:
        marks = ", ".join(
            [line.duty, *(["edited"] if line.edited else []), *(["taken back"] if line.deleted else []),
             *([f"file {line.file}"] if line.file else []), *(["unreadable"] if line.unreadable else [])]
        )  # fmt: skip
        told.append((line.at, f"{numbers[line.visit]}: {line.agent}: writes {line.text!r} ({marks})"))
    told += [
        (visit.over_at, f"{numbers[visit.id]}: its end is acknowledged")
        for visit in story.visits.values()
        if visit.over_at is not None
    ]
    lines = [f"{_clock(at)} {what}" for at, what in sorted(told)]
    for visit in story.visits.values():
        lines += [f"{numbers[visit.id]} is {visit.id}, {_state(visit)}", *_transcript(visit)]
    return "\n".join([f"== {story.subject} ({story.mode})", *lines, ""])


def _clock(at: float) -> str:
    """As in the logs."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]


def _state(visit: Visit) -> str:
    known = {"done": visit.done, "end asked for": visit.asked, "not readable any more": visit.closed}
    return ", ".join([f"with {visit.agent}", *(name for name, true in known.items() if true)])


def _transcript(visit: Visit) -> list[str]:
    return [
        f"    {item['seq']} {item['at']} {item['from']} {item['text'][:80]!r} {item['delivery'] or ''}"
        f"{' with a file' if item['files'] else ''}"
        for item in visit.items
    ]
