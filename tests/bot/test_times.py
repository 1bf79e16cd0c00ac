"""`until` and `for`, on ordinary days and on those on which the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.domain.bot.times import End, day_meant, ends_at, span_meant, split_times
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
    assert day_meant("monica", friday) is None


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        # Said on Monday the 23rd at 10:00.
        ("amy for 2h", "2026-11-23T10:00", "2026-11-23T12:00"),
        ("amy 30m", "2026-11-23T10:00", "2026-11-23T10:30"),
        ("amy 1h30m", "2026-11-23T10:00", "2026-11-23T11:30"),
        ("amy 2pm", "2026-11-23T10:00", "2026-11-23T14:00"),
        ("amy until 2:30 pm", "2026-11-23T10:00", "2026-11-23T14:30"),
        ("amy until 12am", "2026-11-23T10:00", "2026-11-24T00:00"),
        ("amy tomorrow", "2026-11-24T00:00", "2026-11-25T00:00"),
        ("amy today", "2026-11-23T10:00", "2026-11-24T00:00"),
        ("amy fri", "2026-11-27T00:00", "2026-11-28T00:00"),
        ("amy 24 dec", "2026-12-24T00:00", "2026-12-25T00:00"),
        ("amy 2026-12-24", "2026-12-24T00:00", "2026-12-25T00:00"),
        ("amy until fri", "2026-11-23T10:00", "2026-11-28T00:00"),
        ("amy until fri 17:00", "2026-11-23T10:00", "2026-11-27T17:00"),
        ("amy from tomorrow 09:00 until fri 17:00", "2026-11-24T09:00", "2026-11-27T17:00"),
        ("amy from tomorrow 09:00 until 17:00", "2026-11-24T09:00", "2026-11-24T17:00"),
        ("amy from tomorrow 09:00 for 2h", "2026-11-24T09:00", "2026-11-24T11:00"),
        ("amy from 24 dec until 27 dec", "2026-12-24T00:00", "2026-12-28T00:00"),
        ("amy from Dec 24th until January 2nd", "2026-12-24T00:00", "2027-01-03T00:00"),
        ("amy from fri until thu", "2026-11-27T00:00", "2026-12-04T00:00"),
        ("amy from 18:00", "2026-11-23T18:00", "2026-11-23T19:00"),
        ("amy from fri", "2026-11-27T00:00", "2026-11-28T00:00"),
        ("amy", "2026-11-23T10:00", "2026-11-23T11:00"),
    ],
)
def test_times_ahead(text: str, start: str, end: str) -> None:
    """A day alone is all of it; what is not said of the end is an hour here."""
    name, begin, ending = split_times(text)
    assert name == "amy"
    assert span_meant(begin, ending, CHICAGO, at("2026-11-23T10:00"), 3600) == (at(start), at(end))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("amy from 2026-11-20 until fri", "is over already"),
        ("amy from 2026-11-23T09:00 until fri", "is over already"),
        ("amy from fri until 2026-11-24", "is over already"),
        ("amy from 2028-01-01 until 2028-01-02", "no time|too far away"),
        ("amy from someday until fri", "is no time"),
        ("amy from fri 25:00", "is no time"),
        ("amy until 30 feb", "is no time"),
    ],
)
def test_wrong_times_ahead_are_explained(text: str, part: str) -> None:
    """In a sentence for whoever typed it."""
    _, begin, ending = split_times(text)
    with pytest.raises(LocalTimeError, match=part):
        span_meant(begin, ending, CHICAGO, at("2026-11-23T10:00"), 3600)


@pytest.mark.parametrize("name", ["Monica", "Fritz", "Satya", "May", "Sunny", "Amy Chen", "bo@example.com"])
def test_a_name_is_no_day(name: str) -> None:
    """Whoever is called so is meant."""
    assert split_times(name) == (name, None, None)
