"""`from tomorrow 09:00 until fri 17:00`, `for 30m`: when something holds, as people type it to the bot. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.domain.duty.localtime import LocalTimeError, resolve_local
from bridge.domain.duty.windows import resolve

_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_HALF_DAY = re.compile(r"(1[0-2]|[1-9])(?:[:.]([0-5]\d))? ?([ap])\.?m\.?", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(
    r"(?:(\d{1,3}) ?h(?:ours?|rs?)?)? ?(?:(\d{1,4}) ?m(?:in(?:ute)?s?)?)?", re.ASCII | re.IGNORECASE
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Whole words: Monica is nobody's Monday.
_DAY_NAMES = {
    **{name: index for index, name in enumerate(_DAYS)},
    **{
        name: index
        for index, name in enumerate(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        )
    },
    "tues": 1,
    "weds": 2,
    "thur": 3,
    "thurs": 3,
}
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS = tuple(name[:3] for name in _FULL_MONTHS)
_END = re.compile(r"(?:^|\s)(until|till|for)\s+(.+)$", re.IGNORECASE | re.DOTALL)
_START = re.compile(r"(?:^|\s)from\s+(.+)$", re.IGNORECASE | re.DOTALL)
LONGEST_DAYS = 60
FURTHEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class End:
    """`kind`: 'until' or 'for'; `text`: what was typed after it."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


def split_times(rest: str) -> tuple[str, str | None, End | None]:
    """What stands before the times, the text after `from`, and the end; of shorthand (`amy 30m`, `amy fri`) too."""
    found, end = _END.search(rest), None
    if found is not None:
        end = End("for" if found[1].lower() == "for" else "until", found[2].strip())
        rest = rest[: found.start()].strip()
    begun = _START.search(rest)
    if begun is not None:
        return rest[: begun.start()].strip(), begun[1].strip(), end
    return (rest, None, end) if end is not None else _shorthand(rest)


def _shorthand(rest: str) -> tuple[str, str | None, End | None]:
    words = rest.split()
    for number in (3, 2, 1):
        text = " ".join(words[-number:])
        before = " ".join(words[:-number])
        if len(words) < number:
            continue
        if _SPAN.fullmatch(text) and text[:1].isdigit():
            return before, None, End("for", text)
        if _clock_of(text) is not None:
            return before, None, End("until", text)
        if _is_day(text):
            return before, text, None
    return rest, None, None


def span_meant(
    start: str | None, end: End | None, timezone: str, now: float, unless_said: float
) -> tuple[float, float]:
    """The two instants (epoch seconds), in the team's zone. Raises LocalTimeError with a sentence for the typist.

    A day alone means all of it, as a start and as an end. Without an end: `unless_said` seconds, or the day.
    """
    begin = now if start is None else _moment(start, timezone, now, ending=False)
    if begin < now - 86400 or (begin < now and start is not None and not _is_day(start)):
        raise LocalTimeError(f"{start[:40] if start else ''} is over already")
    if begin > now + FURTHEST_DAYS * 86400:
        raise LocalTimeError(f"{start[:40] if start else ''} is too far away: at most {FURTHEST_DAYS} days")
    begin = max(begin, now)
    if end is not None:
        return begin, ends_at(end, timezone, begin)
    if start is not None and _is_day(start):
        return begin, _moment(start, timezone, now, ending=True)
    return begin, begin + unless_said


def ends_at(end: End, timezone: str, now: float) -> float:
    """The instant (epoch seconds), in the team's zone. Raises LocalTimeError with a sentence for the typist.

    A clock time is the next one that comes; one that daylight saving skips is refused, of a doubled one
    the first that is still ahead counts. A day alone is included.
    """
    moment = now + _seconds(end.text) if end.kind == "for" else _moment(end.text, timezone, now, ending=True)
    if moment <= now:
        raise LocalTimeError(f"{end.text[:40]} is over already")
    if moment > now + LONGEST_DAYS * 86400:
        raise LocalTimeError(f"{end.text[:40]} is too far away: at most {LONGEST_DAYS} days")
    return moment


