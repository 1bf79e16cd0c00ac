"""Words that a lost attempt may have put into a 1:1, looked for; and a call that a stop cuts off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from typing import NamedTuple, TypeVar

from bridge.domain.errors import NotFound
from bridge.store.outbox import attributed
from bridge.store.store import Store
from bridge.webex.client import WebexClient
from bridge.webex.wire import Message

_PAGE = 100
_MOST_PAGES = 50  # of a thread in which nothing is known to be ours

T = TypeVar("T")


class Found(NamedTuple):
    """`message`: ours. `dark`: ids, newest first, of what we said there and Webex cannot decrypt just now."""

    message: Message | None = None
    dark: tuple[str, ...] = ()


class CutOff(asyncio.CancelledError):
    """A stop has cancelled a call that may still have its effect until `quiet_until`."""

    def __init__(self, quiet_until: float) -> None:
        super().__init__()
        self.quiet_until = quiet_until


async def cut_off_in_doubt(call: Awaitable[T], quiet_until: float) -> T:
    """The call's result. Raises CutOff where this task is cancelled meanwhile."""
    try:
        return await call
    except asyncio.CancelledError:
        raise CutOff(quiet_until) from None


async def find(
    webex: WebexClient,
    store: Store,
    token: Callable[[], str],
    address: str,
    ours: Callable[[Message], bool],
    said: Callable[[Message], bool],
    deliveries: Set[int],
    since: float | None = None,
) -> Found:
    """Our message in the 1:1 with `address`, should a lost attempt have put it there.

    It is the one that is known as one of `deliveries`, for another process has settled them; else, of what we said
    after the last message known to be ours, the oldest that `said` fits. However much the other has written
    meanwhile, the thread is read back to there, or to `since` (Webex's time). `token()`: for each call;
    `ours(message)`: whether it is this side's at all.
    """
    oldest: Message | None = None
    dark: list[str] = []
    async for page in _pages(webex, token, address):
        own = [one for one in page if ours(one)]
        known = await store.read(attributed, [one.id for one in own])
        for message in own:
            if message.id in known:
                return Found(message if known[message.id] & deliveries else oldest, tuple(dark))
            if since is not None and message.created < since:
                return Found(oldest, tuple(dark))
            if message.kms_failed:
                dark.append(message.id)
            elif said(message):
                oldest = message
        if since is not None and page[-1].created < since:
            break
    return Found(oldest, tuple(dark))


async def _pages(
    webex: WebexClient, token: Callable[[], str], address: str
) -> AsyncIterator[list[Message] | tuple[Message, ...]]:
    """The thread, newest first; empty where there is none yet."""
    page: list[Message] | tuple[Message, ...] = await webex.list_direct(token(), person_email=address)
    for _ in range(_MOST_PAGES):
        if not page:
            return
        yield page
        last = page[-1]
        try:
            older = await webex.list_messages(token(), last.room_id, before_message=last.id, max_items=_PAGE)
        except NotFound:  # it was taken back in this moment, or the room has none before it
            return
        page = older.items
