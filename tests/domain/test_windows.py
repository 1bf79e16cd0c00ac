"""Spans, and wall-clock time on the days when the clock is changed."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.duty.windows import (
    DAY,
    boundary_after,
    day_number,
    instants,
    intersect,
    resolve,
    span_at,
    subtract,
    union,
)

ZONES = ["America/Chicago", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def seconds(spans):
    return {second for start, end in spans for second in range(start, end)}


@given(SPANS, SPANS)
def test_spans_behave_as_the_sets_of_their_seconds(left, right):
    """Union, intersection and difference of spans are those of the sets of their seconds."""
    a, b = union(left), union(right)
    assert seconds(a) == seconds(left)
    assert all(x[1] < y[0] for x, y in pairwise(a))
    assert seconds(intersect(a, b)) == seconds(a) & seconds(b)
    assert seconds(subtract(a, b)) == seconds(a) - seconds(b)


@given(SPANS, st.integers(-1, 61))
def test_a_span_is_found_by_any_of_its_seconds(spans, second):
    """`span_at` finds a span exactly at its seconds, `boundary_after` the next second that differs."""
    joined = union(spans)
    held = seconds(joined)
    assert (span_at(joined, second) is not None) == (second in held)
    differing = [s for s in range(second + 1, 62) if (s in held) != (s - 1 in held)]
    assert boundary_after(joined, second, 62) == (differing[0] if differing else None)


@pytest.mark.parametrize("zone", ZONES)
def test_adjacent_windows_cover_each_minute_of_a_year_once(zone):
    """Three windows that join on paper leave no minute of a year out and hold none twice, in any zone."""
    start, end = (int(datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).timestamp()) for year in (2026, 2027))
    days = range(day_number(date(2025, 12, 30)), day_number(date(2027, 1, 3)))
    cuts = [(0, 90), (90, 150), (150, 1440)]  # boundaries inside doubled and skipped hours
    shifts = [
        instants(union((d * DAY + a * 60, d * DAY + b * 60) for d in days), zone, start, end) for a, b in cuts
    ]
    assert union(span for shift in shifts for span in shift) == [(start, end)]
    assert sum(b - a for shift in shifts for a, b in shift) == end - start


@settings(max_examples=40)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(
        [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4), date(2026, 11, 1)]
    ),
    st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), max_size=4),
)
def test_an_instant_is_inside_when_the_clock_on_the_wall_says_so(zone, day, windows):
    """Around a changed clock, each minute is inside a window exactly when its wall-clock time is."""
    begin = int(datetime.combine(day, datetime.min.time(), UTC).timestamp()) - DAY
    end = begin + 3 * DAY
    midnights = [n * DAY for n in range(begin // DAY - 1, end // DAY + 2)]
    walls = union((m + a * 60, m + b * 60) for m in midnights for a, b in windows)
    found = instants(walls, zone, begin, end)
    for second in range(begin, end, 60):
        wall = datetime.fromtimestamp(second, ZoneInfo(zone))
        minute = wall.hour * 60 + wall.minute
        assert (span_at(found, second) is not None) == any(a <= minute < b for a, b in windows)


def test_a_skipped_time_is_the_moment_of_the_change():
    """02:30 on the day the clock goes forward is the instant at which it does."""
    assert (
        resolve(datetime(2026, 3, 8, 2, 30), "America/Chicago")
        == datetime(2026, 3, 8, 8, tzinfo=UTC).timestamp()
    )


def test_a_doubled_time_is_the_first_of_the_two():
    """01:30 on the day the clock goes back is the earlier one."""
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/Chicago"), fold=0)
    assert resolve(datetime(2026, 11, 1, 1, 30), "America/Chicago") == first.timestamp()
    assert (
        resolve(datetime(2026, 11, 1, 2), "America/Chicago") - first.timestamp()
        == timedelta(minutes=90).total_seconds()
    )
