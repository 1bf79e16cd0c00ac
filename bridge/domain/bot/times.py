"""`until 14:30`, `for 30m`: until when something holds, as people type it to the bot. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.domain.duty.localtime import LocalTimeError, resolve_local

_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_SPAN = re.compile(
    r"(?:(\d{1,3}) ?h(?:ours?|rs?)?)? ?(?:(\d{1,4}) ?m(?:in(?:ute)?s?)?)?", re.ASCII | re.IGNORECASE
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_DAYS = 60


@dataclass(frozen=True, slots=True)
class End:
    """`kind`: 'until' or 'for'; `text`: what was typed after it."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


def ends_at(end: End, timezone: str, now: float) -> float:
    """The instant (epoch seconds), in the team's zone. Raises LocalTimeError with a sentence for the typist.

    A clock time is the next one that comes; one that daylight saving skips is refused, of a doubled one
    the first that is still ahead counts.
    """
    moment = now + _seconds(end.text) if end.kind == "for" else _until(end.text, timezone, now)
    if moment <= now:
        raise LocalTimeError(f"{end.text[:40]} is over already")
    if moment > now + LONGEST_DAYS * 86400:
        raise LocalTimeError(f"{end.text[:40]} is too far away: at most {LONGEST_DAYS} days")
    return moment


def _seconds(text: str) -> float:
    found = _SPAN.fullmatch(text.strip())
    seconds = int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 if found else 0
    if not seconds:
        raise LocalTimeError(f"{text[:40]!r} is no length of time; write it like 30m or 2h")
    return seconds


def _until(text: str, timezone: str, now: float) -> float:
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        if re.match(r"\d{4}-", text):
            return resolve_local(text, timezone).timestamp()
        raise LocalTimeError(f"{text[:40]!r} is no time; write it like 14:30 or 2026-11-28T14:30")
    zone = ZoneInfo(timezone)
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    clock = f"{int(found[1]):02}:{found[2]}"
    for day in (today, today + timedelta(days=1)):
        first = resolve_local(f"{day}T{clock}", timezone)
        second = first.replace(fold=1)
        for moment in (first.timestamp(), second.timestamp()):
            if moment > now:
                return moment
    raise LocalTimeError(f"{text[:40]!r} is over already")  # a clock that was set back by more than a day


def day_meant(text: str | None, today: date) -> date | None:
    """`today`, `tomorrow`, `sat` (the next one, today included) or a date; None where it is none of these."""
    word = (text or "today").strip().lower()
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    if word[:3] in _DAYS and re.fullmatch(r"[a-z]{3,9}", word):
        return today + timedelta(days=(_DAYS.index(word[:3]) - today.weekday()) % 7)
    try:
        found = date.fromisoformat(word) if re.fullmatch(r"\d{4}-\d\d-\d\d", word, re.ASCII) else None
    except ValueError:
        return None
    return found if found and abs((found - today).days) <= 366 else None
