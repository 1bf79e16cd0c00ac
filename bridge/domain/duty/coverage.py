"""The hours in which a team is open and fewer are on duty than it asks for: nobody, where it asks for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from operator import itemgetter

from bridge.domain.duty.duty import Override, team_duty, window_spans
from bridge.domain.duty.roster import Minimum, Roster, Team
from bridge.domain.duty.routing import takes
from bridge.domain.duty.windows import Spans, intersect, local, resolve, subtract, union
from bridge.domain.errors import BridgeError

MAX_DAYS = 3_660


class CoverageError(BridgeError):
    """Dates or a team that cannot be asked about, in words for the person who gave them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One stretch, half-open, in the team's local time (aware). `missing`: "2 agents", "language es".

    It is None for a team that asks for nothing: somebody is missing, whoever it is.
    """

    team: str
    start: datetime
    end: datetime
    missing: str | None = None

    def to_json(self) -> dict[str, str]:
        """Contract sections 2 and 12: local times, minutes, no offset."""
        found = {"team": self.team, "from": _minutes(self.start), "to": _minutes(self.end)}
        return found if self.missing is None else {**found, "missing": self.missing}


def gaps(
    roster: Roster,
    from_date: date,
    to_date: date,
    team: str | None = None,
    overrides: Sequence[Override] = (),
) -> list[Gap]:
    """Every gap between two dates, both included in full, of one team or of all, in configuration order.

    Of a team they are in the order of time, then of what the team asks for. Raises CoverageError for an unknown
    team, dates the wrong way round, or more than ten years.
    """
    if team is not None and team not in roster.teams:
        raise CoverageError(f"there is no team {team!r}; teams: {', '.join(roster.teams)}")
    if to_date < from_date:
        raise CoverageError(f"{to_date} is before {from_date}")
    if (to_date - from_date).days > MAX_DAYS:
        raise CoverageError("at most ten years at once")
    if from_date.year < 1970 or to_date.year > 2900:
        raise CoverageError("dates from 1970 to 2900")
    teams = roster.teams.values() if team is None else [roster.teams[team]]
    return [gap for one in teams for gap in _gaps(roster, one, from_date, to_date, overrides)]


def coverage_json(found: Sequence[Gap]) -> dict[str, list[dict[str, str]]]:
    """What `bridge coverage --json` prints."""
    return {"gaps": [gap.to_json() for gap in found]}


def render_coverage(found: Sequence[Gap], from_date: date, to_date: date) -> str:
    """What `bridge coverage` prints for people."""
    if not found:
        return f"From {from_date} to {to_date} somebody is on duty whenever a team is open, and all who are asked for."
    width = max(len(gap.team) for gap in found)
    lines = [f"{gap.team:<{width}}  {describe(gap)}" for gap in found]
    asked = any(gap.missing for gap in found)
    head = "Open, and fewer on duty than are asked for:" if asked else "Open, and nobody on duty:"
    return "\n".join([head, *lines])


def describe(gap: Gap) -> str:
    """A gap without its team, for people: "Sun 2026-11-29 17:00 - 18:00  (1 h)  2 agents"."""
    return f"{_from(gap)} - {_to(gap)}  ({_length(gap)})" + (f"  {gap.missing}" if gap.missing else "")


def _gaps(
    roster: Roster, team: Team, from_date: date, to_date: date, overrides: Sequence[Override]
) -> list[Gap]:
    start = resolve(datetime.combine(from_date, time()), team.timezone)
    end = resolve(datetime.combine(to_date + timedelta(days=1), time()), team.timezone)
    duty = team_duty(roster, team, start, end, overrides)
    found: list[tuple[int, int, str | None]] = []
    for minimum in _asked_of(team):
        wanted = (
            intersect(window_spans(team, minimum.during, start, end), duty.open)
            if minimum.during
            else duty.open
        )
        who = [
            spans
            for key, spans in duty.agents.items()
            if takes(roster.agents[key], minimum.topic, minimum.language)
        ]
        missing = _name(minimum) if team.minimums else None
        found += [(a, b, missing) for a, b in subtract(wanted, _at_once(who, minimum.at_least))]
    return [
        Gap(team.key, local(a, team.timezone), local(b, team.timezone), missing)
        for a, b, missing in sorted(found, key=itemgetter(0))
    ]


def _asked_of(team: Team) -> tuple[Minimum, ...]:
    """What a team asks for: that somebody is on duty at all goes without saying."""
    said = any(one.language is None and one.topic is None and not one.during for one in team.minimums)
    return team.minimums if said else (Minimum(), *team.minimums)


def _name(minimum: Minimum) -> str:
    """What is missing where a minimum is not kept."""
    asked = [f"language {minimum.language}"] if minimum.language else []
    asked += [f"topic {minimum.topic}"] if minimum.topic else []
    if minimum.at_least > 1 or not asked:
        asked.insert(0, f"{minimum.at_least} agent{'s' * (minimum.at_least > 1)}")
    return ", ".join(asked)


def _at_once(spans: Sequence[Spans], number: int) -> Spans:
    """When at least so many of the agents, each with their own spans, are on duty together."""
    if number == 1:
        return union(chain.from_iterable(spans))
    changes = sorted([(a, 1) for one in spans for a, _ in one] + [(b, -1) for one in spans for _, b in one])
    found: Spans = []
    present, since = 0, 0
    for moment, change in changes:
        before, present = present, present + change
        if before < number <= present:
            since = moment
        elif present < number <= before and moment > since:
            found.append((since, moment))
    return union(found)


def _minutes(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


def _from(gap: Gap) -> str:
    return f"{gap.start:%a %Y-%m-%d %H:%M}"


def _to(gap: Gap) -> str:
    return f"{gap.end:%H:%M}" if gap.start.date() == gap.end.date() else f"{gap.end:%a %Y-%m-%d %H:%M}"


def _length(gap: Gap) -> str:
    """How long it lasts in fact, also over a changed clock."""
    minutes = round((gap.end.timestamp() - gap.start.timestamp()) / 60)
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))
