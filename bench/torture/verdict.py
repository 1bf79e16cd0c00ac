"""What was promised against what was seen: pure, from the evidence alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.simulator import Call

_IN_THE_MOMENT = 0.3  # seconds from a 429 to the park on disk, on a busy machine


@dataclass
class Story:
    """One subject. `pending`: the text that was sent and never acknowledged, if any.

    `arrived`: at agents, in order; `said`: by agents; `shown`: of that at the customer's API.
    """

    subject: str
    acknowledged: list[str] = field(default_factory=list)
    pending: str | None = None
    arrived: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    own_shown: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """How a sequence differs from the expected one; counts of items."""

    lost: int
    doubled: int
    reordered: int

    @property
    def any(self) -> bool:
        return bool(self.lost or self.doubled or self.reordered)


def compare(expected: Sequence[str], seen: Sequence[str]) -> Difference:
    """`reordered` counts places that differ once nothing is lost or doubled."""
    wanted, got = Counter(expected), Counter(seen)
    lost, doubled = sum((wanted - got).values()), sum((got - wanted).values())
    common = wanted & got
    reordered = sum(a != b for a, b in zip(_only(expected, common), _only(seen, common), strict=True))
    return Difference(lost, doubled, reordered)


def _only(items: Sequence[str], common: Counter[str]) -> list[str]:
    left, kept = Counter(common), []
    for item in items:
        if left[item] > 0:
            left[item] -= 1
            kept.append(item)
    return kept


def words(story: Story) -> Difference:
    """At agents; an event that was never acknowledged may have arrived, once and last."""
    expected = list(story.acknowledged)
    if story.pending is not None and len(story.arrived) > len(expected):
        expected.append(story.pending)
    return compare(expected, story.arrived)


def replies(story: Story) -> Difference:
    return compare(story.said, story.shown)


def told_early(calls: Sequence[Call], kills: Sequence[float]) -> tuple[list[str], int]:
    """(calls before their Retry-After was over, how many more of them follow a kill -9 in the moment of the 429).

    `kills`: epoch seconds. A process that dies between reading a 429 and writing it down cannot remember it.
    """
    throttled: dict[tuple[str | None, str, str], float] = {}
    broken, forgotten = [], 0
    for call in calls:
        key = call.owner, call.method, call.path
        if call.retry_violation:
            since = throttled.get(key, 0.0)
            if any(since <= kill <= since + _IN_THE_MOMENT for kill in kills):
                forgotten += 1
            else:
                broken.append(
                    f"{call.method} {call.path} by {call.owner} {call.at - since:.2f} s after a 429, too early"
                )
        if call.status == 429:
            throttled[key] = call.at
    return broken, forgotten


@dataclass
class Verdict:
    """Sums over all subjects, and the evidence in words; kept promises give no evidence."""

    words: Difference
    replies: Difference
    unacknowledged: int
    evidence: list[str]

    @property
    def kept(self) -> bool:
        return not self.evidence


def judge(stories: Sequence[Story], violations: Sequence[str], most_tokens: int, budget: int) -> Verdict:
    evidence: list[str] = []
    sums = {"words": [0, 0, 0], "replies": [0, 0, 0]}
    for story in stories:
        for what, difference, expected, seen in (
            ("words", words(story), story.acknowledged, story.arrived),
            ("replies", replies(story), story.said, story.shown),
        ):
            found = (difference.lost, difference.doubled, difference.reordered)
            sums[what] = [a + b for a, b in zip(sums[what], found, strict=True)]
            if difference.any:
                evidence.append(f"{story.subject}: {what} {difference}\n  due  {expected}\n  seen {seen}")
        if story.pending is not None:
            evidence.append(f"{story.subject}: never acknowledged: {story.pending}")
        if compare(words_due(story), story.own_shown).any:
            evidence.append(
                f"{story.subject}: own words in the transcript\n  due  {story.acknowledged}\n  seen {story.own_shown}"
            )
        evidence += [f"{story.subject}: {oddity}" for oddity in story.oddities]
    evidence += violations
    if most_tokens > budget:
        evidence.append(f"a guest held {most_tokens} live tokens, over the budget of {budget}")
    return Verdict(
        Difference(*sums["words"]),
        Difference(*sums["replies"]),
        sum(story.pending is not None for story in stories),
        evidence,
    )


def words_due(story: Story) -> list[str]:
    """What the customer's own transcript shows of theirs."""
    if story.pending is not None and len(story.own_shown) > len(story.acknowledged):
        return [*story.acknowledged, story.pending]
    return story.acknowledged
