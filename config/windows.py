"""Hours and shifts as leads write them: "mon-fri 09:00-18:00", "sat 22:00-02:00", "daily 00:00-24:00"."""

from __future__ import annotations

import re
from datetime import date

from bridge.domain.duty.roster import DatedWindow, Window
from config.problems import nearest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NUMBERS = {name: number % 7 for number, name in enumerate(DAYS + FULL_NAMES)}
DAY_MINUTES = 24 * 60
EXAMPLE = "mon-fri 09:00-18:00"


class WindowError(ValueError):
    """The text is no window; `remedy` says what would be right."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def parse_window(text: str) -> Window:
    """A weekly window. Names of days in English, short or full, in any case. Raises WindowError."""
    words = _tidy(text).split(" ")
    if len(words) != 2:
        raise WindowError("this is not days and a time", EXAMPLE)
    start, end = _times(words[1], f"{words[0]} ")
    return Window(_days(words[0], words[1]), start, end)


def parse_dated_window(text: str) -> DatedWindow:
    """A window of one date: "2026-12-25 10:00-12:00". Raises WindowError."""
    words = _tidy(text).split(" ")
    if len(words) != 2:
        raise WindowError("this is not a date and a time", "2026-12-25 10:00-12:00")
    start, end = _times(words[1], f"{words[0]} ")
    return DatedWindow(parse_date(words[0]), start, end)


def parse_date(text: str) -> date:
    """A date such as 2026-12-24. Raises WindowError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise WindowError(f"{text[:40]!r} is not a date", "year-month-day, such as 2026-12-24")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WindowError(f"there is no day {text}", "year-month-day, such as 2026-12-24") from error


def format_window(window: Window) -> str:
    """The text that `parse_window` reads as this window."""
    days = "daily" if len(window.days) == 7 else ",".join(DAYS[day] for day in sorted(window.days))
    end = window.end if window.end <= DAY_MINUTES else window.end - DAY_MINUTES
    return f"{days} {_clock(window.start)}-{_clock(end)}"


def _tidy(text: str) -> str:
    return " ".join(re.sub(r"\s*([-,–])\s*", r"\1", text).replace("–", "-").lower().split())


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _days(text: str, times: str) -> frozenset[int]:
    if text in ("daily", "everyday"):
        return frozenset(range(7))
    for name in text.replace("-", ",").split(","):
        if name not in NUMBERS:
            close = nearest(name, [*DAYS, "daily"])
            remedy = f"{text.replace(name, close)} {times}" if name and close else EXAMPLE
            raise WindowError(f"{name[:40]!r} is not a day of the week", remedy)
    days: set[int] = set()
    for part in text.split(","):
        ends = part.split("-")
        if len(ends) > 2:
            raise WindowError(f"{part[:40]!r} has more than two ends", EXAMPLE)
        start, end = NUMBERS[ends[0]], NUMBERS[ends[-1]]
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)


def _times(text: str, prefix: str) -> tuple[int, int]:
    if text.count("-") != 1:
        raise WindowError("this has no start and end time", f"{prefix}09:00-18:00")
    first, _, last = text.partition("-")
    start, end = _minutes(first, prefix), _minutes(last, prefix)
    if start == DAY_MINUTES:
        raise WindowError("a window cannot start at 24:00", f"{prefix}00:00-{last}, of the next day.")
    if start == end:
        raise WindowError("start and end are the same", f"{prefix}00:00-24:00 for a whole day.")
    return start, end if end > start else end + DAY_MINUTES


def _minutes(text: str, prefix: str) -> int:
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if match is None:
        raise WindowError(f"{text[:40]!r} is not a time of day", f"{prefix}09:00-18:00, in 24 hours.")
    hour, minute = int(match[1]), int(match[2])
    if minute > 59 or hour * 60 + minute > DAY_MINUTES:
        raise WindowError(f"there is no time {text}", f"{prefix}09:00-18:00; a day ends at 24:00.")
    return hour * 60 + minute
