"""One reading of a 1:1 thread: what of it was listed so far, what is new in it, and where it was cut short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.domain.conversation.hearing import reaches_back
from bridge.store.hearing import Thread, ThreadRead
from bridge.store.new_words import NewWords
from bridge.webex.wire import Message


@dataclass(slots=True)
class Reading:
    """As far as it came. `listed`: newest first; `back`: as far as what was read before.

    `handled`: the messages that were looked at, with `words` for those that are the agent's; `dropped`: hints of
    messages that Webex does not give us.
    """

    thread: Thread
    began: float
    listed: list[Message] = field(default_factory=list)
    back: bool = False
    words: list[tuple[float, NewWords]] = field(default_factory=list)
    handled: list[Message] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)

    def add(self, page: Iterable[Message]) -> bool:
        """Whether anything was new in it."""
        known = {message.id for message in self.listed}
        fresh = [message for message in page if message.id not in known]
        self.listed += fresh
        thread = self.thread
        assert thread.since is not None
        self.back = reaches_back(
            fresh,
            since=thread.since,
            since_id=thread.since_id,
            read_at=thread.read_at,
            read_id=thread.read_id,
        )
        return bool(fresh)

    def result(self, now: float, again_at: float | None, **more: Any) -> ThreadRead:
        """What is to be settled, in the order in which it was written."""
        listed = {message.id: message.created for message in self.listed}
        words = [
            replace(word, created=listed.get(word.message_id))
            for _, word in sorted(self.words, key=lambda one: one[0])
        ]
        done = self.dropped | {message.id for message in self.handled}
        cleared = tuple(hint for hint in self.thread.hints if hint in done)
        read = {"unread_from": self._unread_from(), "newest": self._newest(listed)}
        return ThreadRead(self.thread, now, tuple(words), cleared, again_at, **(read | more))

    def _unread_from(self) -> str | None:
        """Where the next reading goes on backwards: with the oldest that was listed here, which is not read yet.

        Else it could list nothing but what was read before, and what is newer would never be reached.
        """
        if self.back:
            return None
        return self.listed[-2].id if len(self.listed) > 1 else self.thread.unread_from

    def _newest(self, listed: Mapping[str, float]) -> tuple[str, float] | None:
        """Up to which message all was read now, where that is further than before."""
        last = next((message for message in reversed(self.handled) if message.id in listed), None)
        before = self.thread.read_at
        return (last.id, last.created) if last and (before is None or last.created >= before) else None
