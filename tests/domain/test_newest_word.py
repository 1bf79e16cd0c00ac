"""Of what was said about somebody's duty the newest word wins, for the time of which it speaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.duty.duty import Override, on_duty
from bridge.domain.duty.newest_word import covers_lost, left_after_return, left_of
from bridge.domain.duty.roster import Agent, Roster, Team

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
KEYS = ("amy", "bo", "cy", "dee")
AGENTS = {key: Agent(key, f"{key}@x", key.title()) for key in KEYS}
ROSTER = Roster(AGENTS, {"desk": Team("desk", "UTC", KEYS)}, ())


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def word(text: str, start: float, end: float) -> Override:
    """ "off amy", "on amy", "cover amy with bo"."""
    kind, agent, *by = text.split()
    if by:
        return Override(by[1], "cover", at(start), at(end), agent)
    return Override(agent, kind, at(start), at(end))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("earlier", "new", "left"),
    [
        (("off amy", 0, 12), ("off amy", 1, 2), [(0, 1)]),
        (("off amy", 24, 30), ("off amy", 1, 2), [(24, 30)]),
        (("off amy", 0, 12), ("on amy", 1, 2), [(0, 1)]),
        (("off amy", 4, 12), ("on amy", 1, 6), [(6, 12)]),
        (("on amy", 0, 12), ("off amy", 1, 2), [(0, 1), (2, 12)]),
        (("on amy", 0, 12), ("cover amy with bo", 1, 2), [(0, 1), (2, 12)]),
        (("on bo", 0, 12), ("cover amy with bo", 1, 2), [(0, 12)]),
        (("off bo", 0, 12), ("cover amy with bo", 1, 2), [(0, 1), (2, 12)]),
        (("off amy", 0, 12), ("cover amy with bo", 1, 2), [(0, 12)]),
        (("cover amy with bo", 0, 12), ("cover amy with cy", 1, 2), [(0, 1)]),
        (("cover amy with bo", 0, 12), ("cover cy with bo", 1, 2), [(0, 12)]),
        (("cover amy with bo", 0, 12), ("cover bo with amy", 0, 12), [(0, 12)]),
        (("cover amy with bo", 0, 12), ("off bo", 1, 2), [(0, 12)]),
        (("cover amy with bo", 0, 12), ("off bo", 1, 13), [(0, 1)]),
        (("cover amy with bo", 0, 12), ("off amy", 1, 13), [(0, 12)]),
        (("cover amy with bo", 0, 12), ("on amy", 1, 2), [(0, 1)]),
        (("cover amy with bo", 0, 12), ("on bo", 1, 2), [(0, 12)]),
        (("off amy", 0, 12), ("off bo", 0, 12), [(0, 12)]),
        (("off amy", 0, 2), ("on amy", 2, 4), [(0, 2)]),
    ],
)
def test_what_a_new_word_leaves_of_an_earlier_one(
    earlier: Any, new: Any, left: list[tuple[int, int]]
) -> None:
    """Pair by pair."""
    rest = left_of(word(*earlier), word(*new))
    assert [(one.start, one.end) for one in rest] == [(at(a), at(b)) for a, b in left]


def test_who_is_back_is_covered_by_nobody_and_plans_stay() -> None:
    """What is in force about them ends; what they cover for others does not."""
    said = [
        word("off amy", 0, 12),
        word("cover amy with bo", 0, 12),
        word("cover cy with amy", 0, 12),
        word("off amy", 24, 36),
    ]
    left = [left_after_return(one, "amy", at(1).timestamp()) for one in said]
    assert list(chain.from_iterable(left)) == said[2:]
    assert covers_lost(said, left) == [said[1]]


def heard(words: list[Override]) -> list[Override]:
    standing: list[Override] = []
    for new in words:
        standing = [*chain.from_iterable(left_of(one, new) for one in standing), new]
    return standing


words = st.lists(
    st.builds(
        lambda kind, pair, start, length: word(
            f"cover {pair[0]} with {pair[1]}" if kind == "cover" else f"{kind} {pair[0]}",
            start,
            start + length,
        ),
        st.sampled_from(["off", "on", "cover"]),
        st.permutations(KEYS).map(lambda some: (some[0], some[1])),
        st.integers(0, 10),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=8,
)


@given(words)
def test_after_any_words_the_newest_holds(said: list[Override]) -> None:
    """Off is off, on is on, and nobody is covered by two at once."""
    standing, new, desk = heard(said), said[-1], ROSTER.teams["desk"]
    for hour in range(24):
        moment = at(hour + 0.5)
        covering = [
            (one.for_agent, one.agent)
            for one in standing
            if one.kind == "cover" and one.start <= moment < one.end
        ]
        assert len(covering) == len({absent for absent, _ in covering})
        if not new.start <= moment < new.end:
            continue
        on = on_duty(ROSTER, desk, new.agent, moment, standing)
        assert on is (new.kind != "off")
        if new.kind == "cover":
            assert (new.for_agent, new.agent) in covering
        if new.kind == "on":
            assert new.agent not in dict(covering)


@given(words)
def test_a_word_says_nothing_of_other_times(said: list[Override]) -> None:
    """Before its beginning all is as it was without it."""
    before, after = heard(said[:-1]), heard(said)
    for hour in range(24):
        moment = at(hour + 0.5)
        if moment < said[-1].start:
            same = [
                {key: on_duty(ROSTER, ROSTER.teams["desk"], key, moment, one) for key in KEYS}
                for one in (before, after)
            ]
            assert same[0] == same[1]
