"""Evidence as a run collects it, made by hand: what a customer sent, agents received and wrote, and what was shown."""

from __future__ import annotations

from typing import Any

from bench.torture.story import DUE, Event, Line, Story, Visit, Word

AMY, BO, CY = "amy@example.com", "bo@example.com", "cy@example.com"


class Teller:
    """Builds one story, a second after another. Visits are made as words go to them."""

    def __init__(self, mode: str = "desk") -> None:
        self.story = Story("ada", mode)
        self._at = 0.0

    def says(self, text: str, visit: str | None = "v1", units: tuple[str, ...] = ()) -> None:
        word = Word(len(self.story.words), text, units or (text,), self._tick(), visit)
        self.story.sends(word)
        if visit is not None:
            self.visit(visit)

    def visit(self, ident: str) -> Visit:
        return self.story.visits.setdefault(ident, Visit(ident, "key"))

    def arrives(self, agent: str, *texts: str) -> None:
        self.story.events += [Event(agent, "arrived", self._tick(), text) for text in texts]

    def commands(self, agent: str, kind: str, visit: str = "v1", to: str | None = None) -> None:
        self.story.events.append(Event(agent, kind, self._tick(), visit=visit, to=to))

    def writes(self, text: str, agent: str = AMY, visit: str = "v1", duty: str = DUE, **more: Any) -> Line:
        line = Line(agent, visit, text, duty, self._tick(), **more)
        self.story.lines.append(line)
        return line

    def shows(
        self, author: str, *texts: str, visit: str = "v1", delivery: str = "sent", files: int = 0
    ) -> None:
        """Adds to what the visit's transcript shows."""
        items = [
            {"from": author, "text": text, "delivery": delivery, "files": [{}] * files, "seq": 0, "at": ""}
            for text in texts
        ]
        one = self.visit(visit)
        one.items = [*one.items, *items]

    def delivered(self, *texts: str, to: str = AMY, visit: str = "v1") -> None:
        """Words that were sent, arrived and stand in the transcript."""
        for text in texts:
            self.says(text, visit)
        self.arrives(to, *texts)
        self.shows("customer", *texts, visit=visit)

    def _tick(self) -> float:
        self._at += 1
        return self._at
