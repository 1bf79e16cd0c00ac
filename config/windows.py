"""Hours and shifts as leads write them: "mon-fri 09:00-18:00", "sat 22:00-02:00", "daily 00:00-24:00"."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bridge.domain.duty.roster import DatedWindow, Window
from config.problems import nearest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NUMBERS = {name: number % 7 for number, name in enumerate(DAYS + FULL_NAMES)}
DAY_MINUTES = 24 * 60
EXAMPLE = "mon-fri 09:00-18:00"
MOST_WEEKS = 52
MOST_CLOSED_DAYS = 3_660
_LIMITS = "from 2026-12-01 until 2027-01-31"
_CLAUSE = re.compile(r"(?:(from|until) (\S+)|(every)(?: ([0-9]{1,4}))? weeks?)(?= |$)")


class WindowError(ValueError):
    """The text is no window; `remedy` says what would be right."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def parse_window(text: str) -> Window:
    """A weekly window, one of a single date, or one that counts for a time or in some weeks only.

    "sat 10:00-18:00 every 2 weeks from 2026-12-05 until 2027-01-31", "2026-12-05 09:00-17:00". Names of days in
    English, short or full, in any case. Raises WindowError.
    """
    words = _tidy(text).split(" ")
    if len(words) < 2:
        raise WindowError("this is not days and a time", EXAMPLE)
    start, end = _times(words[1], f"{words[0]} ")
    if words[0][:1].isdecimal():
        return _on_one_date(words, start, end)
    first, last, every = _limits(words[2:], " ".join(words[:2]))
    window = Window(_days(words[0], words[1]), start, end, first, last, every)
    if first is not None and last is not None and not _has_a_day(window, first, last):
        raise WindowError(
            "no day of this window is between its dates", f"{EXAMPLE} from {first} until {last}"
        )
    return window


def _on_one_date(words: list[str], start: int, end: int) -> Window:
    day = parse_date(words[0])
    if len(words) > 2:
        raise WindowError("a window of one date does not repeat", " ".join(words[:2]))
    return Window(frozenset({day.weekday()}), start, end, day, day)


def _limits(words: list[str], window: str) -> tuple[date | None, date | None, int]:
    """What stands behind days and times: from, until (None where not said) and every how many weeks."""
    found: dict[str, str] = {}
    text = " ".join(words)
    while text:
        clause = _CLAUSE.match(text)
        if clause is None or (name := clause[1] or clause[3]) in found:
            raise WindowError(f"{text[:40]!r} is not understood here", f"{window} {_LIMITS}")
        found[name] = clause[2] or clause[4] or "1"
        text = text[clause.end() :].lstrip()
    first, last = (parse_date(found[name]) if name in found else None for name in ("from", "until"))
    every = int(found.get("every", 1))
    if not 1 <= every <= MOST_WEEKS:
        raise WindowError(f"every {every} weeks is not possible", f"{window} every 2 weeks from 2026-12-05")
    if every > 1 and first is None:
        raise WindowError(
            "it is not said from which week on", f"{window} every {every} weeks from 2026-12-05"
        )
    if first is not None and last is not None and last < first:
        raise WindowError(f"{last} is before {first}", f"{window} from {last} until {first}")
    return first, last, every


def _has_a_day(window: Window, first: date, last: date) -> bool:
    """Whether it counts on any day between its dates; the longest pause is looked over, which is enough."""
    monday = first - timedelta(days=first.weekday())
    most = min((last - first).days, 7 * window.every + 7)
    days = (first + timedelta(days=step) for step in range(most + 1))
    return any(day.weekday() in window.days and (day - monday).days // 7 % window.every == 0 for day in days)


def parse_closed_days(text: str) -> tuple[date, ...]:
    """A closed day, or a range of them: "2026-12-24", "2026-12-24..2027-01-01", both included. Raises WindowError."""
    first, dots, last = text.strip().partition("..")
    start = parse_date(first.strip())
    end = parse_date(last.strip()) if dots else start
    if end < start:
        raise WindowError(f"{end} is before {start}", f"{end}..{start}")
    if (end - start).days >= MOST_CLOSED_DAYS:
        raise WindowError("this range is longer than ten years", "a shorter one, or no hours at all.")
    return tuple(start + timedelta(days=step) for step in range((end - start).days + 1))


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


def _tidy(text: str) -> str:
    return " ".join(re.sub(r"\s*([-,–])\s*", r"\1", text).replace("–", "-").lower().split())


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
