"""What the bot hears by Webex's own websocket, where Webex cannot call us: each event has REST read at once.

It is undocumented, so nothing rests on it: the 1:1s are read once a minute all the same, and while the socket is
down as often as without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from bridge.bot.ears import Ears
from bridge.domain.errors import WebexError
from bridge.ports import Clock, Vault
from bridge.store import bot
from bridge.store.bot import News
from bridge.store.store import Store
from bridge.webex.socket import BotSocket, Closed
from bridge.webex.socket_frames import Frame, Kind, public_id, wait_before

LEASE = "bot-socket"
LEASE_SECONDS = 30.0  # of many processes one holds the socket
_RENEW_SECONDS = 10.0
_NOT_WANTED_SECONDS, _NOT_OURS_SECONDS = 0.5, 5.0
_REPLACED_SECONDS = 60.0  # somebody else took the device over: not at once fought for
_MOST_PENDING = 200  # more than that is read by looking at everybody


class SocketEars:
    """`wanted()`: whether the bot is to hear so now. `trouble`: why it does not, None where it does or need not."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        ears: Ears,
        socket: BotSocket,
        wanted: Callable[[], bool],
        woken: Callable[[str], None],
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ears = ears
        self._socket = socket
        self._wanted = wanted
        self._woken = woken
        self.trouble: str | None = None
        self.connected = False
        self._people: set[str] = set()
        self._presses: dict[str, Frame] = {}
        self._everybody = False
        self._news = asyncio.Event()
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """For ever: holds the socket while it is wanted and this process is the one; comes back with backoff."""
        attempt = 0
        while True:
            if not self._wanted():
                self._down(None)
                await asyncio.sleep(_NOT_WANTED_SECONDS)
                continue
            if not await self._vault.acquire(LEASE, LEASE_SECONDS):
                self._down(None)
                await asyncio.sleep(_NOT_OURS_SECONDS)
                continue
            try:
                async with self._socket.open() as opened:
                    attempt = 0
                    self._up()
                    await self._hold(lambda: self._socket.listen(opened, self._hear, self._missed))
                    continue
            except Closed as closed:
                self._down(str(closed))
                if not closed.again:
                    await self._vault.release(LEASE)
                    await asyncio.sleep(_REPLACED_SECONDS)
                    continue
            except WebexError as error:
                self._down(str(error))
            attempt += 1
            await asyncio.sleep(wait_before(attempt, self._clock.chance()))

    async def close(self) -> None:
        """Deletes the device and gives the lease up: at a clean stop, after `run` was ended."""
        with suppress(asyncio.TimeoutError):
            async with asyncio.timeout(1.0):
                await self._socket.give_up_device()
                await self._vault.release(LEASE)

    async def _hold(self, listen: Callable[[], Awaitable[None]]) -> None:
        """Listens, and reads what was told of, until the socket ends or is somebody else's affair."""
        listening = asyncio.ensure_future(listen())
        try:
            renewed = self._clock.monotonic()
            while not listening.done():
                await self._read_on()
                await self._wait(listening)
                if self._clock.monotonic() - renewed >= _RENEW_SECONDS:
                    renewed = self._clock.monotonic()
                    if not self._wanted() or not await self._vault.acquire(LEASE, LEASE_SECONDS):
                        return
            await listening
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, Closed, WebexError):
                await listening

    async def _wait(self, listening: asyncio.Future[None]) -> None:
        """Until something was told, the socket ended, or the lease is to be renewed."""
        told = asyncio.ensure_future(self._news.wait())
        either: set[asyncio.Future[Any]] = {listening, told}
        try:
            await asyncio.wait(either, timeout=_RENEW_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
        self._news.clear()

    def _hear(self, frame: Frame) -> None:
        if len(self._people) + len(self._presses) >= _MOST_PENDING:
            self._missed()
        elif frame.kind is Kind.PRESS:
            self._presses[frame.activity] = frame
        else:
            self._people.add(frame.email)
        self._news.set()

    def _missed(self) -> None:
        self._everybody = True
        self._news.set()

    async def _read_on(self) -> None:
        """Reads what was told of since the last time; what cannot be read now, the next look finds."""
        presses, self._presses = self._presses, {}
        people, self._people = self._people, set()
        everybody, self._everybody = self._everybody, False
        for frame in presses.values():
            action = await self._socket.action_id(frame)
            news = News("press", action, public_id("PEOPLE", frame.person), self._clock.now())
            if await self._store.do(bot.note_news, news):
                self._woken("bot-in")
        if everybody:
            await self._ears.look(everybody=True)
            return
        for email in people:
            await self._ears.look_at(email)

    def _up(self) -> None:
        self.connected, self.trouble = True, None
        # Nothing is told again that happened while nobody listened.
        self._missed()
        self._log.info("bot.socket_open")

    def _down(self, why: str | None) -> None:
        self.connected = False
        if why is not None and self.trouble is None:
            self._log.warning("bot.socket_lost", reason=why)
        self.trouble = why
