"""What customers thought of their conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select

from bridge.store.tables import ratings


@dataclass(frozen=True, slots=True)
class Rating:
    """`score`: 1 to 5. `comment`: the customer's words, None without. `at`: epoch seconds."""

    conversation_id: str
    score: int
    comment: str | None
    at: float


def rate(connection: Connection, given: Sequence[Rating]) -> list[bool]:
    """Keeps the ratings; of each whether it is the conversation's first one. A later one changes nothing."""
    return [_rate(connection, one) for one in given]


def _rate(connection: Connection, rating: Rating) -> bool:
    r = ratings.c
    if connection.execute(select(r.score).where(r.conversation_id == rating.conversation_id)).first():
        return False
    connection.execute(insert(ratings), [asdict(rating)])
    return True
