"""A calendar file as dated shifts: one event per shift, RFC 5545.

ATTENDEE (its address, else its CN) names the agent, or SUMMARY where no attendee is given: by configuration
key, e-mail address or name, in any case. Cancelled events and declined invitations are no shifts. Times
without a zone are the team's; an event of whole days lasts from midnight to midnight there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from bridge.domain.duty.icsguard import MAX_STEPS, RotaError, check_text, steps
from bridge.domain.duty.roster import Agent, Shift
from bridge.domain.duty.windows import resolve

__all__ = ["Rota", "RotaError", "read_shifts"]

MAX_SHIFTS = 100_000
_LONGEST = timedelta(days=31)
_CHUNK = timedelta(days=14)  # expanded piece by piece, so that MAX_SHIFTS stops a flood early
_MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Rota:
    """`shifts` in order of start, instants in UTC; `problems`: sentences on what was left out, each once."""

    shifts: tuple[Shift, ...]
    problems: tuple[str, ...] = ()


def read_shifts(
    ics_text: str, agents: Mapping[str, Agent], timezone: str, start: datetime, end: datetime
) -> Rota:
    """Every shift that reaches into [start, end), aware datetimes.

    Raises RotaError for what is no calendar, too large, or would take too long to expand.
    """
    check_text(ics_text)
    try:
        return _read(ics_text, _names(agents), timezone, start, end)
    except RotaError:
        raise
    except Exception as problem:  # the parsers raise errors of a dozen kinds on broken files
        raise RotaError(f"not a calendar that can be read: {problem!s:.200}") from problem


def _read(text: str, names: Mapping[str, str | None], timezone: str, start: datetime, end: datetime) -> Rota:
    import icalendar  # these take a while to load, which a team without a calendar does not pay
    import recurring_ical_events

    calendar: Any = icalendar.Calendar.from_ical(text)
    if calendar.name != "VCALENDAR":
        raise RotaError("not a calendar: it does not begin with BEGIN:VCALENDAR")
    problems: dict[str, None] = {}
    _sift(calendar, end, problems)
    query = recurring_ical_events.of(calendar)
    shifts: set[Shift] = set()
    seen = 0
    for first, last in _chunks(start, end):
        # a day more on both sides: floating and all-day times are compared without their zone
        for event in query.between(first - timedelta(days=1), last + timedelta(days=1)):
            found = _shifts_of(event, names, timezone, problems)
            shifts.update(shift for shift in found if shift.start < end and shift.end > start)
            seen += 1
            if seen > MAX_SHIFTS:
                raise RotaError(
                    f"more than {MAX_SHIFTS:,} shifts between {start:%Y-%m-%d} and {end:%Y-%m-%d}"
                )
    ordered = sorted(shifts, key=lambda shift: (shift.start, shift.agent, shift.end))
    return Rota(tuple(ordered), tuple(problems)[:_MAX_PROBLEMS])


def _sift(calendar: Any, end: datetime, problems: dict[str, None]) -> None:
    """Takes out the events that cannot be shifts, and refuses rules that would take too long."""
    work = 0
    unfit: set[int] = set()
    for event in calendar.walk("VEVENT"):
        why = _unfit(event)
        if why:
            problems[f"{_label(event)}: left out, because {why}"] = None
            unfit.add(id(event))
            continue
        work += sum([steps(rule, event.start, end) for rule in _rules(event)])
        if work > MAX_STEPS:
            raise RotaError("its rules begin too long ago to be followed; let them begin later")
    calendar.subcomponents[:] = [part for part in calendar.subcomponents if id(part) not in unfit]


def _rules(event: Any) -> Iterator[str]:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        yield rule.to_ical().decode()


def _unfit(event: Any) -> str | None:
    """Why an event can be nobody's shift, in words."""
    if event.errors or event.get("DTSTART") is None:
        fields = ", ".join(sorted({str(name) for name, _ in event.errors})) or "DTSTART"
        return f"its {fields} cannot be read"
    for name in ("DTSTART", "DTEND"):
        zone = event[name].params.get("TZID") if name in event else None
        if zone and getattr(event[name].dt, "tzinfo", None) is None:
            return f"the time zone {str(zone)[:60]!r} is not known"
    try:
        begin, end = event.start, event.end
    except ValueError as problem:  # which InvalidCalendar and IncompleteComponent are
        return f"its times do not fit together ({problem!s:.100})"
    if _kind(begin) != _kind(end):
        return "its start and its end are not of one kind (with a zone, without, whole days)"
    if end - begin > _LONGEST:
        return f"it is longer than {_LONGEST.days} days"
    return None


