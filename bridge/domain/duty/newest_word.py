"""What a new word about somebody's duty leaves of the earlier ones: the newest wins for the time of which it speaks.

* The same said again (off, on, or who covers this agent) ends the earlier word: `off for 30m` after `off` means
  back in half an hour.
* `on` ends an `off` that is in force, and whoever covers the agent now: they are back. Of one still to come it takes
  its own time away. `off` and `cover` take their time away from an `on`, `cover` also from the covering one's `off`.
* `off` that lasts to the end of a cover ends what the agent covers; a shorter one is a break in it.
* Two covers by one agent both hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.domain.duty.duty import Override

# What is left of an earlier word: parts of its time, in order; all of it where nothing is said against it.
Left = tuple[Override, ...]


def left_of(earlier: Override, new: Override) -> Left:
    """What the new word leaves of an earlier one."""
    if earlier.end <= new.start or new.end <= earlier.start:
        return (earlier,)
    rule = _rule(earlier, new)
    if rule == "keep":
        return (earlier,)
    before = (replace(earlier, end=new.start),) if earlier.start < new.start else ()
    after = (replace(earlier, start=new.end),) if new.end < earlier.end and rule == "cut" else ()
    return before + after


def left_after_return(earlier: Override, agent: str, now: float) -> Left:
    """What is left of an earlier word once this agent is back to the rota: plans for later stay."""
    about = earlier.for_agent if earlier.kind == "cover" else earlier.agent
    return () if about == agent and earlier.start.timestamp() <= now else (earlier,)


def covers_lost(earlier: Sequence[Override], left: Sequence[Left]) -> list[Override]:
    """The covers that do not last as they were said."""
    return [one for one, rest in zip(earlier, left, strict=True) if one.kind == "cover" and rest != (one,)]


def _rule(earlier: Override, new: Override) -> str:
    """keep, cut (the new word's time is taken away) or end (nothing is left from the new word on)."""
    if earlier.kind == "cover":
        return _rule_for_cover(earlier, new)
    if earlier.kind == new.kind:
        return "end" if earlier.agent == new.agent else "keep"
    if new.kind == "cover":
        concerned = new.for_agent if earlier.kind == "on" else new.agent
        return "cut" if earlier.agent == concerned else "keep"
    if earlier.agent != new.agent:
        return "keep"
    return "end" if earlier.kind == "off" and earlier.start <= new.start else "cut"


def _rule_for_cover(earlier: Override, new: Override) -> str:
    if new.kind == "off":
        return "end" if earlier.agent == new.agent and earlier.end <= new.end else "keep"
    about = new.for_agent if new.kind == "cover" else new.agent
    if earlier.for_agent != about:
        return "keep"
    return "end" if new.kind == "cover" or earlier.start <= new.start else "cut"
