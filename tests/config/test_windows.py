from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.duty.roster import DatedWindow, Window
from config.windows import DAYS, WindowError, parse_closed_days, parse_dated_window, parse_window


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("mon-fri 09:00-13:00", {0, 1, 2, 3, 4}, 540, 780),
        ("sat 22:00-02:00", {5}, 1320, 1560),
        ("mon,wed 09:00-12:00", {0, 2}, 540, 720),
        ("daily 00:00-24:00", set(range(7)), 0, 1440),
        ("fri-mon 9:00-10:30", {4, 5, 6, 0}, 540, 630),
        ("sat 22:00-00:00", {5}, 1320, 1440),
        ("sat 22:00-24:00", {5}, 1320, 1440),
        (" Mon - Tue , SUNDAY   09:00 – 10:00 ", {0, 1, 6}, 540, 600),
    ],
)
def test_windows_are_read_as_leads_write_them(text: str, days: set[int], start: int, end: int) -> None:
    """Days are ranges and lists, also over the weekend; an end before the start is on the next day."""
    assert parse_window(text) == Window(frozenset(days), start, end)


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("mon-fry 09:00-13:00", "'fry' is not a day", "mon-fri 09:00-13:00"),
        ("mon 09:00-09:00", "start and end are the same", "mon 00:00-24:00"),
        ("mon 9am-5pm", "'9am' is not a time", "mon 09:00-18:00"),
        ("mon 25:00-26:00", "no time 25:00", "24:00"),
        ("mon 09:60-10:00", "no time 09:60", "09:00"),
        ("mon 24:00-02:00", "cannot start at 24:00", "mon 00:00-02:00"),
        ("09:00-18:00", "not days and a time", "mon-fri 09:00-18:00"),
        ("mon 09:00", "no start and end", "mon 09:00-18:00"),
        ("mon-tue-wed 09:00-10:00", "more than two ends", "mon-fri"),
        ("", "not days and a time", "mon-fri"),
        ("mon,,tue 09:00-10:00", "not a day", "mon-fri"),
        ("mon ٠٩:00-10:00", "not a time", "09:00"),
    ],
)
def test_what_is_wrong_with_a_window_is_said(text: str, said: str, remedy: str) -> None:
    """A window that cannot be read is refused with the part that is wrong and a window that would do."""
    with pytest.raises(WindowError, match=said) as caught:
        parse_window(text)
    assert remedy in caught.value.remedy


def test_a_dated_window_may_end_on_the_next_day() -> None:
    """Openings on a date are written like shifts, with a date in place of the days."""
    assert parse_dated_window("2026-12-25 10:00-12:00") == DatedWindow(date(2026, 12, 25), 600, 720)
    assert parse_dated_window("2026-12-31 22:00-02:00") == DatedWindow(date(2026, 12, 31), 1320, 1560)


@pytest.mark.parametrize(
    "text", ["2026-02-30 10:00-12:00", "25.12.2026 10:00-12:00", "2026-12-25", "x", "20261225 1:00-2:00"]
)
def test_a_date_that_does_not_exist_is_refused(text: str) -> None:
    """Only year-month-day of a day that exists is a date."""
    with pytest.raises(WindowError):
        parse_dated_window(text)


@pytest.mark.parametrize(
    ("text", "first", "last", "every"),
    [
        ("sat 10:00-18:00 from 2026-12-01 until 2027-01-31", date(2026, 12, 1), date(2027, 1, 31), 1),
        ("sat 10:00-18:00 from 2026-12-01", date(2026, 12, 1), None, 1),
        ("sat 10:00-18:00 until 2027-01-31", None, date(2027, 1, 31), 1),
        ("sat 10:00-18:00 every 2 weeks from 2026-12-05", date(2026, 12, 5), None, 2),
        ("sat 10:00-18:00 From 2026-12-05  every week", date(2026, 12, 5), None, 1),
        (
            "sat 10:00-18:00 until 2027-02-01 from 2026-12-05 every 3 weeks",
            date(2026, 12, 5),
            date(2027, 2, 1),
            3,
        ),
    ],
)
def test_a_window_may_count_for_a_time_and_in_some_weeks(
    text: str, first: date | None, last: date | None, every: int
) -> None:
    """What stands behind the time may come in any order."""
    assert parse_window(text) == Window(frozenset({5}), 600, 1080, first, last, every)


