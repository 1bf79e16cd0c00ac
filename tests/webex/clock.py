"""A clock that only the test moves."""

from __future__ import annotations


class HandClock:
    def __init__(self, at: float = 1_800_000_000.0) -> None:
        self.at = at
        self.ticks = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.ticks

    def chance(self) -> float:
        return 0.5

    def pass_(self, seconds: float) -> None:
        self.at += seconds
        self.ticks += seconds
