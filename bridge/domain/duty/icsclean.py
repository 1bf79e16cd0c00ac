"""An iCalendar text reduced to what says when somebody works and who it is, before a library reads it.

Calendars of the field are broken in a hundred ways that do not matter: an empty GEO, a DTSTAMP that is no time, a
description that was never folded. What is not needed is left out, so it cannot cost a shift; an event whose rule would
keep the service busy is left out and told. Format: RFC 5545, sections 3.1 (folding) and 3.6.1 (events).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from bridge.domain.duty.icsguard import MAX_CHARACTERS, MAX_EVENTS, RotaError, check_rule, unfolded

_KEPT = frozenset(
    {"UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "ATTENDEE",
     "SUMMARY", "STATUS", "SEQUENCE", "X-MICROSOFT-CDO-BUSYSTATUS"}
)  # fmt: skip
_PROPERTY = re.compile(r"([A-Za-z0-9-]+)(?:;[^\r\n]*)?:")
_DAY = re.compile(r":\s*(\d{4})(\d{2})(\d{2})(?:T|\s*$)")
_MAX_DEPTH = 8
_LONGEST = timedelta(days=33)  # longer than the longest shift: what began before that has ended


@dataclass(slots=True)
class Clean:
    """`calendars`: the text of each VCALENDAR that counts. `problems`: what was left out, in words."""

    calendars: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def clean(text: str, start: date) -> Clean:
    """Reduces a file to what matters from `start` on. Raises RotaError for what is no calendar, or too large."""
    if len(text) > MAX_CHARACTERS:
        raise RotaError(f"larger than {MAX_CHARACTERS:,} characters; split it into several files")
    if not text.lstrip("\ufeff \t\r\n")[:16].upper().startswith("BEGIN:VCALENDAR"):
        raise RotaError("not a calendar: it does not begin with BEGIN:VCALENDAR")
    return _Cleaner(start).run(text)


class _Cleaner:
    def __init__(self, start: date) -> None:
        self._start = start
        self._made = Clean()
        self._open: list[str] = []
        self._calendar: list[str] = []
        self._event: list[tuple[int, str]] = []
        self._cancels = False
        self._events = 0

    def run(self, text: str) -> Clean:
        for number, line in unfolded(text.lstrip("\ufeff \t\r\n")):
            head, _, value = line.partition(":")
            name, kind = head.partition(";")[0].strip().upper(), value.strip().upper()
            if name == "BEGIN" and kind:
                self._begin(number, kind)
            elif name == "END" and kind:
                self._end(number, kind)
            elif self._open[-1:] == ["VEVENT"]:
                if name in _KEPT and _PROPERTY.match(line):
                    self._event.append((number, line))
            elif self._open[-1:] == ["VCALENDAR"]:
                self._cancels = self._cancels or line.strip().upper() == "METHOD:CANCEL"
            elif "VTIMEZONE" in self._open and self._fits(number, name, line):
                self._calendar.append(line)
        if self._open:
            raise RotaError(f"it ends in the middle of {self._open[-1]}")
        return self._made

    def _fits(self, number: int, name: str, line: str) -> bool:
        """Whether a line of a time zone may stay; one with a rule that would keep us busy is told."""
        if name not in ("RRULE", "EXRULE"):
            return True
        try:
            check_rule(line.partition(":")[2], number)
        except RotaError as error:
            self._made.problems.append(f"a rule of a time zone: left out, because of {error}")
            return False
        return True

    def _begin(self, number: int, kind: str) -> None:
        self._open.append(kind)
        if len(self._open) > _MAX_DEPTH:
            raise RotaError(f"line {number}: nested too deeply")
        if kind == "VCALENDAR":
            self._calendar = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:clean"]
            self._cancels = False
        elif kind == "VEVENT":
            self._event = []
        elif "VTIMEZONE" in self._open:
            self._calendar.append(f"BEGIN:{kind}")

    def _end(self, number: int, kind: str) -> None:
        if self._open[-1:] != [kind]:
            raise RotaError(f"line {number}: END:{kind[:40]} ends nothing that was begun")
        if "VTIMEZONE" in self._open:
            self._calendar.append(f"END:{kind}")
        self._open.pop()
        if kind == "VEVENT":
            self._end_event()
        elif kind == "VCALENDAR":
            self._made.calendars.append("\r\n".join([*self._calendar, "END:VCALENDAR", ""]))

    def _end_event(self) -> None:
        if self._is_over():
            return
        self._events += 1
        if self._events > MAX_EVENTS:
            raise RotaError(f"more than {MAX_EVENTS:,} events that are not over")
        lines = [line for _, line in self._event]
        for number, line in self._event:
            if line[:6].upper() in ("RRULE:", "RRULE;", "EXRULE"):
                try:
                    check_rule(line.partition(":")[2], number)
                except RotaError as error:
                    self._made.problems.append(f"{_label(lines)}: left out, because of {error}")
                    return
        status = ["STATUS:CANCELLED"] if self._cancels else []
        kept = [line for line in lines if not (status and line.upper().startswith("STATUS"))]
        self._calendar += ["BEGIN:VEVENT", *kept, *status, "END:VEVENT"]

    def _is_over(self) -> bool:
        """True if it does not repeat and began so long ago that it cannot reach into what is asked for."""
        begun: date | None = None
        for _, line in self._event:
            name = line[:14].upper()
            if name.startswith(("RRULE", "RDATE", "RECURRENCE-ID")):
                return False
            if name.startswith("DTSTART") and (found := _DAY.search(line)):
                begun = _date(*found.groups())
        return begun is not None and begun + _LONGEST < self._start


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _label(lines: list[str]) -> str:
    found = dict(_named(lines))
    return f"event {(found.get('SUMMARY') or found.get('UID') or 'without a name')[:80]!r}"


def _named(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        head, _, value = line.partition(":")
        yield head.partition(";")[0].upper(), value.strip()
