"""The composition root: builds every part, connects them, starts and stops them. It alone knows them all."""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from importlib.metadata import version
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from bridge.bot.alarms import LOOK_SECONDS as ALARMS_SECONDS
from bridge.bot.alarms import ServiceState
from bridge.bot.bot import Bot, BotParts
from bridge.bot.presence import LOOK_SECONDS as PRESENCE_SECONDS
from bridge.bus import Bus
from bridge.clock import ServiceClock
from bridge.domain.conversation.masking import mask
from bridge.domain.deadlines import CALL_SECONDS
from bridge.domain.errors import BridgeError, WebexError
from bridge.domain.identity import conversation_key
from bridge.domain.retry import backoff
from bridge.log_lines import LogLines
from bridge.ports import Clock
from bridge.service.health import Health
from bridge.service.heartbeat import Heartbeat
from bridge.service.keys import own_key
from bridge.service.live import Live, make_live
from bridge.service.metrics import Metrics
from bridge.service.minting import make_minter
from bridge.service.reload import Reloader
from bridge.service.retention import RUN_SECONDS, Retention
from bridge.service.stopping import STOP_SECONDS
from bridge.service.supervision import Loops
from bridge.service.ticks import Ticks
from bridge.service.timekeeping import Reading, Timekeeper
from bridge.stages.call import Callbacks
from bridge.stages.hear import Listener
from bridge.stages.hook import Hooks, guest_of
from bridge.stages.intake import Intake
from bridge.stages.leases import Leases
from bridge.stages.pump import Pump
from bridge.stages.replies import REFUSED, Replies
from bridge.stages.say import Courier
from bridge.stages.tokens import Tokens
from bridge.store import counters, gates, hooks, settling, upkeep, vault
from bridge.store.catching_up import LookAgain, listen_again
from bridge.store.deciding import Outcome, Round
from bridge.store.engine import news
from bridge.store.engine.sql import clock_reading
from bridge.store.engine.turns import in_turn
from bridge.store.engine.writer_process import Begin
from bridge.store.guests import Guest
from bridge.store.outbox import Work
from bridge.store.policies import Adopted, adopt
from bridge.store.settling import Settled
from bridge.store.store import Store, StoreVault
from bridge.store.vault import Cipher
from bridge.webex.client import WebexClient
from bridge.webex.gates import Connector, Gates
from bridge.webex.setup import OUR_WEBHOOKS
from config.load import Loaded
from config.settings import Settings
from handlers.decisions import Decisions
from handlers.door import Door
from handlers.feed import Feeds, Following
from handlers.parts import Demo, Parts
from handlers.refused import Refusals
from handlers.routes import make_app
from handlers.server import Runner, own_origins

LEASE_SECONDS = 10.0  # a dead process's work is taken over after this (contract 9: within 15 s)
_KEEPALIVE_SECONDS = 75.0  # longer than the usual proxy in front; also the bound on a request's headers
# By which share of the stop's time each of its steps is over; what is cancelled when the drain ends has a second.
_DOORS_CLOSED, _DRAINED, _LOOPS_ENDED, _CREDENTIAL_KEPT = 0.5, 0.65, 0.8, 0.83
_SESSIONS_CLOSED, _STORE_CLOSED = 0.85, 0.95
_CATCH_UP = 20.0  # threads a second that are read back after a start
_SAY, _HEAR, _CALL, _HOOK = 256, 64, 256, 16  # in flight at once, by stage