def test_a_window_may_be_of_one_date() -> None:
    """A date instead of the days."""
    day = date(2026, 12, 5)
    assert parse_window("2026-12-05 09:00-17:00") == Window(frozenset({5}), 540, 1020, day, day)


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("sat 10:00-18:00 every 2 weeks", "from which week", "every 2 weeks from 2026-12-05"),
        ("sat 10:00-18:00 every 0 weeks from 2026-12-05", "not possible", "every 2 weeks"),
        ("sat 10:00-18:00 every 99 weeks from 2026-12-05", "not possible", "every 2 weeks"),
        ("sat 10:00-18:00 from 2027-01-31 until 2026-12-01", "is before", "from 2026-12-01 until 2027-01-31"),
        ("sat 10:00-18:00 from 2026-12-07 until 2026-12-10", "no day of this window", "from"),
        ("sat 10:00-18:00 every 4 weeks from 2026-12-06 until 2026-12-20", "no day of this window", "from"),
        ("sat 10:00-18:00 from 5.12.2026", "not a date", "2026-12-24"),
        ("sat 10:00-18:00 from 2026-12-01 from 2026-12-05", "not understood", "from 2026-12-01 until"),
        ("sat 10:00-18:00 sometimes", "not understood", "from 2026-12-01 until"),
        ("sat 10:00-18:00 from", "not understood", "from 2026-12-01 until"),
        ("2026-12-05 09:00-17:00 every 2 weeks", "does not repeat", "2026-12-05 09:00-17:00"),
        ("2026-02-30 09:00-17:00", "there is no day", "year-month-day"),
    ],
)
def test_what_is_wrong_with_a_limit_is_said(text: str, said: str, remedy: str) -> None:
    """As for days and times."""
    with pytest.raises(WindowError, match=said) as caught:
        parse_window(text)
    assert remedy in caught.value.remedy


def test_closed_days_may_be_a_range() -> None:
    """Both ends are closed."""
    days = parse_closed_days("2026-12-24..2027-01-01")
    assert (days[0], days[-1], len(days)) == (date(2026, 12, 24), date(2027, 1, 1), 9)
    assert parse_closed_days("2026-12-24") == (date(2026, 12, 24),)
    assert parse_closed_days(" 2026-12-24 .. 2026-12-24 ") == (date(2026, 12, 24),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2027-01-01..2026-12-24", "is before"),
        ("2026-12-24..", "not a date"),
        ("..2026-12-24", "not a date"),
        ("2026-12-24...2026-12-26", "not a date"),
        ("1000-01-01..9999-12-31", "longer than"),
    ],
)
def test_what_is_wrong_with_a_range_is_said(text: str, said: str) -> None:
    """A range that cannot be read closes nothing."""
    with pytest.raises(WindowError, match=said):
        parse_closed_days(text)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(st.integers(0, 1439))
    length = draw(st.integers(1, 1439)) if start else draw(st.integers(1, 1440))
    first = draw(st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1)))
    last = draw(st.none() | st.dates(date(2030, 1, 1), date(2031, 1, 1)))
    every = draw(st.integers(1, 52)) if first else 1
    return Window(
        draw(st.frozensets(st.integers(0, 6), min_size=1)), start, start + length, first, last, every
    )


def _written(window: Window) -> str:
    """As a lead would write it."""
    end = window.end if window.end <= 1440 else window.end - 1440
    times = "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (window.start, end))
    limits = [f"every {window.every} weeks"] * (window.every > 1)
    limits += [f"from {window.first}"] if window.first else []
    limits += [f"until {window.last}"] if window.last else []
    return " ".join([",".join(DAYS[day] for day in sorted(window.days)), times, *limits])


@given(windows())
def test_every_window_survives_being_written_and_read(window: Window) -> None:
    """What stands in the file is what counts."""
    assert parse_window(_written(window)) == window


def _limited() -> st.SearchStrategy[str]:
    words = [
        "from",
        "until",
        "every",
        "weeks",
        "2",
        "2026-12-05",
        "0",
        "-",
        "from 2026-12-05",
        "every 3 weeks",
    ]
    return st.lists(st.sampled_from(words), max_size=5).map(lambda some: " ".join(["sat 10:00-18:00", *some]))


@given(st.one_of(st.text(max_size=40), st.text(alphabet="mon,-fri 0123459:", max_size=30), _limited()))
def test_any_text_is_a_window_or_a_window_error(text: str) -> None:
    """Junk never raises anything else, and what is accepted keeps the bounds of the domain's Window."""
    try:
        window = parse_window(text)
    except WindowError:
        return
    assert window.days
    assert 0 <= window.start < 1440
    assert window.start < window.end <= window.start + 1440
