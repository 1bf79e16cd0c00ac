"""News to the source's own address: in order, until it is taken, or until the receiver wants no more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from bridge.domain.retry import MOST_DAYS, callback_wait
from bridge.domain.turns import MOST_OF_HOST, free_places
from bridge.ports import Clock
from bridge.stages.leases import Leases
from bridge.stages.receiver import Answered, Caller, Target, news_body
from bridge.store import calls, pauses, settling
from bridge.store.calls import CallClaim, Turn
from bridge.store.outbox import Work
from bridge.store.settling import Settled
from bridge.store.store import Store

_LONGEST_RETRY_AFTER = 86400.0
_GONE = 410
_PAUSE_SECONDS = (
    3600.0  # what is paused is looked at once in so long; a changed configuration has it go on at once
)


class Callbacks:
    """The workers of the stage `call`.

    `more()`: there is room again for news of a source that had none. `link(conversation)`: where its customer goes on.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        targets: Callable[[], Mapping[str, Target]],
        on_call: Callable[[str, bool], None],
        more: Callable[[], None],
        leases: Leases,
        link: Callable[[str], str | None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._targets = targets
        self._on_call = on_call
        self._more = more
        self._link = link
        self._lease = leases.seconds
        self._log = structlog.get_logger()
        self._busy: dict[str, str] = {}  # the source of each lane that is worked
        self._short: set[str] = set()  # sources that may have more than they got
        self._served: dict[str, int] = {}  # when each source was given something last, in claims
        self._claims = 0
        self._caller = Caller(leases.request_class())
        self._paused: dict[str, str] = {}  # by source, the receiver that wants no more

    async def close(self) -> None:
        """Closes the connections to receivers."""
        await self._caller.close()

    @property
    def paused(self) -> list[str]:
        """The sources whose receiver asked to be called no more, and was not changed since."""
        return sorted(source for source, target in self._targets().items() if self._is_paused(source, target))

    def _is_paused(self, source: str, target: Target) -> bool:
        return self._paused.get(source) == target.fingerprint

    async def look(self) -> None:
        """Learns which receivers are paused, also by other processes; has the news go on where one was changed."""
        self._paused = await self._store.read(pauses.paused)
        now, targets = self._clock.now(), self._targets()
        for source in self._paused:
            target = targets.get(source)
            if target is None or not self._is_paused(source, target):
                await self._store.do(pauses.resume, pauses.Resumption(source, now))
                self._more()

    async def claim(self, room: int) -> Sequence[Work]:
        """Leases only what can be called at once: what waits for a host that is full waits in the store."""
        hosts = {source: target.host for source, target in self._targets().items()}
        by_source, free = free_places(hosts, Counter(self._busy.values()))
        longest_ago_first = sorted(hosts, key=lambda source: self._served.get(source, 0))
        turns = tuple(Turn(source, hosts[source], by_source[source]) for source in longest_ago_first)
        wish = CallClaim(self._store.owner, self._clock.now(), self._lease, room, turns, free)
        claimed = await self._store.do(calls.claim, wish)
        self._claims += 1
        for work in claimed:
            self._busy[work.lane] = work.address or ""
            self._served[work.address or ""] = self._claims
        got = Counter(work.address or "" for work in claimed)
        of_host = Counter(hosts.get(work.address or "") for work in claimed)
        self._short = {
            turn.source
            for turn in turns
            if got[turn.source] >= turn.most or of_host[turn.host] >= free[turn.host]
        }
        return claimed

    async def work(self, work: Work) -> Work | None:
        """Attempts one delivery and settles it; the lane's next one, on the same lease and in the same place."""
        following: Work | None = None
        self._busy[work.lane] = work.address or ""
        try:
            following = await self._attempt(work)
        finally:
            if following is None:
                self._leave(work.lane)
        return following

    def _leave(self, lane: str) -> None:
        source = self._busy.pop(lane, "")
        # A few at a time: a claim for each would be a transaction for each.
        if source in self._short and list(self._busy.values()).count(source) <= MOST_OF_HOST // 4:
            self._more()

    async def _attempt(self, work: Work) -> Work | None:
        target = self._targets().get(work.address or "")
        if target is None:
            return await self._settle(work, "dead", "the source has no callback any more")
        source = work.address or ""
        if self._is_paused(source, target):
            return await self._put_off(work)
        answered = await self._post(work, target)
        self._on_call(source, answered.problem is None)
        if answered.problem is None:
            return await self._settle(work, "done")
        now = self._clock.now()
        self._log.warning(
            "callback.failed",
            conversation=work.conversation_id,
            delivery=work.id,
            attempt=work.attempt,
            reason=answered.problem,
        )
        if answered.status == _GONE:
            return await self._pause(work, source, target)
        if now - work.created_at > MOST_DAYS * 86400:
            return await self._settle(work, "dead", answered.problem)
        asked = min(answered.retry_after, _LONGEST_RETRY_AFTER)
        wait = max(callback_wait(work.attempt, self._clock.chance()), asked)
        return await self._settle(work, "again", answered.problem, again_at=now + wait)

    async def _pause(self, work: Work, source: str, target: Target) -> Work | None:
        """The receiver wants no more: all its news waits until it is configured anew."""
        self._paused[source] = target.fingerprint
        self._log.error("callback.paused", source=source)
        await self._store.do(pauses.pause, pauses.Pause(source, target.fingerprint))
        return await self._put_off(work)

    async def _put_off(self, work: Work) -> Work | None:
        settled = Settled(
            work,
            "again",
            self._clock.now(),
            self._lease,
            again_at=self._clock.now() + _PAUSE_SECONDS,
            error="the receiver answered 410 and is called no more",
            counted=False,
        )
        return (await self._store.do(settling.settle, settled)).work

    async def _post(self, work: Work, target: Target) -> Answered:
        payload = json.loads(work.payload)
        data = payload["data"]
        if link := self._link(work.conversation_id):
            data = {**data, "conversationUrl": link}
        body = news_body(payload["type"], payload["at"], data)
        return await self._caller.post(
            target, f"news_{work.conversation_id}_{work.id}", body, self._clock.now()
        )

    async def _settle(
        self, work: Work, outcome: str, error: str | None = None, *, again_at: float = 0
    ) -> Work | None:
        settled = Settled(work, outcome, self._clock.now(), self._lease, again_at=again_at, error=error)
        return (await self._store.do(settling.settle, settled)).work
