"""One conversation followed for all its streams in this process: one reading of the store serves them all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import structlog

from bridge.bus import Bus
from bridge.domain.conversation.model import Said
from bridge.domain.conversation.public import message_item
from bridge.domain.errors import crash
from bridge.logs import OF_NO_REQUEST
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.following import MOST_BYTES, Look, Mark, look
from bridge.store.reads import State
from bridge.store.store import Store

MOST_STREAMS = 8  # of one conversation
PAGE = 500


class Frame(NamedTuple):
    """An item of the transcript, written out once for all streams."""

    seq: int
    data: str


class Following(NamedTuple):
    """What feeds need of the rest. `shares_token(source)`; `floor_seconds`: they look without news as often."""

    store: Store
    bus: Bus
    shares_token: Callable[[str], bool]
    floor_seconds: float
    draining: Callable[[], bool]


class TooMany(Exception):
    """The conversation has as many streams as it may have."""


class Feeds:
    """The conversations that are followed now."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._open: dict[str, Feed] = {}

    @contextmanager
    def join(self, state: State, connected: Callable[[], bool]) -> Iterator[Feed]:
        """One more stream of the conversation, whose reader is there while it is `connected`. Raises TooMany."""
        ident = state.conversation.id
        feed = self._open.get(ident)
        if feed is None or feed.over:
            feed = self._open[ident] = Feed(self._following, state)
        if feed.is_full():
            raise TooMany
        feed.readers.append(connected)
        try:
            yield feed
        finally:
            feed.readers.remove(connected)
            if not feed.readers:
                feed.close()
                if self._open.get(ident) is feed:
                    del self._open[ident]


class Feed:
    """What is new in one conversation, in memory: as much as a page. Who is further behind reads the store.

    `news` is set, and replaced, whenever the feed has looked, or a reader is gone; `over`: it looks no more.
    """

    def __init__(self, following: Following, state: State) -> None:
        self.state = state
        self.issued: float | None = None
        self.readers: list[Callable[[], bool]] = []  # for each stream: whether somebody still reads it
        self.over = False
        self.news = asyncio.Event()
        self.looked = False
        self.items = _Recent(state.conversation.last_seq)
        self.changes = _Recent(0)
        self._changes_made = 0
        self._known: Mapping[int, Mark] | None = None
        self._following = following
        self._task = asyncio.create_task(self._run(), context=OF_NO_REQUEST)

    def close(self) -> None:
        self._task.cancel()

    def is_full(self) -> bool:
        """Whether it has as many streams as it may have. Those whose readers went away count no more, and end."""
        here = sum(connected() for connected in self.readers)
        if here < len(self.readers):
            self._wake()
        return here >= MOST_STREAMS

    async def _run(self) -> None:
        try:
            while not self.over:
                conversation = self.state.conversation
                # Its place in the queue is news of the team that it waits for now.
                topics = (conversation.id, f"team:{conversation.team}", f"guest:{conversation.guest_id}")
                with self._following.bus.listen(*topics) as news:
                    await self._listen(news, conversation.team)
        except StoreUnavailable:
            return  # the streams end; their pages come back
        except Exception as error:  # noqa: BLE001 - the streams of one conversation end, and it is told
            structlog.get_logger().error("feed.crashed", **crash(error))
        finally:
            self.over = True
            self._tell()

    async def _listen(self, news: asyncio.Event, team: str | None) -> None:
        """Until the conversation is another team's, or over."""
        while not self.over and self.state.conversation.team == team:
            news.clear()
            if await self._look():
                continue
            if not self.over and self.state.conversation.team == team:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), self._following.floor_seconds)

    async def _look(self) -> bool:
        """Whether there is more to be read at once."""
        conversation = self.state.conversation
        shares = self._following.shares_token(conversation.source)
        found = await self._following.store.read(
            look, conversation.id, self.items.newest, PAGE, self._known, shares
        )
        if found is None or self._following.draining():
            self.over = True
        if found is not None:
            self._take(found)
        self._tell()
        return found is not None and found.more

    def _take(self, found: Look) -> None:
        ident = found.state.conversation.id
        self.state, self.issued, self._known = found.state, found.token_issued_at, found.marks
        self.items.add(frames(ident, [item.said for item in found.fresh]))
        for frame in frames(ident, found.changed):
            self._changes_made += 1
            self.changes.add([Frame(self._changes_made, frame.data)])

    def _tell(self) -> None:
        self.looked = True
        self._wake()

    def _wake(self) -> None:
        told, self.news = self.news, asyncio.Event()
        told.set()


class _Recent:
    """The newest frames, as many as a page holds. `newest`: the number of the last one there ever was."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self._before = newest  # the number of the last one that is not kept
        self._kept: deque[Frame] = deque()
        self._bytes = 0

    def add(self, fresh: Iterable[Frame]) -> None:
        for frame in fresh:
            self._kept.append(frame)
            self._bytes += len(frame.data)
            self.newest = frame.seq
        while self._bytes > MOST_BYTES:
            gone = self._kept.popleft()
            self._bytes -= len(gone.data)
            self._before = gone.seq

    def after(self, number: int) -> list[Frame] | None:
        """Those with a larger number; None where some of them are not kept."""
        if number < self._before:
            return None
        return [frame for frame in self._kept if frame.seq > number]


def frames(conversation_id: str, items: Iterable[Said]) -> list[Frame]:
    return [Frame(said.seq, as_line(message_item(conversation_id, said))) for said in items]


def as_line(data: Mapping[str, Any]) -> str:
    """In ASCII: no character of a text is a line's end to anybody who reads this line by line."""
    return json.dumps(data)
