"""How long ago something was, on a clock that was set meanwhile."""

from __future__ import annotations

from collections.abc import Iterable


def long_ago(now: float, age: float, jumps: Iterable[tuple[float, float]] = ()) -> float:
    """The time that was written down for what happened `age` seconds ago.

    `jumps`: (the time right after it, the seconds that the clock was set forward), in any order. Where a clock that
    was set back shows a time twice, the earlier of the two is given: what is kept so long is not removed early.
    """
    moment, left, bound = now, age, now
    for at, seconds in sorted(jumps, reverse=True):
        if moment - left >= at:
            break
        left -= max(0.0, moment - at)
        moment, bound = at - seconds, min(bound, at)
    return min(moment - left, bound)
