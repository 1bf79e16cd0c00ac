"""How long ago something was, on a clock that was set meanwhile."""

from __future__ import annotations

from collections.abc import Sequence


def long_ago(now: float, age: float, jumps: Sequence[tuple[float, float]] = ()) -> float:
    """The time that was written down for what happened `age` seconds ago.

    `jumps`: (the time right after it, the seconds that the clock was set forward), in the order in which they were.
    Where a clock that was set back shows a time twice, the earlier one is given: what is kept so long is not removed
    early.
    """
    moment, left, bound = now, age, now
    for at, seconds in reversed(jumps):
        if moment - left >= at:
            break
        left -= max(0.0, moment - at)
        moment, bound = at - seconds, min(bound, at)
    return min(moment - left, bound)