class Service:
    """One process of the bridge. `start` raises BridgeError where it cannot run at all.

    `own_writer`: the store is written by a process of its own; `failed` is set should that die. `log`: how this
    process writes its log, for /readyz and /metrics.
    """

    def __init__(
        self,
        settings: Settings,
        loaded: Loaded,
        clock: Clock,
        environ: Mapping[str, str],
        webex_timeout: float = CALL_SECONDS,
        *,
        own_writer: bool = False,
        log: LogLines | None = None,
    ) -> None:
        self._webex_timeout = webex_timeout
        self._own_writer = own_writer
        self.failed = asyncio.Event()
        self.settings = settings
        self.machine = clock
        self._time = ServiceClock(clock)
        self.clock: Clock = self._time
        self.loaded = loaded
        self.environ = environ
        self.metrics = Metrics()
        self.bus = Bus()
        self.log = log
        self.loops = Loops(clock.chance)
        self._log = structlog.get_logger()
        self._runner: Runner | None = None
        self._listening = False
        self.draining = False
        self.demo: Demo | None = None
        self.bot: Bot | None = None
        self._undo = AsyncExitStack()
        self._stop_seconds = STOP_SECONDS
        self._stop_began = 0.0

    async def start(self) -> None:
        """Opens the store, builds the parts, begins to work and to listen; all of it or nothing."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        settings, clock = self.settings, self.clock
        self.live: Live = await asyncio.to_thread(make_live, self.loaded, clock.now)
        self.metrics.config_loaded.set(clock.now())
        self.metrics.build.labels(
            version("webex-guest-bridge"),
            platform.python_version(),
            "postgresql" if settings.uses_postgresql else "sqlite",
        ).set(1)
        keys = [key.decode() for key in settings.secret_keys] or [own_key()]
        self.store = Store(
            settings.database_url.get_secret_value(),
            Cipher(keys),
            clock,
            f"{os.getpid()}-{secrets.token_hex(6)}",
            self._begin_writer(),
            self._writer_lost,
        )
        self._undo.push_async_callback(self._close_store)
        applied = await self.store.start()
        if applied:
            self._log.info("schema.migrated", revisions=applied)
        self.timekeeper = self._timekeeper()
        await self.timekeeper.agree()
        await in_turn(self.adopt)
        self.vault = StoreVault(self.store)
        self.root = (await self.vault.make_once(vault.ROOT)).encode()
        if len(keys) > 1:
            await in_turn(lambda: self.store.do(vault.reseal_all, self.store.cipher))
        configured = settings.webex_webhook_secret
        self.webhook_secret = (
            configured.get_secret_value() if configured else await self.vault.make_once(vault.WEBHOOK_SECRET)
        )
        self._build()
        self._undo.push_async_callback(self._stop_work)
        await self._learn_gates()
        await self._listen()
        self._schedule()
        self._work()

    def _build(self) -> None:
        settings, clock, store = self.settings, self.clock, self.store
        self.leases = leases = Leases(clock, LEASE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=Connector(limit=_SAY + _HEAR),
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=leases.request_class(),
        )
        self.webex = WebexClient(
            settings.webex_api_url,
            self._session,
            clock,
            timeout=self._webex_timeout,
            on_call=self.metrics.webex_call,
            gates=Gates(clock, self._throttled),
        )
        self.minter = make_minter(
            self.live.loaded.config.webex.guests, settings, self.webex, self.vault, clock
        )
        target = f"{settings.public_url.rstrip('/')}/webex/webhooks" if settings.public_url else None
        self.replies = Replies(target, self.webhook_secret, lambda: self.live.loaded.config.webex.replies)
        self.tokens = Tokens(
            store,
            self.minter,
            clock,
            lambda: self.live.budget(),
            self._token_changed,
            shown=lambda name: mask(name, self._masks()),
        )
        courier = Courier(
            store,
            self.webex,
            self.tokens,
            clock,
            budget=lambda: self.live.budget(),
            after_words=self._after_words,
            settled=self._settled,
            leases=leases,
            call_seconds=self._webex_timeout,
        )
        self.listener = listener = Listener(
            store,
            self.webex,
            self.tokens,
            clock,
            budget=lambda: self.live.budget(),
            polled=self.replies.polls,
            poll_seconds=lambda: self.live.loaded.config.webex.poll_seconds,
            heard=lambda: self.intake.wake(),
            lease_seconds=LEASE_SECONDS,
        )
        self.callbacks = Callbacks(
            store,
            clock,
            targets=lambda: self.live.targets,
            on_call=self._called,
            more=lambda: self.pumps["call"].wake(),
            leases=leases,
            link=self._link,
        )
        registrar = Hooks(
            store,
            self.webex,
            self.tokens,
            clock,
            lambda: self.live.budget(),
            self.replies,
            self._replies_changed,
            registered=lambda: self.pumps["hear"].wake(),
            lease_seconds=LEASE_SECONDS,
        )
        self.decisions = Decisions(lambda: self.intake.flooded)
        self.intake = Intake(store, self._round, self._begun, self._decided)
        self.pumps: dict[str, Pump[Any]] = {
            "say": Pump("say", courier.claim, courier.work, _SAY, leases, self._give_back),
            "hear": Pump("hear", listener.claim, listener.work, _HEAR, leases),
            "call": Pump("call", self.callbacks.claim, self.callbacks.work, _CALL, leases, self._give_back),
            "hook": Pump("hook", registrar.claim, registrar.work, _HOOK, leases),
        }
        self.hooks = registrar
        self.bot = self._bot(target)
        if self.bot:
            self.pumps |= self.bot.pumps
        self.heartbeat = Heartbeat(store, clock, leases, lambda: self.pumps.values())
        self.ticks = Ticks(clock, self.tokens.sweep)
        self.retention = Retention(store, clock, lambda: self.live.loaded.config.privacy.keep_days * 86400)
        self.health = Health(self)
        self.reloader = Reloader(self)
        self.door = Door(
            store,
            clock,
            self.root,
            sources=lambda: self.live.sources,
            backlog=lambda: self.health.backlog,
            stored=lambda: self.intake.arrived(),
            counter=self.metrics.events,
            most_file_bytes=lambda: int(self.live.loaded.config.privacy.keep_files_gb * 1024**3),
            link=self._link,
            decisions=self.decisions,
        )

    def _link(self, conversation_id: str) -> str | None:
        """The page on which a customer goes on; None where nobody could reach it."""
        if not self.settings.public_url:
            return None
        key = conversation_key(self.root, conversation_id)
        return f"{self.settings.public_url.rstrip('/')}/talk/{conversation_id}#key={key}"

    def _bot(self, target: str | None) -> Bot | None:
        token = self.settings.webex_bot_token
        if token is None:
            return None
        parts = BotParts(
            store=self.store,
            vault=self.vault,
            webex=self.webex,
            clock=self.clock,
            api_url=self.settings.webex_api_url,
            token=token.get_secret_value(),
            target=target,
            secret=self.webhook_secret,
            roster=lambda: self.live.roster,
            state=self._troubles,
            woken=self._woken,
            give_back=self._give_back,
            leases=self.leases,
            call_seconds=self._webex_timeout,
            masks=self._masks,
            events=lambda: self.live.loaded.config.webex.bot_events,
        )
        return Bot(parts)

    def _masks(self, source: str = "") -> Sequence[str]:
        return self.live.policy.rules(source).mask

    def _timekeeper(self) -> Timekeeper:
        shared = self.database_clock if self.settings.uses_postgresql else None
        return Timekeeper(
            self.store,
            self._time,
            shared,
            looked=lambda: self.ticks.follow_machine(),
            jumped=lambda: self.ticks.look_anew(),
        )

    async def database_clock(self) -> Reading:
        """PostgreSQL's time of day, which leads the clocks of all services on it."""
        return Reading(*await self.store.read(clock_reading, self.clock.monotonic))

    def _give_back(self, work: Work) -> Awaitable[object]:
        return self.store.do(settling.unclaim, settling.Unused(work, self.clock.now()))

    def _troubles(self) -> ServiceState:
        """What the leads should hear of, as far as it does not stand in the store."""
        credential = self.minter.report()
        hooks = self.hooks.disabled_since(self.clock.monotonic() - 900)
        if self.bot and self.bot.webhooks_repaired:
            webhooks = (
                "Webex had switched the bot's webhook off; it is on again, and what was missed is read."
            )
        else:
            webhooks = f"Webex has switched off the webhooks of {hooks} customers." if hooks else ""
        return ServiceState(
            credential_dead="; ".join(credential.reasons[:2]) or "refused" if credential.dead else "",
            configuration_refused="; ".join(self.reloader.problems[:3]),
            webhooks=webhooks,
            callbacks_paused=", ".join(self.callbacks.paused),
            other_addresses=tuple(sorted(self.listener.other_addresses.items())),
        )

    def _parts(self) -> Parts:
        return Parts(
            door=self.door,
            bus=self.bus,
            ready=self.health.ready,
            metrics=self.metrics.render,
            agent_name=lambda agent: self.live.agent_name(agent),
            webhook_secret=self.webhook_secret,
            guest_of=guest_of,
            woken=self._woken,
            replied=self._replied,
            borrow=self.tokens.borrow,
            open_file=self.webex.open_file,
            streams=self.metrics.streams,
            requests=self.metrics.requests,
            refusals=Refusals(self.clock, self.metrics.events_refused),
            public_url=(self.settings.public_url or "").rstrip("/"),
            feeds=Feeds(
                Following(
                    self.store,
                    self.bus,
                    shares_token=self._shares_token,
                    floor_seconds=2.0 if self.settings.uses_postgresql else 15.0,
                    draining=lambda: self.draining,
                )
            ),
            own_origins=own_origins(self.settings.public_url, self.settings.host, self.settings.port),
            proxies=self.settings.trusted_proxies,
            demo=self.demo,
            bot_webhooks=OUR_WEBHOOKS if self.bot else None,
        )

    def _shares_token(self, source: str) -> bool:
        known = self.live.sources.get(source)
        return known is not None and known.share_guest_token

    async def _listen(self) -> None:
        # The raw bytes are what is signed: nothing may unpack them on the way.
        self._runner = Runner(
            make_app(self._parts()),
            auto_decompress=False,
            access_log=None,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            shutdown_timeout=2,
            handle_signals=False,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise BridgeError(
                f"cannot listen on {self.settings.host}:{self.settings.port}: {error.strerror}"
            ) from error
        self._listening = True
        self._log.info("service.listening", host=self.settings.host, port=self.settings.port)

    def _schedule(self) -> None:
        every = self.ticks.every
        every(0.5, "conversations.due", self._put_due, first_after=0)
        every(2, "store.count", self.health.count, first_after=0)
        every(30, "store.try", self.health.try_store)
        every(60, "credential.keep_fresh", self.minter.keep_fresh)
        every(2, "configuration.look", self.reloader.look)
        every(5, "callbacks.look", self.callbacks.look, first_after=0)
        every(60, "lanes.find_stranded", self._find_stranded)
        every(600, "store.purge", self.retention.run, first_after=30, patience=2 * RUN_SECONDS)
        every(300, "webhooks.look_over", self.look_over)
        every(60, "webhooks.probe", self.probe_webhooks)
        every(300, "counters.recount", self._recount, first_after=30)
        if self.settings.uses_postgresql:
            every(2, "gates.learn", self._learn_gates)
        every(3600, "guests.count", self.health.count_guests, first_after=60)
        if self.bot:
            every(300, "bot.reconcile", self.bot.reconcile)
            every(10, "bot.look_for_news", self.bot.look_for_news)
            every(ALARMS_SECONDS, "bot.look_for_trouble", self.bot.look_for_trouble)
            every(PRESENCE_SECONDS, "bot.look_at_presence", self.bot.look_at_presence, first_after=5)
        self.ticks.start()

    def _work(self) -> None:
        keep = self.loops.keep
        keep("in", self.intake.run)
        for stage, pump in self.pumps.items():
            keep(stage, self._hear if stage == "hear" else pump.run)
        keep("leases", self.heartbeat.run)
        keep("credential", self._obtain_credential)
        keep("clock", self.timekeeper.run)
        if self.bot:
            keep("bot-begin", self.bot.begin)
            keep("bot-socket", self.bot.socket.run)
        if self.settings.uses_postgresql:
            url = self.settings.database_url.get_secret_value()
            keep("news", lambda: news.hear(url, self.bus.tell))

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Takes no more, drains what is in flight, gives the leases up; within `seconds`, whatever hangs."""
        self.draining = True
        self._stop_seconds, self._stop_began = seconds, self.clock.monotonic()
        self.bus.tell_everybody()  # open streams end, their pages come back to whoever runs then
        await self._undo.aclose()
        if self._listening:  # else it never ran, and whoever started it says why
            self._log.info("service.stopped")

    def _left(self, share: float) -> float:
        """The seconds until this share of the stop's time is over."""
        return max(0.0, self._stop_began + share * self._stop_seconds - self.clock.monotonic())

    async def _stop_work(self) -> None:
        """Each step has its share of the time, so that the last one, giving the leases up, has some left."""
        drain = self._left(_DRAINED)
        await asyncio.gather(self._close_doors(), *(pump.stop(drain) for pump in self.pumps.values()))
        self.ticks.stop()
        await self.loops.stop(self._left(_LOOPS_ENDED))  # until here the leases were kept
        await self.minter.close(self._left(_CREDENTIAL_KEPT))
        await _at_most(
            self._left(_SESSIONS_CLOSED),
            asyncio.gather(
                self._session.close(), self.callbacks.close(), *([self.bot.close()] if self.bot else [])
            ),
        )

    async def _close_doors(self) -> None:
        if self._runner:
            await _at_most(self._left(_DOORS_CLOSED), self._runner.cleanup())
        self.intake.stop()

    async def _close_store(self) -> None:
        await self.store.stop(self._left(_STORE_CLOSED))

    def _begin_writer(self) -> Begin | None:
        """What a process for the store's writer must know; None: a thread of this process writes."""
        if not self._own_writer:
            return None
        settings = self.settings
        return Begin(settings.database_url.get_secret_value(), settings.log_format, settings.log_level)

    def _writer_lost(self, why: str) -> None:
        self._log.critical("store.writer_lost", reason=why)
        self.failed.set()

    async def adopt(self) -> None:
        """The configuration in force is what intake decides by from now on."""
        await self.store.do(adopt, Adopted(self.store.owner, self.live.policy))

    # what the parts tell one another

    def _round(self) -> Round:
        return Round(self.clock.now(), self.store.owner, self.bot is not None)

    def _woken(self, stage: str) -> None:
        if stage == "in":
            self.intake.wake()
        else:
            self.pumps[stage].wake()

    def _replied(self, what: str) -> None:
        """A webhook came; what it names is counted when it is heard, what is not for us here."""
        if what == "foreign":
            self.metrics.replies.labels(what).inc()

    def _begun(self) -> set[str]:
        """A round of intake is under way; what it gives to say is claimed in the same transaction."""
        return {"say"} if self.pumps["say"].claim_now() else set()

    def _decided(self, outcome: Outcome) -> None:
        self.decisions.tell(outcome.answers)
        for stage in outcome.stages:
            self.pumps[stage].wake()
        self._tell({*outcome.touched, *(f"team:{team}" for team in outcome.teams)})
        for line in outcome.log:
            kind, _, what = line.event.partition(".")
            if kind == "reply":
                self.metrics.replies.labels(line.fields.get("why", what)).inc()
                if "after" in line.fields:
                    self.metrics.first_answer.observe(line.fields["after"])
            elif kind == "conversation":
                self.metrics.conversations.labels(what).inc()
                if "waited" in line.fields:
                    self.metrics.wait.observe(line.fields["waited"])

    def _tell(self, topics: set[str]) -> None:
        """Open streams look again: here at once, in other processes by NOTIFY."""
        self.bus.tell(topics)
        if topics and self.settings.uses_postgresql:
            told = self.store.do(news.announce, frozenset(topics))
            told.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _settled(self, settled: Settled) -> None:
        """After the customer's words were said: news for their page, and an ear for the answer."""
        self.metrics.deliveries.labels(settled.outcome).inc()
        self._tell({settled.work.conversation_id})
        if settled.outcome in ("dead", "agent-refused"):
            self.intake.wake()
        if settled.outcome == "done":
            self._log.info(
                "delivery.sent",
                conversation=settled.work.conversation_id,
                delivery=settled.work.id,
                agent=settled.work.agent,
                attempt=settled.work.attempt,
            )
            guest = settled.work.guest
            if settled.webhook and guest and guest.webhook != settled.webhook:
                self.pumps["hook"].wake()

    def _after_words(self, guest: Guest | None, now: float) -> tuple[float, str | None]:
        """When a thread just written to is read, and what its guest's webhook should be."""
        # A new guest's webhook is on its way; when it is there its threads are read anyway.
        polled = self.replies.polled or (guest is not None and guest.webhook == REFUSED)
        wait = self.live.loaded.config.webex.poll_seconds if polled else 30.0
        return now + wait, self.replies.fingerprint

    def _called(self, source: str, taken: bool) -> None:
        self.metrics.callbacks.labels(source, "taken" if taken else "refused").inc()

    def _token_changed(self, guest_id: str, due: float) -> None:
        self.ticks.reissue_at(due)
        self._tell({f"guest:{guest_id}"})

    def _throttled(self, owner: str, flow: str, seconds: float) -> None:
        """A 429 came: a restart and the other processes must know, too."""
        gate = gates.Gate(owner, flow, self.clock.now() + seconds)
        told = self.store.do(gates.close, gate)
        told.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _learn_gates(self) -> None:
        """What Webex asked of us before the start, or of another process."""
        now = self.clock.now()
        for gate in await self.store.read(gates.closed, now):
            self.webex.gates.close(gate.owner, gate.flow, gate.until - now)

    async def _replies_changed(self) -> None:
        """Webex gives guests no webhook any more, or gives them again: a restart must know, too."""
        refused_at = self.replies.refused_at
        await self.vault.write("webhooks-refused", "" if refused_at is None else str(refused_at))
        if refused_at is None:
            await self.look_over()
        else:
            await self._listen_again()

    # what time brings

    async def _put_due(self) -> None:
        if await self.store.do(upkeep.put_due, upkeep.Tick(self.clock.now())):
            self.intake.wake()

    async def _find_stranded(self) -> None:
        found = await self.store.do(upkeep.find_stranded, upkeep.Tick(self.clock.now()))
        if found:
            self._log.warning("lanes.found", lanes=found)

    async def look_over(self) -> None:
        """Has the webhooks of all guests with an open conversation looked at, within a minute."""
        if not self.replies.polled:
            await self.store.do(hooks.look_over, hooks.LookOver(self.clock.now(), 60))

    async def probe_webhooks(self) -> None:
        """While all guests are polled for Webex's sake, now and then one asks whether it may have a webhook."""
        if self.replies.probe_due(self.clock.now()):
            await self.store.do(hooks.look_over, hooks.LookOver(self.clock.now(), 0, most=1))
            self.pumps["hook"].wake()

    async def _recount(self) -> None:
        """Loads that are counted along are compared with the conversations there are."""
        found = await self.store.read(counters.suspects)
        if not (found.agents or found.guests):
            return
        corrected = await self.store.do(counters.recount, found)
        if corrected.agents or corrected.guests:
            agents = {key: f"{was} -> {is_}" for key, (was, is_) in corrected.agents.items()}
            self._log.warning("counters.corrected", agents=agents, guests=corrected.guests)
            self.intake.wake()

    async def _listen_again(self) -> None:
        await self.store.do(listen_again, LookAgain(self.clock.now(), _CATCH_UP))
        self.pumps["hear"].wake()

    async def _hear(self) -> None:
        """Reading begins with what was said while nobody listened, at a pace, before anything else is claimed."""
        await self._catch_up()
        await self.pumps["hear"].run()

    async def _catch_up(self) -> None:
        """What agents said while nobody listened is read back."""
        refused_at = await self.vault.read("webhooks-refused")
        self.replies.refused_at = float(refused_at) if refused_at else None
        await self._listen_again()

    async def _obtain_credential(self) -> None:
        """Until Webex answers: the service runs meanwhile, keeps what arrives, and /readyz says why."""
        attempt = 0
        while True:
            attempt += 1
            try:
                await self.minter.prepare()
            except (WebexError, BridgeError) as error:
                self._log.warning("credential.not_obtained", reason=str(error))
                await asyncio.sleep(min(30.0, backoff(attempt, self.clock.chance())))
            else:
                self._log.info("credential.obtained")
                for pump in self.pumps.values():
                    pump.wake()
                return


async def _at_most(seconds: float, work: Awaitable[object]) -> None:
    """Waits for the end of `work`, but not longer."""
    with suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)
