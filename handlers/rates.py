"""How many calls in a minute: a bucket for each source and each address."""

from __future__ import annotations

from collections import OrderedDict

_REMEMBERED = 10_000


class Rates:
    """Buckets of `per_minute` calls that refill evenly. One process's own count."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, per_minute: float, now: float) -> float:
        """0 where the call may go on, else the seconds after which it may be tried again."""
        left, at = self._buckets.pop(name, (per_minute, now))
        left = min(per_minute, left + max(0.0, now - at) * per_minute / 60)
        wait = 0.0 if left >= 1 else (1 - left) * 60 / per_minute
        self._buckets[name] = (left - 1 if not wait else left, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return wait

    def give_back(self, name: str, per_minute: float) -> None:
        """One call that was taken after all did not count."""
        if name in self._buckets:
            left, at = self._buckets[name]
            self._buckets[name] = (min(per_minute, left + 1), at)
