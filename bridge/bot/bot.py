"""The bot's parts together, and its set-up at Webex: who it is, its webhooks made and repaired."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import structlog

from bridge.bot.alarms import Alarms, ServiceState
from bridge.bot.courier import BotCourier
from bridge.bot.ears import Ears
from bridge.bot.presence import Presence
from bridge.bot.socket_ears import SocketEars
from bridge.bot.wording import Wording
from bridge.domain.conversation.masking import Masks
from bridge.domain.duty.roster import Roster
from bridge.domain.errors import WebexError
from bridge.domain.retry import backoff
from bridge.domain.throttling import BOT, OwnedToken
from bridge.ports import Clock, Vault
from bridge.stages.leases import Leases
from bridge.stages.pump import Pump
from bridge.store.outbox import Work
from bridge.store.store import Store
from bridge.webex import setup
from bridge.webex.client import WebexClient
from bridge.webex.socket import BotSocket
from bridge.webex.wire import Person

T = TypeVar("T")

WIDTH = 32  # notes in flight at once
_EARS = 16
_LEASE_SECONDS = 30.0  # of many processes one looks after alarms, presence and the 1:1s
_NET_SECONDS = 60.0  # the 1:1s are read so often where a websocket tells of them
_WANTED = (("messages", "created", "roomType=direct"), ("attachmentActions", "created", None))


@dataclass(frozen=True, slots=True)
class BotParts:
    """What the bot needs of the rest. `target`: where Webex reaches us, None: it cannot.

    `woken(stage)` has that stage's workers look; `state()` gives the service's troubles; `masks(source)` what of
    its customers' words must not reach Webex. `events()`: `webex.bot_events` of the configuration.
    """

    store: Store
    vault: Vault
    webex: WebexClient
    clock: Clock
    api_url: str
    token: str
    target: str | None
    secret: str
    roster: Callable[[], Roster]
    state: Callable[[], ServiceState]
    woken: Callable[[str], None]
    give_back: Callable[[Work], Awaitable[object]]
    leases: Leases
    call_seconds: float
    masks: Masks
    events: Callable[[], str]


class Bot:
    """`trouble`: what an operator should know, None where the bot is well."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts
        self.trouble: str | None = "who the bot is was not asked yet"
        self.webhooks_repaired = False
        self._log = structlog.get_logger()
        p, token = parts, OwnedToken(parts.token, BOT)
        rooms: dict[str, str] = {}
        courier = BotCourier(
            p.store,
            p.webex,
            p.clock,
            token,
            Wording(p.store, p.clock, p.roster, self._hears_presses, p.masks),
            rooms,
            lease_seconds=p.leases.seconds,
            call_seconds=p.call_seconds,
        )
        self.ears = Ears(
            p.store, p.webex, p.clock, token, p.roster, p.woken, rooms, p.leases.seconds, p.masks
        )
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self.socket = SocketEars(
            p.store,
            p.vault,
            p.clock,
            self.ears,
            BotSocket(p.api_url, p.token, self._session),
            wanted=lambda: self.hears == "websocket" and self.trouble is None,
            woken=p.woken,
        )
        self._looked_at = -_NET_SECONDS
        self._presence = Presence(p.store, p.webex, p.clock, token, p.roster)
        self._alarms = Alarms(p.store, p.clock, p.roster, p.state, p.woken)
        self.pumps: dict[str, Pump[Any]] = {
            "bot": Pump("bot", courier.claim, courier.work, WIDTH, p.leases, p.give_back),
            "bot-in": Pump("bot-in", self.ears.claim, self.ears.work, _EARS, p.leases, p.give_back),
        }

    @property
    def hears(self) -> str:
        """How the bot hears of messages and presses: webhook, websocket or poll."""
        wish, reached = self._parts.events(), self._parts.target is not None
        if wish == "auto":
            return "webhook" if reached else "websocket"
        return "poll" if wish == "webhook" and not reached else wish

    def _hears_presses(self) -> bool:
        return self.hears == "webhook" or (self.hears == "websocket" and self.socket.trouble is None)

    async def close(self) -> None:
        """At a clean stop: the websocket's device is deleted."""
        await self.socket.close()
        await self._session.close()

    async def begin(self) -> None:
        """Until Webex says who the bot is; then the webhooks, and what was said meanwhile."""
        attempt = 0
        while True:
            attempt += 1
            try:
                me = await self._throttled("GET", "/people/me", self._who_am_i)
            except WebexError as error:
                self.trouble = f"the bot's token does not work: {error}"
                self._log.warning("bot.not_known", reason=str(error))
                await asyncio.sleep(min(60.0, backoff(attempt, self._parts.clock.chance())))
                continue
            self.trouble = None
            self._log.info("bot.known", type=me.type, hears=self.hears)
            await self.reconcile()
            await self.ears.look(everybody=True)
            return

    async def reconcile(self) -> None:
        """The bot's webhooks as they should be. One that Webex switched off is on again, and missed words are read."""
        parts = self._parts
        if self.hears != "webhook" or self.trouble:
            return
        if not await parts.vault.acquire("bot-webhooks", _LEASE_SECONDS):
            return
        try:
            changes = await self._throttled("PUT", "/webhooks", self._make_webhooks)
        except WebexError as error:
            self._log.warning("bot.webhooks_not_made", reason=str(error))
            return
        self.webhooks_repaired = bool(changes.repaired)
        if changes.created or changes.repaired or changes.deleted:
            self._log.info("bot.webhooks_made", created=len(changes.created), repaired=len(changes.repaired))
        if changes.repaired:
            await self.ears.look(everybody=True)

    async def _throttled(self, method: str, path: str, call: Callable[[], Awaitable[T]]) -> T:
        """The set-up goes through Cisco's SDK, past our own gate, so it is asked here."""
        return await self._parts.webex.gates.through(BOT, method, path, call)

    async def _who_am_i(self) -> Person:
        return await setup.who_am_i(self._parts.api_url, self._parts.token)

    async def _make_webhooks(self) -> setup.WebhookChanges:
        p = self._parts
        return await setup.reconcile_webhooks(p.api_url, p.token, p.target or "", p.secret, _WANTED)

    async def look_for_news(self) -> None:
        """Where no webhook tells: the 1:1s of some of the people; where a websocket does, once a minute as a net."""
        if self.hears == "webhook":
            return
        now, told = self._parts.clock.monotonic(), self.hears == "websocket" and self.socket.trouble is None
        if told and now - self._looked_at < _NET_SECONDS:
            return
        self._looked_at = now
        await self._alone("bot-ears", self.ears.look)

    async def look_for_trouble(self) -> None:
        await self._alone("bot-alarms", self._alarms.look)

    async def look_at_presence(self) -> None:
        await self._alone("bot-presence", self._presence.look)

    async def _alone(self, name: str, job: Callable[[], Awaitable[None]]) -> None:
        if self.trouble is None and await self._parts.vault.acquire(name, _LEASE_SECONDS):
            await job()
