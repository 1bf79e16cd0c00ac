"""What leads are told on Thursday of the next week's rota: where it has fewer people than their team asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from bridge.domain.duty.coverage import describe, gaps
from bridge.domain.duty.duty import Override
from bridge.domain.duty.roster import Roster, Team
from bridge.domain.duty.windows import local

_THURSDAY, _HOUR = 3, time(8)
# A note is read on a phone.
_MOST = 12


def week_due(team: Team, now: float) -> date | None:
    """The Monday of the week that the leads are to hear of: from Thursday 08:00 on the next one, else None."""
    here = local(int(now), team.timezone)
    due = datetime.combine(here.date() - timedelta(days=here.weekday() - _THURSDAY), _HOUR)
    return due.date() + timedelta(days=4) if here.replace(tzinfo=None) >= due else None


def week_note(roster: Roster, team: Team, monday: date, overrides: Sequence[Override] = ()) -> str:
    """The note about one team's week from that Monday on, with what was said ahead; empty where nobody is missing."""
    found = gaps(roster, monday, monday + timedelta(days=6), team.key, overrides)
    if not found:
        return ""
    lines = [
        f"Next week in {team.key} some hours lack people:",
        *(f"- {describe(gap)}" for gap in found[:_MOST]),
    ]
    if len(found) > _MOST:
        lines.append(f"- and {len(found) - _MOST} more")
    return "\n".join(lines)
