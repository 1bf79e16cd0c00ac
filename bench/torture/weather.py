"""The faults that a run meets, and how often each hit."""

from __future__ import annotations

from typing import Any, Final

from bench.torture.options import Options
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


class Weather:
    """All the trouble of one run, by chance from the world's seed."""

    def __init__(self, world: World, options: Options) -> None:
        self._rules: list[tuple[str, str, Fault]] = []
        self._world = world
        self._trouble = options.trouble
        world.guest_expires_in = options.token_life
        world.webhook_lose, world.webhook_duplicate, world.webhook_delay = options.lose, 0.1, 0.5
        for place, match, often, tokens in _PLACES:
            for form in (*_SHORT_429, *(_LONG_429 if options.long_waits else ())):
                html = form in (1, None)
                self._add(place, "429", match, often, {"status": 429, "retry_after": form, "html": html})
            troubles = (*_DOUBTFUL, *(_REVOKE if tokens else ()), *(_NEVER if options.long_waits else ()))
            for kind, chance, detail in troubles:
                self._add(place, kind, match, chance, detail)

    def _add(self, place: str, kind: str, match: str, chance: float, detail: dict[str, Any]) -> None:
        rule = self._world.fault(match, times=None, probability=chance * self._trouble, **detail)
        self._rules.append((place, kind, rule))

    def clear(self) -> None:
        """No more trouble from now on; what was counted stays."""
        self._world.clear_faults()
        self._world.webhook_lose = self._world.webhook_duplicate = 0.0

    def counts(self) -> dict[str, int]:
        """How often each kind hit, over all places."""
        found: dict[str, int] = {}
        for _, kind, rule in self._rules:
            found[kind] = found.get(kind, 0) + rule.used
        return found

    def places(self) -> dict[str, int]:
        """How many calls of each place were hit."""
        found: dict[str, int] = {}
        for place, _, rule in self._rules:
            found[place] = found.get(place, 0) + rule.used
        return found
