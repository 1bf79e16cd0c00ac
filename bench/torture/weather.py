"""The faults that a run meets, and how often each hit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.torture.options import Options
from bench.torture.story import Story
from bridge.simulator import World
from bridge.simulator.faults import Fault

_SHORT_429: Final = (0, 1, 2, "date:2", "date:-5")
_LONG_429: Final = (None, "soon")  # both mean 15 s

_DOUBTFUL: Final[tuple[tuple[str, float, dict[str, Any]], ...]] = (
    ("5xx, not done", 0.008, {"status": 503}),
    ("5xx as HTML, not done", 0.004, {"status": 502, "html": True}),
    ("5xx, but done", 0.008, {"status": 500, "effect": True}),
    ("connection cut before", 0.008, {"action": "drop_before"}),
    ("connection cut after", 0.008, {"action": "drop_after"}),
    ("slow", 0.01, {"action": "slow=0.7"}),
)
_REVOKE: Final = (("token revoked", 0.004, {"action": "revoke"}),)
_NEVER: Final = (
    ("never answered", 0.0003, {"action": "never"}),
    ("never answered, but done", 0.0003, {"action": "never", "effect": True}),
)

_PLACES: Final = (
    # (name, match, chance of each form of 429, may its token be revoked)
    ("messages", "POST /v1/messages$", 0.004, True),
    ("reads", "GET /v1/messages", 0.002, True),
    ("tokens", "POST /v1/guests/token$", 0.001, False),
    ("webhooks", "/v1/webhooks", 0.004, True),
    ("credential", "POST /v1/access_token$", 0.01, False),
)
_SAY, _READ = "POST /v1/messages$", "GET /v1/messages"


class Weather:
    """All the trouble of one run, by chance from the world's seed."""

    def __init__(self, world: World, options: Options, chance: random.Random) -> None:
        self._rules: list[tuple[str, str, Fault]] = []
        self._world = world
        self._options = options
        self._chance = chance
        world.guest_expires_in = options.token_life
        world.webhook_lose, world.webhook_duplicate, world.webhook_delay = options.lose, 0.1, 0.5
        world.scan_seconds = 3.0
        for place, match, often, tokens in _PLACES:
            for form in (*_SHORT_429, *(_LONG_429 if options.long_waits else ())):
                html = form in (1, None)
                self._usual(place, "429", match, often, {"status": 429, "retry_after": form, "html": html})
            troubles = (*_DOUBTFUL, *(_REVOKE if tokens else ()), *(_NEVER if options.long_waits else ()))
            for kind, chance_of_it, detail in troubles:
                self._usual(place, kind, match, chance_of_it, detail)

    def _usual(self, place: str, kind: str, match: str, chance: float, detail: dict[str, Any]) -> None:
        self._add(
            place, kind, match, {"times": None, "probability": chance * self._options.trouble, **detail}
        )

    def _add(
        self, place: str, kind: str, match: str, detail: dict[str, Any], *, first: bool = False
    ) -> Fault:
        """`first`: it goes before the usual trouble."""
        rule = self._world.fault(match, **detail)
        self._rules.append((place, kind, rule))
        if first:
            self._world.faults.insert(0, self._world.faults.pop())
        return rule

    # Trouble for a while

    async def troubles(self, stories: Sequence[Story]) -> None:
        """Spells of slowness, guests and an agent whom Webex refuses, until all had their turn."""
        async with asyncio.TaskGroup() as group:
            if "slow" in self._options.also:
                for _ in range(max(1, round(self._options.spread / 20))):
                    group.create_task(self._some_time(self.slow_spell, 3.0))
            if "agents" in self._options.also:
                group.create_task(self._some_time(self._refusing_agent, 8.0))
            for story in stories:
                if story.mode == "guest":
                    group.create_task(self._refused_guest(story))

    async def _some_time(self, what: Any, seconds: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, self._options.spread))
        await what(seconds)

    async def slow_spell(self, seconds: float, least: float = 2.0) -> None:
        """Every other call takes `least` to 14 s, and what it asks for is done at once or only at the end."""
        rules = []
        for place, match in (("messages", _SAY), ("reads", _READ)):
            for kind in ("late", "slow"):
                for _ in range(3):
                    action = f"{kind}={self._chance.uniform(least, 14.0):.1f}"
                    detail = {"action": action, "times": None, "probability": 0.1}
                    rules.append(self._add(place, f"{kind}, for seconds", match, detail, first=True))
        await asyncio.sleep(seconds)
        self._end(rules)

    async def _refusing_agent(self, seconds: float) -> None:
        agent = self._world.find_person("di@example.com")
        agent.refuses_guests = True
        await asyncio.sleep(seconds)
        agent.refuses_guests = False

    async def _refused_guest(self, story: Story) -> None:
        """For a while this guest may write to nobody."""
        await asyncio.sleep(self._chance.uniform(0.1, 0.8) * self._options.spread)
        guest = next((one for one in self._world.guests.values() if one.name == story.subject), None)
        if guest is None:
            return
        detail = {"action": "block_agent", "times": None, "owner": guest.owner}
        rule = self._add("messages", "guest refused", _SAY, detail, first=True)
        await asyncio.sleep(self._chance.uniform(2, 6))
        self._end([rule])

    def slow_reading(self, owner: str) -> None:
        """The next reads of this guest's threads take long; two of them see what is written meanwhile."""
        for kind in ("late", "slow", "late"):
            detail = {"action": f"{kind}={self._chance.uniform(5, 9):.1f}", "owner": owner}
            self._add("reads", f"{kind}, for seconds", _READ, detail, first=True)

    def park_reading(self, owner: str, seconds: int) -> None:
        """The next read of this guest's threads is a 429 that lasts."""
        detail = {"status": 429, "retry_after": seconds, "owner": owner}
        self._add("reads", "429 amid many answers", _READ, detail, first=True)

    def _end(self, rules: Sequence[Fault]) -> None:
        for rule in rules:
            if rule in self._world.faults:
                self._world.faults.remove(rule)

    def clear(self) -> None:
        """No more trouble from now on; what was counted stays."""
        self._world.clear_faults()
        self._world.webhook_lose = self._world.webhook_duplicate = 0.0
        for person in self._world.people.values():
            person.refuses_guests = False

    def refused(self) -> set[str]:
        """The names of guests of whom a message was refused (403)."""
        refused = {
            call.owner
            for call in self._world.calls
            if call.status == 403 and (call.method, call.path) == ("POST", "/v1/messages")
        }
        return {guest.name for guest in self._world.guests.values() if guest.owner in refused}

    def counts(self) -> Mapping[str, int]:
        """How often each kind hit, over all places."""
        return self._sums(1)

    def places(self) -> Mapping[str, int]:
        """How many calls of each place were hit."""
        return self._sums(0)

    def _sums(self, part: int) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for rule in self._rules:
            found[rule[part]] = found.get(rule[part], 0) + rule[2].used
        return found
