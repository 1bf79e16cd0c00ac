"""How much a customer may say in one conversation: the store knows, and is asked now and then."""

from __future__ import annotations

from collections import OrderedDict

from bridge.store.following import words_held
from bridge.store.store import Store
from handlers.problems import Problem

MOST = 2_000_000  # characters of a customer's words in one conversation: days of writing
_LOOK_AFTER = 100_000  # characters: nobody who types is counted in the store
_REMEMBERED = 10_000


class Amounts:
    """Characters that were said in each conversation since the store was asked last. One process's own count."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._said: OrderedDict[str, int] = OrderedDict()

    async def add(self, conversation_id: str, words: str) -> None:
        """Raises Problem 413 where the conversation holds as much as it may."""
        said = self._said.pop(conversation_id, 0) + len(words)
        self._said[conversation_id] = said
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        if said < _LOOK_AFTER:
            return
        if await self._store.read(words_held, conversation_id) + len(words) > MOST:
            raise Problem(413, "This conversation holds as many words as it may. Begin another one.")
        self._said[conversation_id] = 0
