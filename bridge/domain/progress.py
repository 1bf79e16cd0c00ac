"""Whether work stands still: its time has come, and nobody takes it up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

STANDS_STILL_SECONDS = 30.0
LONGEST_WORK_SECONDS = 600.0  # more than any one delivery takes; a file may take five minutes
# Without these nobody is talked to; the others may wait while customers and agents go on.
VITAL = frozenset({"in", "say", "hear"})
_WHAT = {
    "in": "what came in",
    "say": "customers' words",
    "hear": "agents' answers",
    "call": "news for sources",
    "hook": "guests' webhooks",
    "bot": "what the bot is to say",
    "bot-in": "what was said to the bot",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """How one stage of the work fares, in seconds."""

    name: str
    waits: float  # since the time of its oldest work came that nobody has taken up; 0: there is none
    moved: float  # since this process last took up or ended something of it
    longest: float = 0  # since the oldest work that is being done now was begun


def standing(stages: Iterable[Stage]) -> tuple[list[str], list[str]]:
    """(why no work can be done, what is not well although work goes on), in words for an operator."""
    reasons: list[str] = []
    degraded: list[str] = []
    for stage in stages:
        what = _WHAT.get(stage.name, stage.name)
        if stage.waits > STANDS_STILL_SECONDS:
            if stage.moved > STANDS_STILL_SECONDS:
                worse = reasons if stage.name in VITAL else degraded
                worse.append(f"work stands still: {what} ({stage.name}), for {stage.waits:.0f} seconds")
            else:
                degraded.append(
                    f"work is behind: {what} ({stage.name}), the oldest for {stage.waits:.0f} seconds"
                )
        if stage.longest > LONGEST_WORK_SECONDS:
            degraded.append(
                f"one piece of {what} ({stage.name}) has taken {stage.longest:.0f} seconds so far"
            )
    return reasons, degraded
