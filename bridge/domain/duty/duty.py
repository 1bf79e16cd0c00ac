"""Who is on duty when: teams' hours, agents' shifts, holidays, calendars and temporary overrides.

The rules, beside contract section 4 (docs/leads.md tells them to team leads):

* A team's hours and an agent's weekly shifts belong to the day on which they start. A closed day (a public
  holiday, a dated closure) takes away what starts on it, to its end past midnight; what started on the eve
  runs to its end. A team without hours is open from midnight to midnight of every day that is not closed.
* A dated opening reopens its own hours of a closed day and adds to an ordinary one. Weekly shifts do not
  count on a closed day, so a reopened one is worked by agents without shifts, and by those whom the calendar
  names: a calendar's shift is written for its date, so it counts within that day's openings.
* A team with a calendar goes by the calendar alone: an agent without an event in it is not on duty there.
* An override never opens a team. 'off' beats everything; 'cover' moves the covered agent's own shifts in this
  team (not those they cover for others) to the covering one; 'on' adds the team's open hours.

Everything is computed as spans of instants (see `windows`), so each question has the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Literal

from bridge.domain.duty.closures import closed_days
from bridge.domain.duty.roster import DatedWindow, Roster, Shift, Team, Window
from bridge.domain.duty.windows import (
    DAY,
    Span,
    Spans,
    boundary_after,
    day_number,
    day_of,
    epoch,
    instants,
    intersect,
    local,
    span_at,
    subtract,
    union,
    weekday,
)

SEARCH_DAYS = 400  # how far ahead the next opening or change is looked for
_LOOK_AHEAD = (2, 16, SEARCH_DAYS)  # days; most answers are near


@dataclass(frozen=True, slots=True)
class Override:
    """What a lead said for a while, [start, end), aware datetimes; counts for nothing outside them.

    'off': `agent` is not on duty. 'on': on duty while the team is open, whatever the shifts say.
    'cover': `agent` has the shifts of `for_agent`, who is off meanwhile. `team` None: in every team; an agent
    who is not of the team can be put 'on' only where the team is named, and can cover in any.
    """

    agent: str
    kind: Literal["off", "on", "cover"]
    start: datetime
    end: datetime
    for_agent: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class TeamDuty:
    """When, within a range, a team is open and each agent is on duty there; agents in configuration order."""

    open: Spans
    agents: dict[str, Spans]


def is_open(team: Team, now: datetime) -> bool:
    """Whether the team is open at this instant."""
    second = floor(epoch(now))
    return bool(open_spans(team, second, second + 1))


def on_duty(
    roster: Roster, team: Team, agent: str, now: datetime, overrides: Sequence[Override] = ()
) -> bool:
    """Whether this agent is on duty in this team at this instant."""
    second = floor(epoch(now))
    return bool(team_duty(roster, team, second, second + 1, overrides).agents.get(agent))


def closes_at(team: Team, now: datetime) -> datetime | None:
    """When the team, open now, closes; None when it is closed, or stays open for SEARCH_DAYS."""
    second = floor(epoch(now))

    def look(end: int) -> int | None:
        span = span_at(open_spans(team, second, end), second)
        return span[1] if span and span[1] < end else None

    return _search(look, second, team.timezone) if is_open(team, now) else None


def opens_at(team: Team, now: datetime) -> datetime | None:
    """The next instant at which the team, closed before, opens; None when there is none in SEARCH_DAYS."""
    second = floor(epoch(now))

    def look(end: int) -> int | None:
        return next((start for start, _ in open_spans(team, second, end) if start > second), None)

    return _search(look, second, team.timezone)


def next_change(roster: Roster, now: datetime, overrides: Sequence[Override] = ()) -> datetime | None:
    """The next instant (UTC) at which a team opens or closes or an agent's duty begins or ends.

    None when nothing changes in SEARCH_DAYS. Calendars count as far as they were read.
    """
    second = floor(epoch(now))

    def look(end: int) -> int | None:
        duties = [team_duty(roster, team, second, end, overrides) for team in roster.teams.values()]
        return min(filter(None, (first_change(duty, second, end) for duty in duties)), default=None)

    return _search(look, second, "UTC")


def first_change(duty: TeamDuty, second: float, end: int) -> int | None:
    """The first instant in (second, end) at which anything of this duty changes."""
    every = (duty.open, *duty.agents.values())
    return min(filter(None, (boundary_after(spans, second, end) for spans in every)), default=None)


def team_duty(
    roster: Roster, team: Team, start: int, end: int, overrides: Sequence[Override] = ()
) -> TeamDuty:
    """The duty of a team within [start, end), epoch seconds."""
    team_open = open_spans(team, start, end)
    own = _own_duty(roster, team, team_open, start, end)
    said = [o for o in overrides if o.team in (None, team.key) and o.agent in roster.agents]
    if not said:
        return TeamDuty(team_open, {key: own[key] for key in team.agents if key in own})
    members = _candidates(roster, team, said)
    return TeamDuty(team_open, {key: _overridden(key, own, team_open, said) for key in members})


def open_spans(team: Team, start: int, end: int) -> Spans:
    """When the team is open within [start, end), epoch seconds."""
    days = _days_around(start, end)
    weekly = _weekly(team.hours, days, _closed(team, days)) if team.hours else _every_day(team, days)
    dated = [_dated(window) for window in team.holidays.open]
    return instants(union([*weekly, *dated]), team.timezone, start, end)


def window_spans(team: Team, windows: Iterable[Window], start: int, end: int) -> Spans:
    """When any of these windows holds within [start, end), epoch seconds, on closed days too."""
    weekly = _weekly(windows, _days_around(start, end), frozenset())
    return instants(union(weekly), team.timezone, start, end)


def _own_duty(roster: Roster, team: Team, team_open: Spans, start: int, end: int) -> dict[str, Spans]:
    """Each agent's duty before overrides."""
    keys = [key for key in dict.fromkeys(team.agents) if key in roster.agents]
    if team.shifts is not None:
        return _by_calendar(team, team.shifts, keys, team_open, start, end)
    days = _days_around(start, end)
    closed = _closed(team, days)
    duty = {}
    for key in keys:
        shifts = roster.agents[key].shifts
        walls = union(_weekly(shifts, days, closed))
        mine = instants(walls, team.timezone, start, end) if shifts else team_open
        duty[key] = intersect(mine, team_open) if shifts else team_open
    return duty


