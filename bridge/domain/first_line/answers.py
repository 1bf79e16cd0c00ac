"""The answers that a shop wrote down, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer in one language: what it is asked by, and its text."""

    key: str
    language: str
    phrases: tuple[str, ...]
    text: str
