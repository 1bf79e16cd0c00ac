"""What a run saw of each subject: the evidence that the verdict judges, and who has the customer by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DUE = "due"  # must be shown: its agent has the customer for certain
FREE = "free"  # may be shown: whether its agent has the customer is not certain
PRIVATE = "private"  # must not be: a colleague has the customer, or the visit is over


@dataclass(slots=True)
class Word:
    """The customer's. `units`: the messages that it becomes at an agent; `visit`: known when acknowledged."""

    number: int
    text: str
    units: tuple[str, ...]
    sent_at: float = 0.0
    visit: str | None = None


@dataclass(slots=True)
class Line:
    """An agent's. `text`: what of it is for the customer. `file`: whether that must be `kept` or `refused`.

    `unreadable`: Webex shows it to nobody.
    """

    agent: str
    visit: str
    text: str
    duty: str
    at: float = 0.0
    edited: str | None = None
    deleted: bool = False
    file: str | None = None
    unreadable: bool = False


@dataclass(slots=True)
class Event:
    """In a thread: a text of the guest's that arrived, or a command of the agent's (`transfer` or `done`)."""

    agent: str
    kind: str
    at: float
    text: str = ""
    visit: str | None = None  # of a command
    to: str | None = None


@dataclass(slots=True)
class Visit:
    """One conversation. Its end: `done` is said by an agent, or it is asked for by customer or source.

    `items`: the transcript when it was last read; `closed`: the customer's key is dead, it cannot be read again.
    """

    id: str
    key: str
    done: bool = False
    asked: bool = False
    over_at: float | None = None  # when the end that was asked for was acknowledged
    closed: bool = False
    agent: str | None = None
    items: Sequence[Mapping[str, Any]] = ()

    @property
    def ended(self) -> bool:
        return self.done or self.asked


@dataclass(slots=True)
class Story:
    """One subject. `refused`: Webex refused this guest, or the agent whom it wrote to, at some time."""

    subject: str
    mode: str = "desk"
    words: list[Word] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    visits: dict[str, Visit] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)
    refused: bool = False
    _owners: dict[str, list[Word]] = field(default_factory=dict)

    def sends(self, word: Word) -> None:
        self.words.append(word)
        for unit in word.units:
            self._owners.setdefault(unit, []).append(word)

    def words_of(self, text: str) -> list[Word]:
        """Those that become this message at an agent: several where equal texts were sent on purpose."""
        return self._owners.get(text, [])

    def visit_of(self, text: str) -> str | None:
        """The visit of a message at an agent; None as long as its event is not acknowledged."""
        found = {word.visit for word in self.words_of(text)}
        return found.pop() if len(found) == 1 else None

    def unanswered(self) -> Word | None:
        """The word that was sent and is not acknowledged, if any."""
        return self.words[-1] if self.words and self.words[-1].visit is None else None

    def last_heard(self, agent: str) -> str | None:
        """The visit of the newest message in this agent's thread, by Webex's own order; None: not known."""
        for event in reversed(self.events):
            if event.agent == agent and event.kind == "arrived":
                return self.visit_of(event.text)
        return None


@dataclass(slots=True)
class Standing:
    """`had`: agents who got words of the visit. `holder`: who has it for certain; None: nobody can tell."""

    had: list[str]
    holder: str | None


def standing(story: Story, visit: str) -> Standing:
    """Who had a visit and who has it now, from what agents received and commanded.

    Who gets words of a visit for the first time has it in that moment. Who gets it back is told by nothing
    but a word that was sent while it was still a colleague's.
    """
    found = Standing([], None)
    since, asked_for = 0.0, None
    for event in story.events:
        if event.kind == "done" and event.visit == visit:
            found.holder = None
        elif event.kind == "transfer" and event.visit == visit:
            found.holder, asked_for = None, event.to
        elif event.kind == "arrived" and story.visit_of(event.text) == visit:
            newest = all(word.sent_at > since for word in story.words_of(event.text))
            first = event.agent not in found.had
            if first or (asked_for == event.agent and newest):
                found.holder, since, asked_for = event.agent, event.at, None
            if first:
                found.had.append(event.agent)
    return found
