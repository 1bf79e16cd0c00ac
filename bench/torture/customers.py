"""Customers who send events until they are acknowledged, end their visits and come back."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.processes import SECRET
from bench.torture.story import Story, Visit, Word
from bridge.domain.signing import sign

TOPICS = {"quick": "quick", "far": "far"}  # mode -> topic, by which the routes find the team
_LONG = "x" * 4000  # two such words are more than a message of Webex's holds


@dataclass
class Tally:
    """`resent` without an acknowledgement, `repeated` after one; `ends` by customer or source."""

    sent: int = 0
    acknowledged: int = 0
    resent: int = 0
    repeated: int = 0
    ends: int = 0


@dataclass
class Customer:
    """One subject: its events go one after another, the next when the former was acknowledged.

    `ends`: whether it ends its visits; `over(story, visit)` is told of each end that is on disk.
    """

    story: Story
    urls: Sequence[str]
    session: aiohttp.ClientSession
    chance: random.Random
    tally: Tally
    ends: bool = False
    over: Callable[[Story, str], None] = lambda *_: None
    seen: bool = False  # the last look at every visit was answered
    _late: list[asyncio.Task[None]] = field(default_factory=list)

    async def talk(self, count: int, spread: float) -> None:
        moments = sorted(self.chance.uniform(0, spread) for _ in range(count))
        begun = time.monotonic()
        for number, moment in enumerate(moments):
            await asyncio.sleep(max(0.0, begun + moment - time.monotonic()))
            word = self._word(number)
            self.story.sends(word)
            event = self._event(word)
            self.tally.sent += 1
            word.visit = self._visit(await self._until_acknowledged(*event))
            self.tally.acknowledged += 1
            if self.chance.random() < 0.1:
                self._late.append(asyncio.create_task(self._repeat(*event)))
            if self.ends and number < count - 1 and self.chance.random() < 0.06:
                await self._end(self.story.visits[word.visit])
        await asyncio.gather(*self._late)

    def _word(self, number: int) -> Word:
        """One in five equals the one before; some are so long that they become two messages."""
        story, draw = self.story, self.chance.random()
        text = f"{story.subject} says {number}"
        units = (text,)
        former = story.words[-1] if story.words else None
        if draw < 0.2 and former and former.visit and not story.visits[former.visit].ended:
            text, units = former.text, former.units
        elif draw > 0.98:
            units = (f"{story.subject}-{number}-a{_LONG}", f"{story.subject}-{number}-b{_LONG}")
            text = " ".join(units)
        return Word(number, text, units, time.time())

    def _event(self, word: Word) -> tuple[str, bytes]:
        kind = "message.created" if word.number and self.chance.random() < 0.5 else "conversation.requested"
        data = {"subject": self.story.subject, "displayName": self.story.subject, "message": word.text}
        if self.story.mode in TOPICS:
            data["topic"] = TOPICS[self.story.mode]
        return f"{self.story.subject}-{word.number}", json.dumps({"type": kind, "data": data}).encode()

    async def _until_acknowledged(self, ident: str, body: bytes) -> dict[str, Any]:
        hurry = self.chance.random() < 0.05  # hangs up at once, not knowing whether it was taken
        while True:
            answer = await self._post(ident, body, 0.004 if hurry else 5.0)
            if answer is not None:
                return answer
            hurry = False
            self.tally.resent += 1
            await asyncio.sleep(self.chance.uniform(0.05, 0.4))

    async def _repeat(self, ident: str, body: bytes) -> None:
        """The sender did not see the acknowledgement: the same event later, amid the next ones."""
        await asyncio.sleep(self.chance.uniform(0, 1.5))
        self.tally.repeated += 1
        answer = await self._post(ident, body, 5.0, repeat=True)
        if answer is not None:
            self._visit(answer)

    async def _post(
        self, ident: str, body: bytes, timeout: float, repeat: bool = False
    ) -> dict[str, Any] | None:
        """The answer; empty where the event was about nothing (409); None where it must be sent again."""
        stamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": ident,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(SECRET, ident, stamp, body),
        }
        status, said = await self._call("POST", "/v1/events/kiosk", headers, timeout, data=body)
        if status == 409 and ident.endswith("-end"):
            return {}
        if status not in (200, 202):
            if status not in (0, 503):
                self.story.oddities.append(f"event {ident} was answered {status}")
            return None
        if repeat and status != 200:
            self.story.oddities.append(f"a repeat of {ident} was answered {status}")
        return said

    async def _call(
        self, method: str, path: str, headers: Mapping[str, str], timeout: float = 5.0, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        """To any of the processes. Status 0: no answer."""
        limit = aiohttp.ClientTimeout(total=timeout)
        url = self.chance.choice(self.urls) + path
        try:
            async with self.session.request(method, url, headers=headers, timeout=limit, **more) as answer:
                return answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return 0, {}

    def _visit(self, answer: Mapping[str, str]) -> str:
        ident, key = answer["conversationId"], answer["conversationKey"]
        visit = self.story.visits.setdefault(ident, Visit(ident, key))
        if visit.key != key:
            self.story.oddities.append(f"another key for {ident}")
        return ident

    # The end of a visit

    async def _end(self, visit: Visit) -> None:
        """By the customer, whose key is dead then, or by the source. What agents were to show may come too late."""
        by_customer = self.chance.random() < 0.5 and self.story.mode in ("desk", "swap", "quick")
        await self.look(visit)
        visit.asked = True
        self.tally.ends += 1
        visit.closed = by_customer
        if by_customer:
            await self._leave(visit)
        else:
            named = (
                {"conversationId": visit.id}
                if self.chance.random() < 0.5
                else {"subject": self.story.subject}
            )
            body = json.dumps({"type": "conversation.ended", "data": named}).encode()
            await self._until_acknowledged(f"{visit.id}-end", body)
        visit.over_at = time.time()
        self.over(self.story, visit.id)

    async def _leave(self, visit: Visit) -> None:
        while True:
            status, _ = await self._call("POST", f"/v1/conversations/{visit.id}/end", self._key(visit))
            if status in (200, 410):
                return
            await asyncio.sleep(self.chance.uniform(0.05, 0.4))

    # What the customer sees

    async def look(self, visit: Visit) -> bool:
        """Reads the transcript and who has the conversation; False where nobody answered."""
        if visit.closed:
            return True
        path = f"/v1/conversations/{visit.id}"
        state, found = await self._call("GET", path, self._key(visit))
        status, page = await self._call("GET", f"{path}/messages", self._key(visit))
        if 410 in (state, status):  # ended by an agent or the source more than ten minutes ago
            visit.closed = True
        elif state == status == 200:
            visit.items = page["items"]
            visit.agent = f"{found['agent']['name']}@example.com" if found["agent"] else None
        return status in (200, 410)

    async def look_at_all(self) -> None:
        self.seen = all([await self.look(visit) for visit in list(self.story.visits.values())])

    @staticmethod
    def _key(visit: Visit) -> dict[str, str]:
        return {"Authorization": f"Bearer {visit.key}"}
