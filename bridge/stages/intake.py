"""Intake: envelopes are decided as soon as they are stored; the deciding itself is in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from bridge.domain.errors import crash
from bridge.domain.identity import subject_hash
from bridge.domain.pace import Flood
from bridge.logs import OF_NO_REQUEST
from bridge.store.deciding import Outcome, Round, work
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.store import Store

_POLL_SECONDS = 0.5  # queues are looked at that often, for shifts begin without an event
_TROUBLE_SECONDS = 1.0
_FLOOD = 1500.0  # events a second: more than are delivered anyway
_REST, _LONGEST_REST = 4.0, 0.5  # of a round's time, after it, in a flood; seconds


class Intake:
    """`round_` describes a round that begins now; `told` hears what each round did.

    `begun` is called when a round was submitted, and gives the stages for which a claim was submitted right
    behind it: those need not be told of their new work. In a flood of events they are acknowledged first: rounds
    then take no more than a fifth of the time.
    """

    def __init__(
        self,
        store: Store,
        round_: Callable[[], Round],
        begun: Callable[[], set[str]],
        told: Callable[[Outcome], None],
    ) -> None:
        self._store = store
        self._round = round_
        self._begun = begun
        self._told = told
        self._working: asyncio.Future[Outcome] | None = None
        self._began = 0.0
        self.moved_at = 0.0  # by the loop's clock, when a round last decided something
        self._flood = Flood(_FLOOD)
        self._news = False  # something was stored since the round under way was submitted
        self._stopping = False
        self._log = structlog.get_logger()

    def arrived(self) -> None:
        """An event is being stored, and its sender waits for that."""
        self._flood.arrived()
        self.wake()

    def wake(self) -> None:
        """Submits a round at once, or when the one under way is back.

        One that is submitted right behind an event decides it in the transaction that stores it.
        """
        self._news = self._working is not None
        if self._news or self._stopping:
            return
        try:
            self._working = self._store.do(work, self._round())
        except Exception as error:  # noqa: BLE001 - whoever brought the news must not suffer from it
            self._log.error("intake.crashed", **crash(error))
            return
        self._began = asyncio.get_running_loop().time()
        claimed = self._begun()
        self._working.add_done_callback(partial(self._worked, claimed), context=OF_NO_REQUEST)

    @property
    def flooded(self) -> bool:
        """True while events come so fast that rounds rest between each other."""
        return self._flood.is_on(asyncio.get_running_loop().time())

    def stop(self) -> None:
        self._stopping = True

    async def run(self) -> None:
        """Until `stop`. A store that fails is waited for; nothing is lost meanwhile."""
        while not self._stopping:
            self.wake()
            await asyncio.sleep(_POLL_SECONDS)

    def _worked(self, claimed: set[str], worked: asyncio.Future[Outcome]) -> None:
        error = asyncio.CancelledError() if worked.cancelled() else worked.exception()
        if error is not None:
            if self._stopping:
                return
            if not isinstance(error, StoreUnavailable):  # a fault in one round must not end all intake
                self._log.error("intake.crashed", **crash(error))
            asyncio.get_running_loop().call_later(_TROUBLE_SECONDS, self._rested)
            return
        outcome = worked.result()
        outcome.stages -= claimed
        loop = asyncio.get_running_loop()
        if outcome.envelopes:
            self.moved_at = loop.time()
        try:
            self._report(outcome)
        except Exception as fault:  # noqa: BLE001 - what was decided stands; the next round must come
            self._log.error("intake.crashed", **crash(fault))
        if self._flood.is_on(loop.time()):
            rest = (loop.time() - self._began) * _REST
            loop.call_later(min(rest, _LONGEST_REST), self._rested)
            return
        self._working = None
        if self._news or outcome.more:
            self.wake()

    def _rested(self) -> None:
        self._working = None
        self.wake()

    def _report(self, outcome: Outcome) -> None:
        for line in outcome.log:
            self._log.info(
                line.event,
                conversation=line.conversation,
                subject_hash=subject_hash(line.customer),
                source=line.source,
                **line.fields,
            )
        for one in outcome.failed:
            self._log.error(
                "envelope.failed",
                conversation=one.conversation,
                envelope=one.envelope,
                kind=one.kind,
                **one.why,
            )
        self._told(outcome)
