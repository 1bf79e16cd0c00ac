"""What the bot says of one thing that happened: a note's kind and fields -> a sentence. Pure.

Everything goes out as plain text, which Webex does not interpret, so nothing in it needs escaping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.domain.bot.commands import THREAD_HELP

UNREAD = "I could not read what you just said or pressed, for Webex does not give it to me. Please try again."
STRANGER = "Hello! I only work for the agents and leads of this support desk, and you are not listed there."


@dataclass(frozen=True, slots=True)
class About:
    """The conversation that a note is about, in a person's words."""

    ref: str
    name: str
    team: str | None = None
    store: str | None = None
    topic: str | None = None

    @property
    def who(self) -> str:
        return f"{one_line(self.name, 80)} ({self.ref})"

    @property
    def where(self) -> str:
        parts = [one_line(part, 60) for part in (self.team, self.store, self.topic) if part]
        return f"{self.ref} ({', '.join(parts)})" if parts else self.ref


def to_agent(kind: str, fields: Mapping[str, Any], about: About, count: int = 1) -> str | None:
    """The notice for an agent; None where a note only takes a card away. `count`: so many alike came at once."""
    match kind:
        case "late":
            why = _LATE.get(fields["why"], "has left; the conversation is over")
            if fields.get("asked"):
                return f"{about.who} {why}, so nothing was done."
            what = "What you just wrote" if count == 1 else f"The last {count} things you wrote"
            return f"{about.who} {why}. {what} did not reach them."
        case "moved":
            why = _MOVED.get(fields["why"], fields["why"])
            return f"{about.who} moved to {fields['to'] or 'somebody else'}: {why}."
        case "ended":
            said = _ENDED.get(fields["reason"])
            return f"{about.who}: {said}" if said else None
        case "unknown-command" if fields.get("edited"):
            reads = (
                "reads only what stands above it"
                if fields.get("words")
                else "still reads what you had said before"
            )
            return f"You changed it into a command, and nothing was done; {about.who} {reads}."
        case "unknown-command":
            held = f"{fields['word']} is no command I know, so I held it back; {about.who} did not see it."
            return f"{held} {THREAD_HELP}"
        case "help":
            return THREAD_HELP
        case "not-transferred":
            to = f" to {one_line(str(fields['to']), 60)}" if fields.get("to") else ""
            return f"{about.who} was not handed over{to}: {fields['why']}."
        case "file-refused":
            file = f"Your file {one_line(str(fields['name']), 60)}" if fields.get("name") else "Your file"
            others = f", and {count - 1} more," if count > 1 else ""
            return (
                f"{file}{others} did not reach {about.who}: {_FILE.get(fields['reason'], _FILE['refused'])}."
            )
        case "card-held":
            return f"A card cannot be shown to {about.who}, who saw nothing of it. Please write it in words."
        case "unread":
            return (
                f"Something that you wrote did not reach {about.who}, for Webex does not give its words. "
                "Please write it again."
            )
    return None


def to_leads(kind: str, fields: Mapping[str, Any], about: About) -> str | None:
    """The line of an alert."""
    match kind:
        case "waiting":
            return f"{about.where} has waited {duration(fields['seconds'])} and nobody is free."
        case "no-answer":
            return f"{about.where}: {fields['agent']} has not answered in time, and nobody else is free."
        case "refused":
            many = "" if fields.get("blamed", True) else " (one so far, who is moved on)"
            why = one_line(str(fields["reason"]), 200)
            return f"Webex does not let customers write to {fields['agent']}{many}: {why}"
        case "alarm":
            return str(fields["text"])
    return None


def one_line(text: str, most: int) -> str:
    """`text` without line breaks and control characters, cut."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


_LATE = {"moved": "is with somebody else now", "away": "was with somebody else then"}
_MOVED = {
    "no answer": "it was not answered in time",
    "transfer": "it was handed over",
    "refused": "Webex does not let this customer write to you",
}
_FILE = {
    "infected": "a virus was found in it",
    "unscannable": "it could not be scanned for viruses",
    "refused": "Webex does not give it out",
    "unavailable": "Webex could not give it in time",
}
_ENDED = {
    "customer": "the customer has left; the conversation is over.",
    "source": "the conversation was ended at the store's side.",
    "idle": "the customer has been silent for too long; the conversation is over.",
    "replaced": "somebody else is at the kiosk now; the conversation is over.",
}


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `2 h 5 min`, `3 days`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(hours / 24)} days"
