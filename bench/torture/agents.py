"""Agents: answer, edit, take back, hand over, end, and write what is not for the customer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bench.torture.options import Options
from bench.torture.story import DUE, FREE, PRIVATE, Event, Line, Standing, Story, standing
from bench.torture.weather import Weather
from bridge.simulator import Person, World

AGENTS = ("amy@example.com", "bo@example.com", "cy@example.com")
REFUSING = "di@example.com"
_BURST = 70  # answers in one go, more than a page of Webex's lists
_FILES = ("clean", "clean", "scanning", "failing", "infected", "unscannable", "refused")
_PASSING = ("clean", "scanning", "failing")
_SURE = ("desk", "swap")  # modes in which only commands move a conversation
_ONE_WAY = (*_SURE, "quick")  # and in which nobody gets it back unless by a command


class Agents:
    """Each text of theirs names its visit and says whether it is private, so that no verdict needs to guess.

    Whether an agent has the customer is read from the threads (`story.standing`), never from the bridge.
    """

    def __init__(
        self,
        world: World,
        stories: dict[str, Story],
        chance: random.Random,
        options: Options,
        weather: Weather,
    ) -> None:
        self._world = world
        self._stories = stories
        self._chance = chance
        self._also = options.also
        self._weather = weather
        self._guests: dict[str, Person] = {}
        self._read = dict.fromkeys((*AGENTS, REFUSING), 0)
        self._under_way: set[asyncio.Task[None]] = set()
        self.calm = False  # from now on only what was begun is ended
        self._spoiling_until = time.time() + options.spread * 0.6
        world.watch(self._changed)

    @property
    def busy(self) -> bool:
        return bool(self._under_way)

    def over(self, story: Story, visit: str) -> None:
        """Customer or source ended a visit, and it is on disk: whatever agents write about it now is private."""
        for agent in standing(story, visit).had:
            if self._chance.random() < 0.5:
                self._whisper(story, visit, agent, lambda _: True)

    def _changed(self) -> None:
        for email in self._read:
            inbox = self._world.find_person(email).inbox
            new, self._read[email] = inbox[self._read[email] :], len(inbox)
            for message in new:
                self._received(email, message)

    def _received(self, agent: str, message: dict[str, Any]) -> None:
        guest = self._world.find_person(message["personId"])
        story = self._stories[guest.name]
        self._guests[story.subject] = guest
        visit = story.visit_of(message["text"])
        before = standing(story, visit).had if visit else []
        story.events.append(Event(agent, "arrived", time.time(), message["text"]))
        if "moves" in self._also and before and agent not in before:
            self._moved(story, visit or "", agent, before)
        if self.calm:
            return
        draw = self._chance.random()
        for name, often, act in self._acts(story):
            if draw < often:
                if name is None or name in self._also:
                    self._begin(self._when_known(story, agent, message["text"], act))
                return
            draw -= often

    def _acts(self, story: Story) -> list[tuple[str | None, float, Act]]:
        return [
            (None, 0.35, self._answer),
            ("ends", 0.04, self._done),
            ("moves", 0.15 if story.mode == "swap" else 0.0, self._hand_over),
            ("pages", 0.006 if story.mode == "desk" else 0.0, self._burst),
        ]

    def _begin(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(act)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _when_known(self, story: Story, agent: str, text: str, act: Act) -> None:
        """An act about the visit that a word belongs to: whoever sent it may not have heard yet where it went."""
        await asyncio.sleep(self._chance.uniform(0, 1.0))
        for _ in range(50):
            if story.visit_of(text) is not None:
                break
            await asyncio.sleep(0.1)
        visit = story.last_heard(agent)
        if visit is not None:
            await act(story, visit, agent)

    # What is for the customer

    async def _answer(self, story: Story, visit: str, agent: str) -> None:
        for _ in range(2 if self._chance.random() < 0.3 else 1):
            line, ident = self._say(story, visit, agent)
            if line is None:
                return
        draw = self._chance.random()
        sure = line.duty == DUE and line.file is None and not line.unreadable
        if "edits" in self._also and sure and draw < 0.15:
            await asyncio.sleep(self._chance.uniform(0, 1.5))
            if self._duty(story, visit, agent) == DUE:
                self._revise(agent, line, ident, edit=draw < 0.1)
                self._say(story, visit, agent)

    def _say(self, story: Story, visit: str, agent: str, more: str = "") -> tuple[Line | None, str]:
        """One answer, if this agent may have the customer; its id in Webex."""
        duty = self._duty(story, visit, agent)
        if duty == PRIVATE:
            return None, ""
        line = self._line(story, visit, agent, duty)
        draw = self._chance.random()
        file = self._chance.choice(_FILES) if "files" in self._also and draw < 0.05 and not more else None
        upload = (f"{file}.txt", b"file", "text/plain") if file else None
        said = self._write(story, line, line.text + more, upload)
        if file is not None:
            line.file = "kept" if file in _PASSING else "refused"
            self._world.set_scan(said["files"][0], file)
        elif "unreadable" in self._also and draw > 0.97 and story.mode == "desk" and not more:
            self._spoil(line, said["id"])
        return line, said["id"]

    def _spoil(self, line: Line, ident: str) -> None:
        """Mostly for some seconds; for good only while there is time left to give it up."""
        draw = self._chance.random()
        if draw < 0.5 or time.time() > self._spoiling_until:
            self._world.spoil(ident, "kms", self._chance.uniform(1, 5))
        else:
            line.unreadable = True
            self._world.spoil(ident, "kms" if draw < 0.7 else "shape")

    def _revise(self, agent: str, line: Line, ident: str, *, edit: bool) -> None:
        if edit:
            line.edited = f"{line.text}, edited"
            self._world.edit(agent, ident, text=line.edited)
        else:
            line.deleted = True
            self._world.delete(agent, ident)

    async def _burst(self, story: Story, visit: str, agent: str) -> None:
        """More than a page of answers while nobody may read them."""
        self._weather.park_reading(self._guests[story.subject].owner, self._chance.choice((15, 20)))
        for _ in range(_BURST):
            if self._say(story, visit, agent)[0] is None:
                return
            await asyncio.sleep(self._chance.uniform(0, 0.05))

    # Commands

    async def _done(self, story: Story, visit: str, agent: str) -> None:
        """Alone, or below some words. Never while a text is under way that equals the one before: nobody could
        tell the two visits apart then."""
        word = story.unanswered()
        if word is not None and len(story.words_of(word.units[0])) > 1:
            return
        if (
            standing(story, visit).holder != agent
            or story.visits[visit].ended
            or story.mode in ("far", "guest")
        ):
            return
        words = self._chance.random() < 0.3
        if words and self._say(story, visit, agent, more="\n/done")[0] is None:
            return
        story.visits[visit].done = True
        story.events.append(Event(agent, "done", time.time(), visit=visit))
        if not words:
            self._world.say(agent, self._guests[story.subject].id, text="/done")
        for one in standing(story, visit).had:
            if self._chance.random() < (0.5 if one == agent else 0.3):
                self._whisper(story, visit, one, lambda _: True)

    async def _hand_over(self, story: Story, visit: str, agent: str) -> None:
        if self._duty(story, visit, agent) != DUE:
            return
        had = [one for one in standing(story, visit).had if one != agent]
        others = [one for one in AGENTS if one != agent]
        to = self._chance.choice(had if had and self._chance.random() < 0.7 else others)
        if "slow" in self._also and self._chance.random() < 0.5:
            self._weather.slow_reading(self._guests[story.subject].owner)
        story.events.append(Event(agent, "transfer", time.time(), visit=visit, to=to))
        self._world.say(agent, self._guests[story.subject].id, text=f"/transfer {to.partition('@')[0]}")

    # What is not for the customer

    def _moved(self, story: Story, visit: str, to: str, before: list[str]) -> None:
        """`to` got the first words of a visit, so in this moment the others have it not."""

        def still(found: Standing) -> bool:
            return found.holder == to

        for agent in before:
            if self._chance.random() < 0.6:
                self._whisper(story, visit, agent, still, again=story.mode == "swap")

    def _whisper(
        self, story: Story, visit: str, agent: str, true: Callable[[Standing], bool], again: bool = True
    ) -> None:
        """Private words at once, and some more a little later, as long as it is `true` that they are private."""

        async def write() -> None:
            for wait in (0.0, self._chance.uniform(0, 2.0))[: 2 if again else 1]:
                await asyncio.sleep(wait)
                if story.last_heard(agent) == visit and true(standing(story, visit)):
                    line = self._line(story, visit, agent, PRIVATE)
                    self._write(story, line, line.text)

        self._begin(write())

    # How it is written

    def _duty(self, story: Story, visit: str, agent: str) -> str:
        state, found = story.visits[visit], standing(story, visit)
        if state.done or state.over_at is not None or story.last_heard(agent) != visit:
            return PRIVATE
        if found.holder not in (None, agent) and story.mode in _ONE_WAY:
            return PRIVATE
        sure = found.holder == agent and story.mode in _SURE and not state.asked
        return DUE if sure else FREE

    def _line(self, story: Story, visit: str, agent: str, duty: str) -> Line:
        number = list(story.visits).index(visit) + 1
        kind = "private" if duty == PRIVATE else "answer"
        text = f"{kind} {len(story.lines)} of {agent.partition('@')[0]} to {story.subject}, visit {number}"
        return Line(agent, visit, text, duty, time.time())

    def _write(
        self, story: Story, line: Line, text: str, file: tuple[str, bytes, str] | None = None
    ) -> dict[str, Any]:
        story.lines.append(line)
        return self._world.say(line.agent, self._guests[story.subject].id, text=text, file=file)


Act = Callable[[Story, str, str], Awaitable[None]]
