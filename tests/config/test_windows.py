from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.duty.roster import DatedWindow, Window
from config.windows import WindowError, format_window, parse_dated_window, parse_window


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


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(st.integers(0, 1439))
    length = draw(st.integers(1, 1439)) if start else draw(st.integers(1, 1440))
    return Window(draw(st.frozensets(st.integers(0, 6), min_size=1)), start, start + length)


@given(windows())
def test_every_window_survives_being_written_and_read(window: Window) -> None:
    """What `format_window` writes is read as the same window."""
    assert parse_window(format_window(window)) == window


@given(st.one_of(st.text(max_size=40), st.text(alphabet="mon,-fri 0123459:", max_size=30)))
def test_any_text_is_a_window_or_a_window_error(text: str) -> None:
    """Junk never raises anything else, and what is accepted keeps the bounds of the domain's Window."""
    try:
        window = parse_window(text)
    except WindowError:
        return
    assert window.days
    assert 0 <= window.start < 1440
    assert window.start < window.end <= window.start + 1440
