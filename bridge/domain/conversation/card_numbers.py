"""Finding the numbers of payment cards in a text, however they are written. Pure, and linear in the text's length.

A card's number is 13 to 19 digits whose check digit is right (ISO/IEC 7812-1, Luhn). One number in ten passes by
chance, so what stands among other digits must also look like a card: begin as the cards of that length do, or be
written in fours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SHORTEST, _LONGEST = 13, 19
# Digits with at most sixteen other characters between two of them, none of which is a letter: blanks of all kinds,
# line breaks, dashes, dots, slashes, and what has no width. A dot of our own masks ends it.
_RUN = re.compile(r"\d(?:(?:(?!•)[\W_]){0,16}\d){12,}")
# How the cards of each length begin (https://en.wikipedia.org/wiki/Payment_card_number), the most usual length first.
_BEGIN = {
    16: r"4|5[1-5]|2[2-7]|3[05689]|50|5[6-9]|6|8[12]|9792|8600|9860",
    15: r"34|37|1",
    14: r"30[0-5]|3095|36|38|39",
    19: r"4|62|6011|64[4-9]|65|35|5018|5020|5038|5893|63|67",
    18: r"62|5018|5020|5038|5893|63|67",
    17: r"62",
    13: r"4",
}
_BEGINS = {length: re.compile(begin) for length, begin in _BEGIN.items()}
# Inside of a longer number only these are looked for: most numbers of twenty digits hold some that pass by chance.
_INSIDE = {16: re.compile(r"4|5[1-5]|2[2-7]|6011|65"), 15: re.compile(r"34|37")}
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def mask_cards(text: str) -> str:
    """`text` with the number of each card replaced by dots and its last four digits."""
    return _RUN.sub(_masked, text)


@dataclass(frozen=True, slots=True)
class _Run:
    """`places`: where in the text each digit stands; `ends`: by the first digit of a group, the one behind its last."""

    text: str
    digits: str
    places: tuple[int, ...]
    ends: dict[int, int]
    sums: tuple[list[int], list[int]]


def _masked(match: re.Match[str]) -> str:
    run = _run_of(match[0])
    parts, done = [], 0
    for first, behind in _joined(_found(run)):
        parts.append(run.text[done : run.places[first]])
        parts.append(f"•••• {run.digits[behind - 4 : behind]}")
        done = run.places[behind - 1] + 1
    return "".join([*parts, run.text[done:]])


def _run_of(text: str) -> _Run:
    places = tuple(index for index, char in enumerate(text) if char.isdecimal())
    values = [int(text[index]) for index in places]
    return _Run(text, "".join(map(str, values)), places, _groups(places), _sums(values))


def _groups(places: tuple[int, ...]) -> dict[int, int]:
    ends: dict[int, int] = {}
    first = 0
    for index in range(1, len(places) + 1):
        if index == len(places) or places[index] != places[index - 1] + 1:
            ends[first] = index
            first = index
    return ends


def _sums(values: list[int]) -> tuple[list[int], list[int]]:
    """Sums of all digits before each, with those in even (or in odd) places doubled as the check digit wants it."""
    even, odd = [0], [0]
    for index, value in enumerate(values):
        doubled = _DOUBLED[value]
        even.append(even[-1] + (value if index % 2 else doubled))
        odd.append(odd[-1] + (doubled if index % 2 else value))
    return even, odd


def _found(run: _Run) -> Iterator[tuple[int, int]]:
    """Every card's first digit and the one behind its last."""
    for first, behind in run.ends.items():
        yield from _from_group(run, first)
        if behind - first > _SHORTEST:
            yield from _inside(run, first, behind)
    yield from _written_onto(run)


def _from_group(run: _Run, first: int) -> Iterator[tuple[int, int]]:
    """Cards that begin where this group of digits does and end where a group does."""
    sizes: list[int] = []
    behind = first
    while behind in run.ends and behind - first < _LONGEST:
        sizes.append(run.ends[behind] - behind)
        behind = run.ends[behind]
        length = behind - first
        if _SHORTEST <= length <= _LONGEST and _passes(run, first, behind):
            begins = _BEGINS[length].match(run.digits, first)
            if begins or _in_fours(sizes):
                yield first, behind


def _in_fours(sizes: list[int]) -> bool:
    """Written as on cards, in fours, or all in one, or digit by digit."""
    return len(sizes) == 1 or set(sizes) == {1} or (set(sizes[:-1]) == {4} and sizes[-1] <= 4)


def _inside(run: _Run, first: int, behind: int) -> Iterator[tuple[int, int]]:
    for start in range(first, behind):
        for length, begin in _INSIDE.items():
            if (
                start + length <= behind
                and begin.match(run.digits, start)
                and _passes(run, start, start + length)
            ):
                yield start, start + length


def _written_onto(run: _Run) -> Iterator[tuple[int, int]]:
    """Cards in fours with something at their ends that no blank parts from them, such as the code on their back."""
    for cut in run.ends:
        start, behind = cut - 4, cut + 12
        if start < 0 or behind > len(run.digits) or not _INSIDE[16].match(run.digits, start):
            continue
        inner = [one for one in range(start + 1, behind) if one in run.ends]
        if inner == [cut, cut + 4, cut + 8] and _passes(run, start, behind):
            yield start, behind


def _passes(run: _Run, first: int, behind: int) -> bool:
    """Whether the check digit is right: the last digit counts once, the one before it doubled, and so on."""
    sums = run.sums[behind % 2]
    return (sums[behind] - sums[first]) % 10 == 0


def _joined(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that overlap are one: hiding the first must not leave half of the second."""
    spans: list[tuple[int, int]] = []
    for first, behind in sorted(found):
        if spans and first < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], behind))
        else:
            spans.append((first, behind))
    return spans