def _by_calendar(
    team: Team, shifts: Iterable[Shift], keys: Sequence[str], team_open: Spans, start: int, end: int
) -> dict[str, Spans]:
    first, last = local(start, "UTC"), local(end, "UTC")
    found: dict[str, Spans] = {key: [] for key in keys}
    for shift in shifts:
        if shift.agent in found and shift.start < last and shift.end > first:
            found[shift.agent] += _counted(team, shift)
    return {key: intersect(union(spans), team_open) for key, spans in found.items()}


def _counted(team: Team, shift: Shift) -> Spans:
    """What counts of a calendar's shift: all of it, or the openings of the closed day on which it starts."""
    span = (floor(epoch(shift.start)), floor(epoch(shift.end)))
    day = local(span[0], team.timezone).date()
    if day_number(day) not in closed_days(team.holidays, day.year):
        return [span]
    reopened = union(_dated(window) for window in team.holidays.open if window.day == day)
    return instants(reopened, team.timezone, *span)


def _candidates(roster: Roster, team: Team, said: Sequence[Override]) -> list[str]:
    """Whoever may have duty in the team: its agents, then guests by override, in configuration order."""
    invited = {
        o.agent
        for o in said
        if (o.kind == "cover" and o.for_agent in team.agents) or (o.kind == "on" and o.team == team.key)
    }
    members = [key for key in dict.fromkeys(team.agents) if key in roster.agents]
    return members + [key for key in roster.agents if key in invited and key not in members]


def _overridden(key: str, own: dict[str, Spans], team_open: Spans, said: Sequence[Override]) -> Spans:
    moved = [o for o in said if o.kind == "cover" and o.agent != o.for_agent]
    spans = subtract(own.get(key, []), union(span_of(o) for o in moved if o.for_agent == key))
    for o in moved:
        if o.agent == key and o.for_agent in own:
            spans = union([*spans, *intersect(own[o.for_agent], union([span_of(o)]))])
    called = union(span_of(o) for o in said if o.kind == "on" and o.agent == key)
    away = union(span_of(o) for o in said if o.kind == "off" and o.agent == key)
    return subtract(union([*spans, *intersect(called, team_open)]), away)


def span_of(override: Override) -> Span:
    """The seconds for which an override holds."""
    return floor(epoch(override.start)), floor(epoch(override.end))


def _days_around(start: int, end: int) -> range:
    """Day numbers whose windows may reach into [start, end) in any zone: a window is at most a day long."""
    return range(start // DAY - 2, end // DAY + 2)


def _closed(team: Team, days: range) -> frozenset[int]:
    years = range(day_of(days[0]).year, day_of(days[-1]).year + 1)
    return frozenset().union(*(closed_days(team.holidays, year) for year in years))


def _weekly(windows: Iterable[Window], days: range, closed: frozenset[int]) -> list[Span]:
    stretches: list[list[Window]] = [[] for _ in range(7)]
    for window in windows:
        for day in window.days:
            stretches[day].append(window)
    return [
        (day * DAY + window.start * 60, day * DAY + window.end * 60)
        for day in days
        if day not in closed
        for window in stretches[weekday(day)]
        if _counts(window, day)
    ]


def _counts(window: Window, day: int) -> bool:
    """Whether a window counts on this day, which is one of its days of the week."""
    if window.last is not None and day > day_number(window.last):
        return False
    if window.first is None:
        return True
    first = day_number(window.first)
    monday = first - weekday(first)
    return day >= first and (day - monday) // 7 % window.every == 0


def _every_day(team: Team, days: range) -> list[Span]:
    closed = _closed(team, days)
    return [(day * DAY, (day + 1) * DAY) for day in days if day not in closed]


def _dated(window: DatedWindow) -> Span:
    midnight = day_number(window.day) * DAY
    return midnight + window.start * 60, midnight + window.end * 60


def _search(look: Callable[[int], int | None], second: int, timezone: str) -> datetime | None:
    """What `look` finds before an end that is moved further away until it finds something."""
    for days in _LOOK_AHEAD:
        found = look(second + days * DAY)
        if found is not None:
            return local(found, timezone)
    return None
