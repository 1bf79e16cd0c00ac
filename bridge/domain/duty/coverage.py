"""The hours in which a team is open and nobody is on duty. Overrides are not looked at: they are for now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain

from bridge.domain.duty.duty import team_duty
from bridge.domain.duty.roster import Roster, Team
from bridge.domain.duty.windows import local, resolve, subtract, union
from bridge.domain.errors import BridgeError

MAX_DAYS = 3_660


class CoverageError(BridgeError):
    """Dates or a team that cannot be asked about, in words for the person who gave them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One stretch, half-open, in the team's local time (aware)."""

    team: str
    start: datetime
    end: datetime

    def to_json(self) -> dict[str, str]:
        """Contract section 2: local times, minutes, no offset."""
        return {"team": self.team, "from": _minutes(self.start), "to": _minutes(self.end)}


def gaps(roster: Roster, from_date: date, to_date: date, team: str | None = None) -> list[Gap]:
    """Every gap between two dates, both included in full, of one team or of all, in configuration order.

    Raises CoverageError for an unknown team, dates the wrong way round, or more than ten years.
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
    return [gap for one in teams for gap in _gaps(roster, one, from_date, to_date)]


def coverage_json(found: Sequence[Gap]) -> dict[str, list[dict[str, str]]]:
    """What `bridge coverage --json` prints."""
    return {"gaps": [gap.to_json() for gap in found]}


def render_coverage(found: Sequence[Gap], from_date: date, to_date: date) -> str:
    """What `bridge coverage` prints for people."""
    if not found:
        return f"From {from_date} to {to_date} somebody is on duty whenever a team is open."
    width = max(len(gap.team) for gap in found)
    lines = [f"{gap.team:<{width}}  {_from(gap)} - {_to(gap)}  ({_length(gap)})" for gap in found]
    return "\n".join(["Open, and nobody on duty:", *lines])


def _gaps(roster: Roster, team: Team, from_date: date, to_date: date) -> list[Gap]:
    start = resolve(datetime.combine(from_date, time()), team.timezone)
    end = resolve(datetime.combine(to_date + timedelta(days=1), time()), team.timezone)
    duty = team_duty(roster, team, start, end)
    empty = subtract(duty.open, union(chain.from_iterable(duty.agents.values())))
    return [Gap(team.key, local(a, team.timezone), local(b, team.timezone)) for a, b in empty]


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
