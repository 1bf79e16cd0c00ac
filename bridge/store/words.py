"""What was said before, as a decision asks for it: few do, so it is looked up only then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from sqlalchemy import Connection, select

from bridge.domain.conversation.facts import SHOWN
from bridge.domain.conversation.model import Said
from bridge.store.tables import held, messages


class Words(Sequence[Said]):
    """The customer's own words so far, oldest first; `look` is called when they are first asked for."""

    def __init__(self, look: Callable[[], Sequence[Said]]) -> None:
        self._look = look
        self._found: Sequence[Said] | None = None

    def _all(self) -> Sequence[Said]:
        if self._found is None:
            self._found = self._look()
        return self._found

    @overload
    def __getitem__(self, index: int) -> Said: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Said]: ...
    def __getitem__(self, index: int | slice) -> Said | Sequence[Said]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())


def fate(connection: Connection, conversation_id: str, message_id: str) -> str | None:
    """SHOWN where the customer has this message of an agent; else what it was held as last."""
    shown = select(messages.c.seq).where(
        messages.c.webex_id == message_id,
        messages.c.conversation_id == conversation_id,
        messages.c.author == "agent",
    )
    if connection.execute(shown).first() is not None:
        return SHOWN
    kept = select(held.c.kind).where(held.c.webex_id == message_id, held.c.conversation_id == conversation_id)
    return connection.execute(kept.order_by(held.c.id.desc()).limit(1)).scalar()