def _moment(text: str, timezone: str, now: float, *, ending: bool) -> float:
    """A clock time, a day, or both; of a day alone its beginning, or its end."""
    words = " ".join(text.split())
    if _clock_of(words) is not None:
        return _next(words, timezone, now)
    if re.match(r"\d{4}-\d\d-\d\dT", words, re.ASCII | re.IGNORECASE):
        return resolve_local(words, timezone).timestamp()
    day_text, _, clock_text = words.rpartition(" ")
    clock = _clock_of(clock_text) if day_text else None
    if clock is None:
        day_text, clock_text = words, ""
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(timezone)).date()
    day = _day(day_text, today)
    if day is None:
        raise LocalTimeError(f"{text[:40]!r} is no time; write it like 14:30, fri 17:00 or 2026-11-28T14:30")
    if clock is not None:
        return resolve_local(f"{day}T{clock}", timezone).timestamp()
    return float(resolve(datetime.combine(day + timedelta(days=ending), time()), timezone))


def _clock_of(text: str) -> str | None:
    """14:30 of `14.30`, `2:30pm` or `2 pm`; None where it is no time of day."""
    if found := _CLOCK.fullmatch(text.strip()):
        return f"{int(found[1]):02}:{found[2]}"
    if found := _HALF_DAY.fullmatch(text.strip()):
        hour = int(found[1]) % 12 + 12 * (found[3].lower() == "p")
        return f"{hour:02}:{found[2] or '00'}"
    return None


def _is_day(text: str) -> bool:
    return (
        _day(text, date(2000, 1, 1)) is not None
        or re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None
    )


def _day(text: str, today: date) -> date | None:
    """As `day_meant`, and `24 dec` or `dec 24`: the next one that comes, today included."""
    words = text.lower().replace(".", "").split()
    if len(words) == 2:
        number, month = words if words[0].isdigit() else reversed(words)
        number = re.sub(r"(?<=\d)(st|nd|rd|th)$", "", number)
        if not re.fullmatch(r"\d{1,2}", number, re.ASCII) or not _is_month(month):
            return None
        for year in range(today.year, today.year + 9):
            try:
                found = date(year, _MONTHS.index(month[:3]) + 1, int(number))
            except ValueError:
                continue
            if found >= today:
                return found
        return None
    return day_meant(text, today) if text.strip() else None


def _seconds(text: str) -> float:
    found = _SPAN.fullmatch(text.strip())
    seconds = int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 if found else 0
    if not seconds:
        raise LocalTimeError(f"{text[:40]!r} is no length of time; write it like 30m or 2h")
    return seconds


def _is_month(word: str) -> bool:
    return word[:3] in _MONTHS and _FULL_MONTHS[_MONTHS.index(word[:3])].startswith(word)


def _next(text: str, timezone: str, now: float) -> float:
    zone = ZoneInfo(timezone)
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    clock = _clock_of(text)
    for day in (today, today + timedelta(days=1)):
        first = resolve_local(f"{day}T{clock}", timezone)
        second = first.replace(fold=1)
        for moment in (first.timestamp(), second.timestamp()):
            if moment > now:
                return moment
    # A clock that was set back by more than a day.
    raise LocalTimeError(f"{text[:40]!r} is over already")


def day_meant(text: str | None, today: date) -> date | None:
    """`today`, `tomorrow`, `sat` (the next one, today included) or a date; None where it is none of these."""
    word = (text or "today").strip().lower()
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    if word in _DAY_NAMES:
        return today + timedelta(days=(_DAY_NAMES[word] - today.weekday()) % 7)
    try:
        found = date.fromisoformat(word) if re.fullmatch(r"\d{4}-\d\d-\d\d", word, re.ASCII) else None
    except ValueError:
        return None
    return found if found and abs((found - today).days) <= 366 else None
