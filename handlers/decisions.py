"""Senders who wait to hear what came of their event: it is decided a moment after it is stored, mostly with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bridge.domain.conversation.answer import ACCEPTED, Answer

PATIENCE_SECONDS = 0.2  # contract 5: longer is not waited, and the sender is told that it was accepted


class Decisions:
    """Who waits for which event's decision. `flooded()`: events come so fast that nobody is kept waiting."""

    def __init__(self, flooded: Callable[[], bool]) -> None:
        self._flooded = flooded
        self._waiting: dict[str, list[asyncio.Future[Answer]]] = {}

    @contextmanager
    def waiting(self, key: str) -> Iterator[asyncio.Future[Answer]]:
        """Gives a future for what comes of the event of this key, from before it is stored."""
        decided: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(key, [])
        waiting.append(decided)
        try:
            yield decided
        finally:
            waiting.remove(decided)
            if not waiting:
                self._waiting.pop(key, None)

    async def wait(self, decided: asyncio.Future[Answer]) -> Answer | None:
        """Returns what came of it, None where it was not heard in time; `ACCEPTED` at once in a flood."""
        if not decided.done():
            # What was decided in the transaction that stored the event is told in this very turn of the loop.
            await asyncio.sleep(0)
        if not decided.done():
            if self._flooded():
                return ACCEPTED
            await asyncio.wait((decided,), timeout=PATIENCE_SECONDS)
        return decided.result() if decided.done() else None

    def tell(self, answers: Mapping[str, Answer]) -> None:
        """Lets everybody know what was decided, by the events' keys."""
        for key in answers.keys() & self._waiting.keys():
            for decided in self._waiting[key]:
                if not decided.done():
                    decided.set_result(answers[key])
