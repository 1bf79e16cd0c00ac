"""What of an iCalendar text is too much, before a library expands it, so that no file can keep the service busy.

A recurrence rule may ask for a run through millions of steps that match nothing (`BYMONTH=2;BYMONTHDAY=30`),
for one event a second, or for ever the same instant (`INTERVAL=0`). A rota needs none of these.
Format: RFC 5545, sections 3.1 (folding) and 3.3.10 (rules).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from bridge.domain.errors import BridgeError

MAX_CHARACTERS = 10_000_000
MAX_EVENTS = 10_000
MAX_STEPS = 300_000  # of all rules together: about a second's work
_MAX_INTERVAL = 1_000
_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
_LATE = 9_900  # rules are tried in the last century that a date can hold, where trying soon ends


class RotaError(BridgeError):
    """A calendar that cannot be read; the words name the line where that is known."""


def steps(rule: str, start: date, end: datetime) -> int:
    """How many steps the rule takes from its start to `end`.

    Raises RotaError for a rule that never happens again, which would be searched to the end of all dates.
    """
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # loaded only where there is a rule

    parts = _parts(rule)
    days = _DAYS[parts["FREQ"]] * int(parts.get("INTERVAL", "1"))
    naive = datetime(start.year, start.month, start.day)  # noqa: DTZ001 - only days matter here
    bare = ";".join(f"{key}={value}" for key, value in parts.items() if key not in ("UNTIL", "COUNT"))
    late = rrulestr(bare, dtstart=_moved_late(naive, parts["FREQ"], int(parts.get("INTERVAL", "1"))))
    if next(iter(late), None) is None:
        raise RotaError(f"the rule {rule[:80]} never happens")
    return max(0, (end.replace(tzinfo=None) - naive).days) // days


def _moved_late(start: datetime, freq: str, interval: int) -> datetime:
    """The start moved by whole steps of the rule, so that it meets the same days as from its true start."""
    if freq in ("DAILY", "WEEKLY"):
        step = _DAYS[freq] * interval
        return start + timedelta(days=(datetime(_LATE, 1, 1) - start).days // step * step)  # noqa: DTZ001
    months = interval * (12 if freq == "YEARLY" else 1)
    moved = start.month - 1 + max(0, _LATE - start.year) * 12 // months * months
    return start.replace(year=start.year + moved // 12, month=moved % 12 + 1, day=min(start.day, 28))


def check_rule(rule: str, number: int) -> None:
    """Raises RotaError for a rule that a rota does not need. `number`: the line, for the words."""
    parts = _parts(rule)
    if parts.get("FREQ") not in _DAYS:
        raise RotaError(f"line {number}: FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY")
    interval = parts.get("INTERVAL", "1")
    if not interval.isascii() or not interval.isdigit() or not 1 <= int(interval[:9]) <= _MAX_INTERVAL:
        raise RotaError(f"line {number}: INTERVAL must be a number from 1 to {_MAX_INTERVAL}")
    for key in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        if "," in parts.get(key, ""):
            raise RotaError(
                f"line {number}: {key} with several values is not supported; write several events"
            )


def _parts(rule: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in rule.strip().upper().split(";") if part)
    return {key.strip(): value.strip() for key, _, value in pairs}


def unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Each content line with the number of the line on which it begins."""
    held: list[str] = []
    began = 1
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1] in (" ", "\t") and held:
            held.append(line[1:])
            continue
        if held:
            yield began, "".join(held)
        held, began = [line], number
    if held:
        yield began, "".join(held)
