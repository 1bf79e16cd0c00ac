"""Intake: envelopes are decided as soon as they are stored; the deciding itself is in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from bridge.domain.identity import subject_hash
from bridge.logs import crash
from bridge.store.intake import Outcome, Round, work
from bridge.store.store import Store
from bridge.store.writer import StoreUnavailable

_POLL_SECONDS = 0.5  # queues are looked at that often, for shifts begin without an event
_TROUBLE_SECONDS = 1.0


class Intake:
    """`round_` gives the configuration in force; `told` hears what each round did."""

    def __init__(self, store: Store, round_: Callable[[], Round], told: Callable[[Outcome], None]) -> None:
        self._store = store
        self._round = round_
        self._told = told
        self._news = asyncio.Event()
        self._stopping = False
        self._log = structlog.get_logger()

    def wake(self) -> None:
        self._news.set()

    def stop(self) -> None:
        self._stopping = True
        self._news.set()

    async def run(self) -> None:
        """Until `stop`. A store that fails is waited for; nothing is lost meanwhile."""
        while not self._stopping:
            self._news.clear()
            try:
                outcome = await self._store.do(work, self._round())
            except StoreUnavailable:
                await asyncio.sleep(_TROUBLE_SECONDS)
                continue
            except Exception as error:  # noqa: BLE001 - a fault in one round must not end all intake
                self._log.error("intake.crashed", **crash(error))
                await asyncio.sleep(_TROUBLE_SECONDS)
                continue
            self._report(outcome)
            if not outcome.more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), _POLL_SECONDS)

    def _report(self, outcome: Outcome) -> None:
        for event, conversation, fields in outcome.log:
            self._log.info(
                event,
                conversation=conversation.id,
                subject_hash=subject_hash(conversation.customer),
                source=conversation.source,
                **fields,
            )
        for envelope, error in outcome.failed:
            self._log.error(
                "envelope.failed",
                conversation=envelope.conversation_id,
                envelope=envelope.id,
                kind=envelope.kind,
                **crash(error),
            )
        self._told(outcome)
