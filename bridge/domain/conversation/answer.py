"""What the sender of an event is told came of it (contract section 5)."""

from __future__ import annotations

import json
from typing import NamedTuple


class Answer(NamedTuple):
    """`status`: accepted (stored, not decided yet) | queued | open | ended. `position`: from 1, only where queued.

    `opens_at`: epoch seconds, where the team is closed.
    """

    status: str
    position: int | None = None
    opens_at: float | None = None

    def text(self) -> str:
        """Writes it down, as it is kept with the event for a repeat; `answer_of` reads it."""
        return self.status if self.position is None and self.opens_at is None else json.dumps(self)


ACCEPTED = Answer("accepted")


def answer_of(text: str) -> Answer:
    """Reads what `Answer.text` wrote; older versions wrote the status alone."""
    return Answer(*json.loads(text)) if text.startswith("[") else Answer(text)
