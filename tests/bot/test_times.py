"""`until` and `for`, on ordinary days and on those on which the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.domain.bot.times import End, day_meant, ends_at
from bridge.domain.duty.localtime import LocalTimeError

CHICAGO = "America/Chicago"


def at(text: str, zone: str = CHICAGO, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("kind", "text", "now", "end"),
    [
        ("until", "14:30", "2026-11-23T10:00", "2026-11-23T14:30"),
        ("until", "9:05", "2026-11-23T10:00", "2026-11-24T09:05"),
        ("until", "14.30", "2026-11-23T10:00", "2026-11-23T14:30"),
        ("until", "2026-11-28T14:30", "2026-11-23T10:00", "2026-11-28T14:30"),
        ("for", "30m", "2026-11-23T10:00", "2026-11-23T10:30"),
        ("for", "2h", "2026-11-23T10:00", "2026-11-23T12:00"),
        ("for", "1h30m", "2026-11-23T10:00", "2026-11-23T11:30"),
        ("for", "90 min", "2026-11-23T10:00", "2026-11-23T11:30"),
        # The clock goes forward at 02:00 on 8 March: 03:30 is an hour after 01:30.
        ("until", "03:30", "2026-03-08T01:30", "2026-03-08T03:30"),
        ("for", "1h", "2026-03-08T01:30", "2026-03-08T03:30"),
    ],
)
def test_ends(kind: str, text: str, now: str, end: str) -> None:
    """Times are the team's; a clock time is the next one that comes."""
    assert ends_at(End(kind, text), CHICAGO, at(now)) == at(end)


def test_doubled_time_is_the_first_that_is_still_ahead() -> None:
    """On 1 November 01:30 comes twice in Chicago."""
    first, second = at("2026-11-01T01:30", fold=0), at("2026-11-01T01:30", fold=1)
    assert second == first + 3600
    assert ends_at(End("until", "01:30"), CHICAGO, at("2026-11-01T00:30")) == first
    assert ends_at(End("until", "01:30"), CHICAGO, first + 60) == second


@pytest.mark.parametrize(
    ("end", "part"),
    [
        (End("until", "02:30"), "the nearest times are"),
        (End("until", "25:00"), "is no time"),
        (End("until", "2020-01-01T10:00"), "is over already"),
        (End("until", "2027-01-01T10:00"), "at most 60 days"),
        (End("for", "a while"), "is no length of time"),
        (End("for", "0m"), "is no length of time"),
        (End("for", ""), "is no length of time"),
    ],
)
def test_wrong_ends_are_explained(end: End, part: str) -> None:
    """A time that daylight saving skips is refused with its neighbours, nonsense with an example."""
    with pytest.raises(LocalTimeError, match=part):
        ends_at(end, CHICAGO, at("2026-03-08T01:30"))


def test_days() -> None:
    """`sat` is the next Saturday, today included."""
    friday = datetime(2026, 11, 27, tzinfo=UTC).date()
    assert day_meant(None, friday) == friday
    assert day_meant("Tomorrow", friday) == date(2026, 11, 28)
    assert day_meant("sat", friday) == date(2026, 11, 28)
    assert day_meant("friday", friday) == friday
    assert day_meant("2026-12-24", friday) == date(2026, 12, 24)
    assert day_meant("someday", friday) is None
    assert day_meant("2026-13-01", friday) is None
