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

from bridge.domain.duty.icsclean import clean
from bridge.domain.duty.icsguard import MAX_STEPS, RotaError, steps, unfolded
from bridge.domain.duty.roster import Agent, Shift
from bridge.domain.duty.windows import resolve

__all__ = ["Rota", "RotaError", "read_shifts"]

MAX_SHIFTS = 100_000
_LONGEST = timedelta(days=31)
_CHUNK = timedelta(days=14)  # expanded piece by piece, so that MAX_SHIFTS stops a flood early
_MAX_PROBLEMS = 50
_EXACT = "X-EXACT-SECONDS"  # of an event with a DURATION; the library makes a DTEND of it by the clock


@dataclass(frozen=True, slots=True)
class Rota:
    """`shifts` in order of start, instants in UTC; `problems`: sentences on what was left out, each once."""

    shifts: tuple[Shift, ...]
    problems: tuple[str, ...] = ()


def read_shifts(
    ics_text: str,
    agents: Mapping[str, Agent],
    timezone: str,
    start: datetime,
    end: datetime,
    newest: Mapping[str, int] | None = None,
) -> Rota:
    """Every shift that reaches into [start, end), aware datetimes.

    `newest`: by UID, the highest SEQUENCE that the other files of a folder have; older ones are left out. Raises
    RotaError for what is no calendar, too large, or would take too long to expand.
    """
    try:
        return _read(ics_text, _names(agents), timezone, start, end, newest or {})
    except RotaError:
        raise
    except Exception as problem:  # the parsers raise errors of a dozen kinds on broken files
        raise RotaError(f"not a calendar that can be read: {problem!s:.200}") from problem


def newest_of(ics_text: str) -> dict[str, int]:
    """The highest SEQUENCE of each UID in a file; a file that is no calendar has none."""
    found: dict[str, int] = {}
    uid, sequence = "", 0
    for _, line in unfolded(ics_text.lstrip("\ufeff")):
        head, _, value = line.partition(":")
        name, value = head.partition(";")[0].strip().upper(), value.strip()
        if (name, value.upper()) == ("BEGIN", "VEVENT"):
            uid, sequence = "", 0
        elif name == "UID":
            uid = value
        elif name == "SEQUENCE" and value.isascii() and value.isdigit():
            sequence = int(value[:9])
        elif (name, value.upper()) == ("END", "VEVENT") and uid:
            found[uid] = max(found.get(uid, 0), sequence)
    return found


def _read(
    text: str,
    names: Mapping[str, str | None],
    timezone: str,
    start: datetime,
    end: datetime,
    newest: Mapping[str, int],
) -> Rota:
    import icalendar  # these take a while to load, which a team without a calendar does not pay
    import recurring_ical_events

    cleaned = clean(text, start.date())
    problems: dict[str, None] = dict.fromkeys(cleaned.problems)
    shifts: set[Shift] = set()
    seen = 0
    for one in cleaned.calendars:
        calendar: Any = icalendar.Calendar.from_ical(one)
        _sift(calendar, end, newest, problems)
        query = recurring_ical_events.of(calendar)
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


def _sift(calendar: Any, end: datetime, newest: Mapping[str, int], problems: dict[str, None]) -> None:
    """Takes out the events that cannot be shifts, or that an update replaced; mends what is meant otherwise."""
    work = 0
    unfit: set[int] = set()
    latest: dict[tuple[str, str], int] = {}
    for event in calendar.walk("VEVENT"):
        key = _which(event)
        latest[key] = max(latest.get(key, 0), newest.get(key[0], 0), _sequence(event))
    masters: dict[str, Any] = {}
    for event in calendar.walk("VEVENT"):
        why = _unfit(event)
        if why is None and _sequence(event) < latest[_which(event)]:
            unfit.add(id(event))
            continue
        if why is None:
            _mend(event)
            why, work = _overlong(event, end, work)
        if why:
            problems[f"{_label(event)}: left out, because {why}"] = None
            unfit.add(id(event))
        elif "RECURRENCE-ID" not in event:
            _keep_apart(event, masters, problems)
    calendar.subcomponents[:] = [part for part in calendar.subcomponents if id(part) not in unfit]
    for event in calendar.walk("VEVENT"):
        _meet_its_day(event, masters)


