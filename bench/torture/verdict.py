"""What was promised against what was seen: pure, from the evidence alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.torture.compare import Difference, Finding
from bench.torture.judge_shown import judge_shown
from bench.torture.judge_words import judge_words
from bench.torture.story import Story
from bridge.simulator import Call

LONGEST_STOP = 10.0  # seconds that a clean stop may take
_MEASURING = 0.25  # seconds that our own look at the end of a process may be late
_IN_THE_MOMENT = 0.3  # seconds from a 429 to the park on disk, on a busy machine
_BEFORE = 1.0  # a process that is frozen now may not have read, or not have written down, a 429 so old


@dataclass
class Verdict:
    """Sums over all subjects, and the evidence in words; kept promises give no evidence.

    `leaked`: words that were shown to another visit, or private ones; `failed`: given up and told so.
    """

    words: Difference
    replies: Difference
    leaked: int
    failed: int
    unacknowledged: int
    evidence: list[str]

    @property
    def kept(self) -> bool:
        return not self.evidence


def waiting(story: Story) -> bool:
    """Whether something of this subject is still to come."""
    return judge_words(story).waiting or judge_shown(story).waiting


def judge(
    stories: Sequence[Story],
    violations: Sequence[str],
    most_tokens: int,
    budget: int,
    stops: Sequence[float] = (),
) -> Verdict:
    """`stops`: seconds that clean stops took."""
    words, shown = Finding(), Finding()
    for story in stories:
        words.add(judge_words(story))
        shown.add(judge_shown(story))
        words.evidence += [f"{story.subject}: {oddity}" for oddity in story.oddities]
    evidence = [*words.evidence, *shown.evidence, *violations]
    if most_tokens > budget:
        evidence.append(f"a guest held {most_tokens} live tokens, over the budget of {budget}")
    evidence += [
        f"a clean stop took {seconds:.1f} s" for seconds in stops if seconds > LONGEST_STOP + _MEASURING
    ]
    unacknowledged = sum(story.unanswered() is not None for story in stories)
    return Verdict(words.difference, shown.difference, shown.leaked, words.failed, unacknowledged, evidence)


def told_early(
    calls: Sequence[Call], kills: Sequence[float], freezes: Sequence[float] = ()
) -> tuple[list[str], int]:
    """(calls before their Retry-After was over, how many more of them follow a kill -9 or a freeze in the moment
    of the 429).

    `kills`, `freezes`: epoch seconds. A process that dies between reading a 429 and writing it down cannot
    remember it, and one that is frozen there, or before it could read it, tells the others late.
    """
    throttled: dict[tuple[str | None, str, str], float] = {}
    broken, forgotten = [], 0
    for call in sorted(calls, key=lambda one: one.at):
        key = call.owner, call.method, call.path
        if call.retry_violation:
            since = throttled.get(key, 0.0)
            until = since + _IN_THE_MOMENT
            died = any(since <= kill <= until for kill in kills)
            if died or any(since - _BEFORE <= freeze <= until for freeze in freezes):
                forgotten += 1
            else:
                broken.append(
                    f"{call.method} {call.path} by {call.owner} {call.at - since:.2f} s after a 429, too early"
                )
        if call.status == 429:
            throttled[key] = call.at
    return broken, forgotten
