"""How one sequence differs from another, in counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Difference:
    """How a sequence differs from the expected one; counts of items."""

    lost: int = 0
    doubled: int = 0
    reordered: int = 0

    @property
    def any(self) -> bool:
        return bool(self.lost or self.doubled or self.reordered)

    def __add__(self, other: Difference) -> Difference:
        return Difference(
            self.lost + other.lost, self.doubled + other.doubled, self.reordered + other.reordered
        )


@dataclass
class Finding:
    """What one judgement comes to. `waiting`: more time may mend it; the rest of the evidence is for good."""

    difference: Difference = Difference()
    evidence: list[str] = field(default_factory=list)
    waiting: bool = False
    leaked: int = 0  # words that were shown to another visit, or private ones to a customer
    failed: int = 0  # the customer's words that were given up and told so

    def add(self, other: Finding) -> None:
        self.difference += other.difference
        self.evidence += other.evidence
        self.waiting = self.waiting or other.waiting
        self.leaked += other.leaked
        self.failed += other.failed


def compare(expected: Sequence[T], seen: Sequence[T]) -> Difference:
    """`reordered` counts places that differ once nothing is lost or doubled."""
    wanted, got = Counter(expected), Counter(seen)
    lost, doubled = sum((wanted - got).values()), sum((got - wanted).values())
    common = wanted & got
    reordered = sum(a != b for a, b in zip(_only(expected, common), _only(seen, common), strict=True))
    return Difference(lost, doubled, reordered)


def _only(items: Sequence[T], common: Counter[T]) -> list[T]:
    left, kept = Counter(common), []
    for item in items:
        if left[item] > 0:
            left[item] -= 1
            kept.append(item)
    return kept


def short(texts: Sequence[str]) -> str:
    """For evidence: long texts by their beginnings."""
    return "[" + ", ".join(text if len(text) < 60 else f"{text[:40]}..." for text in texts) + "]"
