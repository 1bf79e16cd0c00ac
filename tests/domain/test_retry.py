"""When to try again."""

import pytest

from bridge.domain.errors import Doubtful, NotFound, Refused, Scanning, Throttled, Unavailable
from bridge.domain.retry import Again, GiveUp, after_failure, backoff, callback_wait, mint_parks


def verdict(error, attempt=1, age=0.0):
    return after_failure(error, attempt=attempt, created_at=1000.0, now=1000.0 + age, jitter=0.5)


def test_a_refusal_is_given_up():
    """What Webex refuses for good is not tried again."""
    assert isinstance(verdict(Refused("no", status=400)), GiveUp)
    assert isinstance(verdict(NotFound("who?", status=404)), GiveUp)


def test_a_429_parks_for_exactly_what_was_asked():
    """An hour is an hour, and nothing was done, so nothing is doubtful."""
    assert verdict(Throttled("slow down", retry_after=3600)) == Again(at=4600.0, doubt=False)
    assert verdict(Scanning("later", retry_after=7)) == Again(at=1007.0, doubt=False)


def test_only_a_lost_answer_leaves_a_doubt():
    """A refused connection did nothing for certain; a broken one may have."""
    assert verdict(Unavailable("refused")).doubt is False
    assert verdict(Doubtful("reset")).doubt is True


def test_waits_grow_and_are_spread():
    """1, 2, 4 ... 60 seconds, each a quarter up or down."""
    middles = [backoff(attempt, 0.5) for attempt in range(1, 9)]
    assert middles == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(3, 0.0) == 3
    assert backoff(3, 0.999) == pytest.approx(5, abs=0.01)
    assert backoff(10_000, 0.5) == 60


def test_three_days_are_enough():
    """After three days a delivery is given up, whatever went wrong."""
    assert isinstance(verdict(Unavailable("down"), age=3 * 86400 + 1), GiveUp)
    assert isinstance(verdict(Unavailable("down"), age=3 * 86400 - 1), Again)


def test_callbacks_wait_as_the_contract_says():
    """1 s, 5 s, 15 s, 1 min, then growing waits, never over a few hours."""
    assert [callback_wait(attempt, 0.5) for attempt in range(1, 5)] == [1, 5, 15, 60]
    later = [callback_wait(attempt, 0.5) for attempt in range(5, 30)]
    assert later == sorted(later)
    assert later[-1] <= 3 * 3600


def test_a_429_on_minting_parks_everybody_for_a_minute_at_most():
    """The subject waits the whole hour, the others 60 s."""
    assert mint_parks(Throttled("slow", retry_after=3600), 100.0) == (160.0, 3700.0)
    assert mint_parks(Throttled("slow", retry_after=5), 100.0) == (105.0, 105.0)