def _which(event: Any) -> tuple[str, str]:
    """What an update of an event has in common with it: the UID, and of an exception the day that it is about."""
    about = event.get("RECURRENCE-ID")
    return str(event.get("UID", "")), about.to_ical().decode() if about is not None else ""


def _sequence(event: Any) -> int:
    try:
        return int(event.get("SEQUENCE", 0))
    except (TypeError, ValueError):
        return 0


def _overlong(event: Any, end: datetime, work: int) -> tuple[str | None, int]:
    """(why its rules cannot be followed, the steps so far)."""
    try:
        more = sum([steps(rule, event.start, end) for rule in _rules(event)])
    except RotaError as error:
        return str(error), work
    if work + more > MAX_STEPS:
        return "its rule begins too long ago to be followed; let it begin later", work
    return None, work + more


def _mend(event: Any) -> None:
    """UNTIL as a date means the whole of that day; a DURATION is exact time, whatever the clocks do meanwhile."""
    begin = event.start
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        until = rule.get("UNTIL", [None])[0]
        if until is not None and not isinstance(until, datetime) and isinstance(begin, datetime):
            last = datetime.combine(until, time(23, 59, 59), begin.tzinfo)
            rule["UNTIL"] = [last.astimezone(UTC) if begin.tzinfo else last]
    if "DURATION" in event and "DTEND" not in event and isinstance(begin, datetime):
        event[_EXACT] = str(event.duration.total_seconds())


def _keep_apart(event: Any, masters: dict[str, Any], problems: dict[str, None]) -> None:
    """Two events of one UID that are no exceptions both count: the library would drop one."""
    uid = str(event.get("UID", ""))
    if uid not in masters:
        masters[uid] = event
        return
    problems[f"{_label(event)}: another event has its UID {uid[:60]!r}; both count"] = None
    number = 2
    while f"{uid}#{number}" in masters:
        number += 1
    event["UID"] = f"{uid}#{number}"
    masters[f"{uid}#{number}"] = event


def _meet_its_day(event: Any, masters: Mapping[str, Any]) -> None:
    """A date as RECURRENCE-ID means that day's event, also where the events have a time."""
    about, master = event.get("RECURRENCE-ID"), masters.get(str(event.get("UID", "")))
    if about is None or master is None or isinstance(about.dt, datetime):
        return
    begin = master.start
    if isinstance(begin, datetime):
        moment = datetime.combine(about.dt, begin.time(), begin.tzinfo)
        del event["RECURRENCE-ID"]
        event.add("RECURRENCE-ID", moment)


def _rules(event: Any) -> Iterator[str]:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        yield rule.to_ical().decode()


def _unfit(event: Any) -> str | None:
    """Why an event can be nobody's shift, in words."""
    if event.errors or event.get("DTSTART") is None:
        fields = ", ".join(sorted({str(name) for name, _ in event.errors})) or "DTSTART"
        return f"its {fields} cannot be read"
    if str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).strip().upper() == "OOF":
        return "it is out of office"
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
    start = _instant(event.start, timezone)
    exact = event.get(_EXACT)
    end = start + timedelta(seconds=float(exact)) if exact else _instant(event.end, timezone)
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
    found: list[str] = []
    unknown: dict[str, None] = {}
    for attendee in invited:
        if str(attendee.params.get("PARTSTAT", "")).upper() == "DECLINED":
            problems[f"{_label(event)}: {_address(attendee)} declined, so it is not their shift"] = None
            continue
        # Apple writes an address of its own and the person's into EMAIL.
        wanted = (
            str(attendee.params.get("EMAIL", "")),
            _address(attendee),
            str(attendee.params.get("CN", "")),
        )
        key = _known(wanted, names, _label(event), unknown)
        found += [key] if key else []
    if not found and unknown:  # guests who are no agents leave it to the title
        key = _known((str(event.get("SUMMARY", "")),), names, _label(event), {})
        if key:
            return [key]
        problems.update(unknown)
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
