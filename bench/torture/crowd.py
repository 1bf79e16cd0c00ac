"""Customers who send events until they are acknowledged, and agents who answer some of their words."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from bench.processes import SECRET
from bench.torture.verdict import Story
from bridge.domain.signing import sign
from bridge.simulator import World

AGENTS = ("amy@example.com", "bo@example.com", "cy@example.com")


@dataclass
class Tally:
    """`resent` without an acknowledgement, `repeated` after one."""

    sent: int = 0
    acknowledged: int = 0
    resent: int = 0
    repeated: int = 0


@dataclass
class Customer:
    """One subject: its events go one after another, the next when the former was acknowledged."""

    story: Story
    urls: Sequence[str]
    session: aiohttp.ClientSession
    chance: random.Random
    tally: Tally
    key: tuple[str, str] | None = None  # the conversation's id and key
    _late: list[asyncio.Task[None]] = field(default_factory=list)

    async def talk(self, count: int, spread: float) -> None:
        moments = sorted(self.chance.uniform(0, spread) for _ in range(count))
        begun = time.monotonic()
        for number, moment in enumerate(moments):
            await asyncio.sleep(max(0.0, begun + moment - time.monotonic()))
            text = "yes" if number and self.chance.random() < 0.2 else f"{self.story.subject} says {number}"
            self.story.pending = text
            event = self._event(number, text)
            self.tally.sent += 1
            await self._until_acknowledged(*event)
            self.story.acknowledged.append(text)
            self.story.pending = None
            self.tally.acknowledged += 1
            if self.chance.random() < 0.1:
                self._late.append(asyncio.create_task(self._repeat(*event)))
        await asyncio.gather(*self._late)

    def _event(self, number: int, text: str) -> tuple[str, bytes]:
        kind = "message.created" if number and self.chance.random() < 0.5 else "conversation.requested"
        data = {"subject": self.story.subject, "displayName": self.story.subject, "message": text}
        return f"{self.story.subject}-{number}", json.dumps({"type": kind, "data": data}).encode()

    async def _until_acknowledged(self, ident: str, body: bytes) -> None:
        hurry = self.chance.random() < 0.05  # hangs up at once, not knowing whether it was taken
        while not await self._post(ident, body, 0.004 if hurry else 5.0):
            hurry = False
            self.tally.resent += 1
            await asyncio.sleep(self.chance.uniform(0.05, 0.4))

    async def _repeat(self, ident: str, body: bytes) -> None:
        """The sender did not see the acknowledgement: the same event later, amid the next ones."""
        await asyncio.sleep(self.chance.uniform(0, 1.5))
        self.tally.repeated += 1
        await self._post(ident, body, 5.0, repeat=True)

    async def _post(self, ident: str, body: bytes, timeout: float, repeat: bool = False) -> bool:
        stamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": ident,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(SECRET, ident, stamp, body),
        }
        url = f"{self.chance.choice(self.urls)}/v1/events/kiosk"
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with self.session.post(url, data=body, headers=headers, timeout=limit) as answer:
                status, said = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        if status not in (200, 202):
            if status != 503:
                self.story.oddities.append(f"event {ident} was answered {status}")
            return False
        if repeat and status != 200:
            self.story.oddities.append(f"a repeat of {ident} was answered {status}")
        self._same_conversation(json.loads(said))
        return True

    def _same_conversation(self, answer: dict[str, str]) -> None:
        key = answer["conversationId"], answer["conversationKey"]
        if self.key is not None and self.key != key:
            self.story.oddities.append(f"another conversation or key: {self.key[0]}, then {key[0]}")
        self.key = self.key or key

    async def look(self) -> bool:
        """Reads the transcript; whether it is complete and all of the customer's words are 'sent'."""
        if self.key is None:
            return not self.story.acknowledged
        items: list[dict[str, str]] = []
        while True:
            url = f"{self.chance.choice(self.urls)}/v1/conversations/{self.key[0]}/messages"
            query = {"after": items[-1]["seq"] if items else 0}
            headers = {"Authorization": f"Bearer {self.key[1]}"}
            try:
                async with self.session.get(url, params=query, headers=headers) as answer:
                    if answer.status != 200:
                        return False
                    page = (await answer.json())["items"]
            except (aiohttp.ClientError, TimeoutError, OSError):
                return False
            if not page:
                break
            items += page
        story = self.story
        story.shown = [item["text"] for item in items if item["from"] == "agent"]
        own = [item for item in items if item["from"] == "customer"]
        story.own_shown = [item["text"] for item in own]
        settled = all(item["delivery"] == "sent" for item in own)
        return settled and len(own) >= len(story.acknowledged) and len(story.shown) >= len(story.said)


class Agents:
    """Answer some messages, numbered per subject; now and then with two messages in a row."""

    def __init__(self, world: World, stories: dict[str, Story], chance: random.Random) -> None:
        self._world = world
        self._stories = stories
        self._chance = chance
        self._read = dict.fromkeys(AGENTS, 0)
        self._under_way: set[asyncio.Task[None]] = set()
        world.watch(self._changed)

    @property
    def busy(self) -> bool:
        return bool(self._under_way)

    def _changed(self) -> None:
        for email in AGENTS:
            inbox = self._world.find_person(email).inbox
            new, self._read[email] = inbox[self._read[email] :], len(inbox)
            for message in new:
                self._received(email, message)

    def _received(self, email: str, message: dict[str, str]) -> None:
        story = self._stories[self._world.find_person(message["personId"]).name]
        story.arrived.append(message["text"])
        if self._chance.random() < 0.35:
            task = asyncio.get_running_loop().create_task(self._answer(email, message["personId"], story))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _answer(self, email: str, guest: str, story: Story) -> None:
        await asyncio.sleep(self._chance.uniform(0, 1.0))
        for _ in range(2 if self._chance.random() < 0.3 else 1):
            text = f"answer {len(story.said)} to {story.subject}"
            story.said.append(text)
            self._world.say(email, guest, text=text)
