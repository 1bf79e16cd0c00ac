"""A local time as somebody types it, made an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.domain.duty.windows import local, resolve
from bridge.domain.errors import BridgeError

_FORM = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


class LocalTimeError(BridgeError):
    """A time that cannot be understood, in words for the person who typed it."""


class SkippedTime(LocalTimeError):
    """A time that no clock shows, because daylight saving skips it; `before` and `after` are the nearest."""

    def __init__(self, text: str, timezone: str, before: datetime, after: datetime) -> None:
        super().__init__(
            f"{text} does not exist in {timezone}, where the clock goes forward then; "
            f"the nearest times are {before:%Y-%m-%dT%H:%M} and {after:%Y-%m-%dT%H:%M}"
        )
        self.before = before
        self.after = after


def resolve_local(text: str, timezone: str) -> datetime:
    """`2026-11-28T18:30` in this zone, or with an offset of its own; the result is in the zone.

    A doubled time means the first. Raises SkippedTime, LocalTimeError.
    """
    moment = _parsed(text.strip())
    if moment.tzinfo is not None:
        return moment.astimezone(ZoneInfo(timezone))
    second = resolve(moment, timezone)
    found = local(second, timezone)
    if found.replace(tzinfo=None) != moment.replace(microsecond=0):
        before = datetime.fromtimestamp(second - 60, UTC).astimezone(ZoneInfo(timezone))
        raise SkippedTime(text.strip(), timezone, before, found)
    return found + timedelta(microseconds=moment.microsecond)


def _parsed(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if _FORM.fullmatch(text) else None
    except ValueError as problem:
        raise LocalTimeError(f"{text!r} is no date and time: {problem}") from problem
    if moment is None:
        raise LocalTimeError(f"{text[:40]!r} is no date and time; write it like 2026-11-28T18:30")
    if not 1970 <= moment.year <= 2900:
        raise LocalTimeError("give a year from 1970 to 2900")
    return moment
