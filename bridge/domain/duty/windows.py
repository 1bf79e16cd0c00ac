"""Stretches of time, and how wall-clock time becomes instants on the days when the clock is changed.

A *span* is a half-open pair of whole seconds, `(start, end)`: epoch seconds UTC where it means instants, and
the same count as if the zone's clock were UTC where it means wall-clock time. A list of spans that this
module gives is sorted, without overlaps, and touching spans are joined.

A moment is inside a wall-clock stretch when the clock on the wall shows a time inside it. So a skipped hour
lasts no time at all, a doubled hour counts both times, and stretches that join on paper join in fact: each
instant shows one wall-clock time. A boundary inside a doubled hour is therefore passed twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

Span = tuple[int, int]
Spans = list[Span]

DAY = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH_DAY


def day_of(number: int) -> date:
    """The date of a day number. Raises ValueError or OverflowError outside the years 1 to 9999."""
    return date.fromordinal(number + _EPOCH_DAY)


def weekday(number: int) -> int:
    """0 is Monday, for a day number."""
    return (number + 3) % 7


def epoch(moment: datetime) -> float:
    """Epoch seconds. Raises ValueError for a datetime without an offset: it would mean the machine's zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.timestamp()


def union(spans: Iterable[Span]) -> Spans:
    """Every second that is in any of the spans, given in any order."""
    joined: Spans = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            if end > joined[-1][1]:
                joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def intersect(left: Sequence[Span], right: Sequence[Span]) -> Spans:
    """Every second that is in both; each argument as `union` gives it."""
    both: Spans = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i][0], right[j][0])
        end = min(left[i][1], right[j][1])
        if start < end:
            both.append((start, end))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return both


def subtract(spans: Sequence[Span], away: Sequence[Span]) -> Spans:
    """Every second of `spans` that is not in `away`; each argument as `union` gives it."""
    left: Spans = []
    j = 0
    for start, end in spans:
        while j < len(away) and away[j][1] <= start:
            j += 1
        k = j
        while k < len(away) and away[k][0] < end:
            if start < away[k][0]:
                left.append((start, away[k][0]))
            start = max(start, away[k][1])
            k += 1
        if start < end:
            left.append((start, end))
    return left


def span_at(spans: Sequence[Span], second: float) -> Span | None:
    """The span that holds this second, if one does."""
    index = bisect_right(spans, second, key=lambda span: span[0]) - 1
    return spans[index] if index >= 0 and second < spans[index][1] else None


def boundary_after(spans: Sequence[Span], second: float, limit: float) -> int | None:
    """The first start or end later than `second` and earlier than `limit`."""
    index = bisect_right(spans, second, key=lambda span: span[1])
    if index == len(spans):
        return None
    start, end = spans[index]
    first = start if start > second else end
    return first if first < limit else None


def instants(walls: Sequence[Span], timezone: str, start: int, end: int) -> Spans:
    """The instants of [start, end) at which the zone's clock shows a time inside `walls` (a `union`)."""
    found: Spans = []
    for piece_start, piece_end, offset in _steady(timezone, start, end):
        shown = [(piece_start + offset, piece_end + offset)]
        found += [(a - offset, b - offset) for a, b in intersect(walls, shown)]
    return union(found)


def local(second: float, timezone: str) -> datetime:
    """An instant as the zone's own time."""
    return datetime.fromtimestamp(second, ZoneInfo(timezone))


def resolve(naive: datetime, timezone: str) -> int:
    """The instant at which the zone's clock first shows `naive`, or passes it where that time is skipped."""
    zone = ZoneInfo(timezone)
    early = naive.replace(tzinfo=zone, fold=0)
    late = naive.replace(tzinfo=zone, fold=1)
    first, second = int(early.timestamp()), int(late.timestamp())
    if first <= second:  # ordinary, or doubled: the first
        return first
    return _change_between(zone, second, first)


def _steady(timezone: str, start: int, end: int) -> list[tuple[int, int, int]]:
    """[start, end) cut into pieces (start, end, seconds east of UTC) in which the clock is not changed."""
    years = range(_utc(start).year, _utc(end).year + 1)
    changes = [c for year in years for c in _changes(timezone, year) if start < c < end]
    edges = [start, *changes, end]
    zone = ZoneInfo(timezone)
    return [(a, b, _offset(zone, a)) for a, b in pairwise(edges)]


@lru_cache(maxsize=4096)
def _changes(timezone: str, year: int) -> tuple[int, ...]:
    """The instants of a UTC year at which the zone's offset changes. Looks daily: zoneinfo does not tell."""
    zone = ZoneInfo(timezone)
    first = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    days = 366 if day_of(first // DAY + 365).year == year else 365
    edges = [first + n * DAY for n in range(days)] + [first + days * DAY]
    known = [(second, _offset(zone, second)) for second in edges]
    return tuple(_change_between(zone, a, b) for (a, was), (b, now) in pairwise(known) if was != now)


def _change_between(zone: ZoneInfo, low: int, high: int) -> int:
    """The one second in (low, high] from which the offset is that of `high`."""
    new = _offset(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == new:
            high = middle
        else:
            low = middle
    return high


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return int((offset or timedelta()).total_seconds())


def _utc(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
