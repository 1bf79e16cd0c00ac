"""Who is on duty in a team right now, as a value that stays true until an instant.

Choosing an agent is asked thousands of times a second, duty changes a few times a day: whoever chooses keeps
the table and makes a new one at `valid_until`, or when the roster or the overrides change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import floor

from bridge.domain.duty.closures import closed_on
from bridge.domain.duty.duty import Override, TeamDuty, first_change, opens_at, span_of, team_duty
from bridge.domain.duty.roster import Roster, Team
from bridge.domain.duty.windows import DAY, boundary_after, epoch, local, resolve, span_at

_AHEAD = 8 * DAY  # how far ahead an absent agent's next duty is looked for, to name it


@dataclass(frozen=True, slots=True)
class DutyTable:
    """The duty of `team` from the moment asked about until `valid_until`, not included.

    `members`: the keys of all who may have duty here, in configuration order. `on_duty`: those who have;
    `off`: a sentence for each of the others, who can then be named as passed over. `opens_at` is None while
    the team is open or when it never opens; times are the team's local ones. `reason`: why the team is
    closed, empty while it is open.
    """

    team: str
    members: tuple[str, ...]
    on_duty: tuple[str, ...]
    off: dict[str, str]
    open: bool
    opens_at: datetime | None
    valid_until: datetime
    reason: str = ""


def duty_table(roster: Roster, team: Team, now: datetime, overrides: Sequence[Override] = ()) -> DutyTable:
    """Who is on duty in this team at `now`, and why the others are not."""
    second = floor(epoch(now))
    duty = team_duty(roster, team, second, second + _AHEAD, overrides)
    on = tuple(key for key, spans in duty.agents.items() if span_at(spans, second))
    is_open = span_at(duty.open, second) is not None
    closed = "" if is_open else _why_closed(team, second)
    off = {key: closed or _why_off(roster, team, duty, key, second, overrides) for key in duty.agents}
    return DutyTable(
        team=team.key,
        members=tuple(duty.agents),
        on_duty=on,
        off={key: reason for key, reason in off.items() if key not in on},
        open=is_open,
        opens_at=None if is_open else opens_at(team, now),
        valid_until=_valid_until(team, duty, second, overrides),
        reason=closed,
    )


def day_and_time(moment: datetime, now: datetime) -> str:
    """A local time as people say it: '14:00' for today, else with its day; both aware, in one zone."""
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment:%a} {moment.day} {moment:%b %H:%M}"


def _valid_until(team: Team, duty: TeamDuty, second: int, overrides: Sequence[Override]) -> datetime:
    """Not past the local midnight: what the sentences say of days is true for one day."""
    today = local(second, team.timezone).date()
    midnight = resolve(datetime.combine(today + timedelta(days=1), time()), team.timezone)
    edges = [edge for override in overrides for edge in span_of(override) if edge > second]
    if midnight <= second:  # a midnight that came twice, and this is the hour between
        midnight = second + DAY // 24
    change = first_change(duty, second, second + _AHEAD)
    return local(min([midnight, *edges, *([change] if change else [])]), team.timezone)


def _why_closed(team: Team, second: int) -> str:
    holiday = closed_on(team.holidays, local(second, team.timezone).date())
    return f"{team.key} is closed ({holiday})" if holiday else f"{team.key} is closed at this time"


def _why_off(
    roster: Roster, team: Team, duty: TeamDuty, key: str, second: int, overrides: Sequence[Override]
) -> str:
    now = local(second, team.timezone)
    said = _why_overridden(roster, team, key, second, overrides)
    if said:
        return said
    following = boundary_after(duty.agents[key], second, second + _AHEAD)
    if following is None:
        return "off duty, with no shift in the next week"
    holiday = closed_on(team.holidays, now.date())
    why = f"weekly shifts do not count today ({holiday}); next" if holiday else "off duty until"
    return f"{why} {day_and_time(local(following, team.timezone), now)}"


def _why_overridden(
    roster: Roster, team: Team, key: str, second: int, overrides: Sequence[Override]
) -> str | None:
    """What a lead's word says of an agent who is not on duty, if one holds now."""
    now = local(second, team.timezone)
    for override in overrides:
        start, end = span_of(override)
        if not start <= second < end or override.team not in (None, team.key):
            continue
        until = day_and_time(local(end, team.timezone), now)
        if override.kind == "off" and override.agent == key:
            return f"switched off until {until}"
        if override.kind == "cover" and override.for_agent == key and override.agent in roster.agents:
            return f"covered by {roster.agents[override.agent].name} until {until}"
    return None
