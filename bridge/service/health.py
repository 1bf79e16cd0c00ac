"""How the service fares: /readyz, and the gauges of /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Protocol

from bridge.bot.bot import Bot
from bridge.domain.errors import WebexError
from bridge.domain.progress import STANDS_STILL_SECONDS, VITAL, Stage, standing
from bridge.log_lines import LogLines
from bridge.ports import Clock, Minter
from bridge.service.live import Live
from bridge.service.metrics import Metrics
from bridge.service.supervision import Loops
from bridge.service.ticks import Ticks
from bridge.stages.call import Callbacks
from bridge.stages.intake import Intake
from bridge.stages.pump import Pump
from bridge.stages.replies import Replies
from bridge.stages.tokens import Tokens
from bridge.store import reads
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.reads import Backlog, Counts
from bridge.store.store import Store
from bridge.store.tokens import ending

_STORE_SECONDS = 6.0  # more than a locked SQLite is waited for


class Refusals(Protocol):
    @property
    def problems(self) -> tuple[str, ...]: ...


class Watched(Protocol):
    """What of the service is looked at."""

    clock: Clock
    store: Store
    tokens: Tokens
    minter: Minter
    metrics: Metrics
    replies: Replies
    live: Live
    bot: Bot | None
    callbacks: Callbacks
    draining: bool
    intake: Intake
    pumps: dict[str, Pump[Any]]
    ticks: Ticks
    loops: Loops
    log: LogLines | None

    @property
    def reloader(self) -> Refusals: ...


class Health:
    """Counts now and then, and puts the answer together on demand without asking anybody outside."""

    def __init__(self, service: Watched) -> None:
        self._service = service
        self.counts: Counts | None = None
        self.backlog = Backlog(0, {})
        self._refused: list[tuple[str, str]] = []
        self._ending = 0
        self._unread = 0
        self._store_problem: str | None = None
        self._waits: dict[str, float] = {}
        self._lines_counted = 0
        self._late: set[str] = set()  # stages whose oldest work was late at the last count
        self._still: set[str] = set()  # and at the one before: it is not about to be taken up

    async def count(self) -> None:
        service = self._service
        self._count_lost_lines()
        try:
            self.counts = await service.store.read(reads.counts, service.clock.now())
            self.backlog = await service.store.read(reads.backlog)
            self._refused = await service.store.read(reads.refused_agents, service.clock.now())
            oldest = await service.store.read(reads.oldest_ready, ("in", *service.pumps))
            self._ending = await service.store.read(ending, service.clock.now())
            self._unread = await service.store.read(reads.unread_threads)
            self._store_problem = None
        except StoreUnavailable as error:
            self._store_problem = str(error)
            raise
        self._look_for_standing_work(oldest)
        tokens, counts = service.tokens, self.counts
        service.metrics.count_tokens(tokens.minted, tokens.reissued, tokens.failed)
        service.metrics.show(
            [
                ("tokens_live", counts.live_tokens),
                ("envelopes_open", counts.envelopes),
                ("deliveries_open", counts.deliveries),
                ("dead_letters", counts.dead),
                ("conversations_open", counts.open),
                ("conversations_queued", counts.queued),
            ]
        )

    def _look_for_standing_work(self, oldest: dict[str, float]) -> None:
        now = self._service.clock.now()
        self._waits = {
            stage: max(0.0, now - oldest.get(stage, now)) for stage in ("in", *self._service.pumps)
        }
        for stage, seconds in self._waits.items():
            self._service.metrics.oldest_work.labels(stage).set(seconds)
        late = {stage for stage, seconds in self._waits.items() if seconds > STANDS_STILL_SECONDS}
        self._late, self._still = late, late & self._late

    def _stages(self) -> Iterator[Stage]:
        now = asyncio.get_running_loop().time()
        service = self._service
        for stage in self._waits:
            waits = self._waits[stage] if stage in self._still else 0.0
            if stage == "in":
                yield Stage(stage, waits, now - service.intake.moved_at)
            else:
                pump = service.pumps[stage]
                yield Stage(stage, waits, now - pump.moved_at, pump.longest(now))

    def _count_lost_lines(self) -> None:
        log = self._service.log
        if log is not None:
            self._service.metrics.log_lines_dropped.inc(log.dropped - self._lines_counted)
            self._lines_counted = log.dropped

    async def try_store(self) -> None:
        """Changes a row: whether the disk still takes something is only told by that. /readyz goes by the result."""
        await self._service.store.do(reads.can_write, None)

    async def count_guests(self) -> None:
        try:
            number = await self._service.minter.guest_count()
        except WebexError:
            return  # a gauge that is a little old harms nobody
        if number is not None:
            self._service.metrics.guests.set(number)

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether work can be done, and the details for an operator."""
        service = self._service
        store_problem = await self._store_trouble()
        credential = service.minter.report()
        degraded = list(service.reloader.problems) + list(service.live.problems)
        if self._ending:
            degraded.append(f"{self._ending} guest tokens in use are about to end and cannot be re-issued")
        if service.replies.refused_at is not None:
            degraded.append("Webex gives guests no webhook: replies are polled")
        for agent, why in self._refused:
            degraded.append(
                f"agents.{agent} gets no customers for an hour, or until the bot is told `on {agent}`: "
                f"Webex let different customers not write to them: {why}"
            )
        if self._unread:
            degraded.append(f"the answers in {self._unread} open conversations cannot be read at Webex")
        for source in service.callbacks.paused:
            degraded.append(
                f"sources.{source}.callback answered 410 and is called no more until it is configured anew"
            )
        if service.bot and service.bot.socket.trouble:
            degraded.append(f"Webex's websocket is down, the bot polls: {service.bot.socket.trouble}")
        if service.bot and service.bot.trouble:
            degraded.append(f"agents and leads are not told: {service.bot.trouble}")
        if self.counts and self.counts.dead:
            degraded.append(f"{self.counts.dead} dead letters: see bridge dead-letters list")
        still, behind = self._standing()
        degraded += behind
        reasons = [*([store_problem] if store_problem else []), *still]
        ok = not reasons and credential.ready and not credential.dead
        if not (credential.ready and not credential.dead):
            reasons += list(credential.reasons) or ["no credential to mint guests with was obtained yet"]
        else:
            degraded += list(credential.reasons)
        return ok and not service.draining, {
            "status": "ok" if ok and not degraded else "degraded" if ok else "unavailable",
            "reasons": reasons + (["the service is stopping"] if service.draining else []),
            "degraded": degraded,
            "store": "ok" if store_problem is None else "failing",
            "configuration": "refused" if service.reloader.problems else "ok",
            "credentials": "dead" if credential.dead else "ok" if credential.ready else "missing",
            "replies": "polled" if service.replies.polled else "webhook",
        }

    def _standing(self) -> tuple[list[str], list[str]]:
        """(why work stands still, what is behind or broken although work goes on)."""
        service = self._service
        reasons, degraded = standing(self._stages())
        for name, why in service.loops.ended.items():
            ended = reasons if name in VITAL else degraded
            ended.append(f"the loop {name} has ended and is begun again: {why}")
        degraded += service.ticks.troubles()
        if service.log is not None and (trouble := service.log.trouble()):
            degraded.append(trouble)
        return reasons, degraded

    async def _store_trouble(self) -> str | None:
        """Asks the writer, which commits nothing for it; only after a change was refused another one is tried."""
        store = self._service.store
        refused = store.writer.failed is not None
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                await store.do(reads.can_write if refused else reads.can_answer, None)
        except StoreUnavailable as error:
            return str(error)
        except TimeoutError:
            return f"the database has not answered for {_STORE_SECONDS:g} seconds"
        if refused:
            store.writer.failed = None
        return self._store_problem
