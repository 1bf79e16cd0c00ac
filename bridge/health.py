"""How the service fares: /readyz, and the gauges of /metrics."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from bridge.bot.bot import Bot
from bridge.domain.errors import WebexError
from bridge.hooks import Replies
from bridge.live import Live
from bridge.metrics import Metrics
from bridge.ports import Clock, Minter
from bridge.store import reads
from bridge.store.committer import StoreUnavailable
from bridge.store.reads import Backlog, Counts
from bridge.store.store import Store
from bridge.tokens import Tokens

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
    draining: bool

    @property
    def reloader(self) -> Refusals: ...


class Health:
    """Counts now and then, and puts the answer together on demand without asking anybody outside."""

    def __init__(self, service: Watched) -> None:
        self._service = service
        self.counts: Counts | None = None
        self.backlog = Backlog(0, {})
        self._refused: list[tuple[str, str]] = []
        self._unread = 0
        self._store_problem: str | None = None

    async def count(self) -> None:
        service = self._service
        try:
            self.counts = await service.store.read(reads.counts, service.clock.now())
            self.backlog = await service.store.read(reads.backlog)
            self._refused = await service.store.read(reads.refused_agents, service.clock.now())
            self._unread = await service.store.read(reads.unread_threads)
            self._store_problem = None
        except StoreUnavailable as error:
            self._store_problem = str(error)
            raise
        tokens, counts = service.tokens, self.counts
        service.metrics.show(
            [
                ("tokens_minted", tokens.minted),
                ("tokens_reissued", tokens.reissued),
                ("tokens_failed", tokens.failed),
                ("tokens_live", counts.live_tokens),
                ("envelopes_open", counts.envelopes),
                ("deliveries_open", counts.deliveries),
                ("dead_letters", counts.dead),
                ("conversations_open", counts.open),
                ("conversations_queued", counts.queued),
            ]
        )

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
        if service.tokens.alarming:
            degraded.append(
                f"{len(service.tokens.alarming)} guest tokens in use are about to end and cannot be re-issued"
            )
        if service.replies.refused:
            degraded.append("Webex gives guests no webhook: replies are polled")
        for agent, why in self._refused:
            degraded.append(
                f"agents.{agent} gets no customers for an hour: Webex refused the last one: {why}"
            )
        if self._unread:
            degraded.append(f"the answers in {self._unread} open conversations cannot be read at Webex")
        if service.bot and service.bot.trouble:
            degraded.append(f"agents and leads are not told: {service.bot.trouble}")
        if self.counts and self.counts.dead:
            degraded.append(f"{self.counts.dead} dead letters: see bridge dead-letters list")
        reasons = [store_problem] if store_problem else []
        ok = store_problem is None and credential.ready and not credential.dead
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

    async def _store_trouble(self) -> str | None:
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                await self._service.store.do(reads.can_write, None)
        except StoreUnavailable as error:
            return str(error)
        except TimeoutError:
            return f"the database has not answered for {_STORE_SECONDS:g} seconds"
        return None
