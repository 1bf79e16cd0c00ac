"""A gentle ceiling for minting, learnt from 429s: all mints share the Service App's one token.

Webex publishes no limit. After a 429 the ceiling is half of what was just tried; each success raises it a
little (additive increase, multiplicative decrease), until it is so high that it limits nobody and is dropped.
"""

from __future__ import annotations

from collections import OrderedDict, deque

_WINDOW = 1.0
_LOWEST = 5.0  # mints a second: Webex's ordinary limit is about 300 a minute
_HIGHEST = 200.0
_RISE = 0.5  # a second of successes raises the ceiling by so much
_AHEAD = 5.0
_REMEMBERED = 50_000


class Pace:
    """`turn(who, now)` is 0 for 'go on', else the seconds after which to ask again.

    Whoever is told less than five seconds has a turn then.
    """

    def __init__(self) -> None:
        self.ceiling: float | None = None
        self._recent: deque[float] = deque(maxlen=int(_HIGHEST))
        self._next = 0.0
        self._turns: OrderedDict[str, float] = OrderedDict()

    def turn(self, who: str, now: float, *, urgent: bool) -> float:
        """`urgent`: a customer's words wait for it; what is not gets only every second turn's worth of room."""
        if self.ceiling is None:
            return self._go(now)
        at = self._turns.get(who)
        if at is None:
            step = (1 if urgent else 2) / self.ceiling
            at = max(now, self._next)
            if at - now > _AHEAD:  # a turn promised long ahead would not come sooner when the pace rises
                return _AHEAD
            self._next = at + step
            self._turns[who] = at
            if len(self._turns) > _REMEMBERED:
                self._turns.popitem(last=False)
        if at > now:
            return at - now
        self._turns.pop(who, None)
        return self._go(now)

    def throttled(self, now: float, until: float) -> None:
        """A 429 that parks minting until then: from there on at half the pace that led to it."""
        tried = sum(1 for at in self._recent if at > now - _WINDOW) / _WINDOW
        basis = min(tried, self.ceiling) if self.ceiling is not None else tried
        self.ceiling = max(_LOWEST, basis / 2)
        self._next = max(self._next, until)
        self._turns.clear()

    def succeeded(self) -> None:
        if self.ceiling is not None:
            self.ceiling += _RISE / self.ceiling
            if self.ceiling > _HIGHEST:
                self.ceiling = None
                self._turns.clear()

    def _go(self, now: float) -> float:
        self._recent.append(now)
        return 0.0


class Flood:
    """Whether events come faster than `per_second`, measured over windows of `seconds`."""

    def __init__(self, per_second: float, seconds: float = 0.25) -> None:
        self._most = per_second
        self._window = seconds
        self._since = 0.0
        self._arrivals = 0
        self._rate = 0.0

    def arrived(self) -> None:
        self._arrivals += 1

    def is_on(self, now: float) -> bool:
        """By the last whole window."""
        if now - self._since >= self._window:
            self._rate = self._arrivals / (now - self._since)
            self._arrivals, self._since = 0, now
        return self._rate > self._most