def _kind(moment: date) -> tuple[bool, bool]:
    return isinstance(moment, datetime), getattr(moment, "tzinfo", None) is None


def _shifts_of(
    event: Any, names: Mapping[str, str | None], timezone: str, problems: dict[str, None]
) -> list[Shift]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return []
    start, end = _instant(event.start, timezone), _instant(event.end, timezone)
    if start >= end:
        problems[f"{_label(event)}: left out, because it does not end after it starts"] = None
        return []
    keys = _agents_of(event, names, problems)
    return [Shift(key, start, end) for key in keys]


def _agents_of(event: Any, names: Mapping[str, str | None], problems: dict[str, None]) -> list[str]:
    attendees = event.get("ATTENDEE", [])
    invited = attendees if isinstance(attendees, list) else [attendees]
    if not invited:
        key = _known((str(event.get("SUMMARY", "")),), names, _label(event), problems)
        return [key] if key else []
    found = []
    for attendee in invited:
        if str(attendee.params.get("PARTSTAT", "")).upper() == "DECLINED":
            problems[f"{_label(event)}: {_address(attendee)} declined, so it is not their shift"] = None
            continue
        wanted = (_address(attendee), str(attendee.params.get("CN", "")))
        key = _known(wanted, names, _label(event), problems)
        found += [key] if key else []
    return list(dict.fromkeys(found))


def _known(
    wanted: tuple[str, ...], names: Mapping[str, str | None], label: str, problems: dict[str, None]
) -> str | None:
    for name in wanted:
        key = names.get(_folded(name), "")
        if key:
            return key
        if key is None:
            problems[f"{label}: {name[:80]!r} names several agents; use the e-mail address"] = None
            return None
    named = next(filter(None, wanted), "")
    problems[f"{label}: {named[:80]!r} is no agent's key, e-mail address or name"] = None
    return None


def _names(agents: Mapping[str, Agent]) -> dict[str, str | None]:
    """Each folded name with its agent's key; None where two agents share it. Keys and addresses go first."""
    names: dict[str, str | None] = {}
    for field in ("name", "email", "key"):
        level: dict[str, str | None] = {}
        for agent in agents.values():
            name = _folded(getattr(agent, field))
            level[name] = agent.key if level.get(name, agent.key) == agent.key else None
        names.update(level)
    names.pop("", None)
    return names


def _address(attendee: Any) -> str:
    text = str(attendee)
    return text[7:] if text[:7].lower() == "mailto:" else text


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _label(event: Any) -> str:
    summary, uid = str(event.get("SUMMARY", "")).strip(), str(event.get("UID", "")).strip()
    return f"event {(summary or uid or 'without a name')[:80]!r}"


def _instant(moment: date, timezone: str) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())  # its zone is the team's, next line
    if moment.tzinfo is None:
        return _utc(moment, timezone)
    zone = getattr(moment.tzinfo, "key", None)
    return _utc(moment.replace(tzinfo=None), zone) if zone else moment.astimezone(UTC)


@lru_cache(maxsize=8192)
def _utc(naive: datetime, timezone: str) -> datetime:
    return datetime.fromtimestamp(resolve(naive, timezone), UTC)


def _chunks(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        yield start, min(start + _CHUNK, end)
        start += _CHUNK
