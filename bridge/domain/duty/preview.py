"""Who would get a customer at a time, and why: the running service's decisions, with nobody busy.

Only the configuration is looked at: no conversations held, no former agent, no overrides, no presence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.duty.duty import Override, next_change
from bridge.domain.duty.roster import Ask, Roster, Team
from bridge.domain.duty.routing import Choice, choose, find_team, teams_to_try
from bridge.domain.duty.table import day_and_time, duty_table
from bridge.domain.duty.windows import local

Named = tuple[str, str]  # an agent's key, and a sentence


@dataclass(frozen=True, slots=True)
class Preview:
    """Contract section 2. `team` and `agent` are keys or None; with an agent, `team` is the one that answers.

    `status` is 'open' exactly where there is an agent, at once or in the end. `at` is in the zone of the team
    that the route names, `opens_at` too; the latter only where that team is closed and nobody answers.
    """

    at: datetime
    team: str | None
    agent: str | None
    opens_at: datetime | None
    reasons: tuple[str, ...]
    passed_over: tuple[Named, ...] = ()

    @property
    def status(self) -> str:
        """'open' or 'queued'."""
        return "queued" if self.agent is None else "open"

    def to_json(self) -> dict[str, Any]:
        """What `bridge preview --json` prints."""
        return {
            "at": self.at.isoformat(),
            "team": self.team,
            "agent": self.agent,
            "status": self.status,
            "opensAt": self.opens_at.isoformat() if self.opens_at else None,
            "reasons": list(self.reasons),
            "passedOver": [{"agent": agent, "reason": reason} for agent, reason in self.passed_over],
        }


def preview(
    roster: Roster,
    now: datetime,
    ask: Ask,
    subject: str | None = None,
    overrides: Sequence[Override] = (),
) -> Preview:
    """Who would get this customer at `now` (aware), also by overflow; with what leads said for that time.

    `subject` changes nothing but a sentence: who a customer spoke with before stands in the store.
    """
    found = find_team(roster, ask)
    if found is None:
        return Preview(now, None, None, None, ("no route matches this customer",))
    route, team = found
    here = local(now.timestamp(), team.timezone)
    reasons = [f"route {roster.routes.index(route) + 1} sends this customer to {team.key}"]
    if subject is not None and team.sticky.days > 0:
        reasons.append("a former agent would be preferred, but who that is stands in the store, not in files")
    choice = choose(team, roster, here, ask, {}, overrides)
    if choice.agent is not None:
        reasons.append(_gets(roster, choice))
        return Preview(here, team.key, choice.agent, None, tuple(reasons), choice.passed_over)
    reasons.append(choice.reason)
    return _in_the_end(roster, team, here, ask, reasons, choice, overrides)


def render_preview(preview: Preview) -> str:
    """What `bridge preview` prints for people."""
    who = f"{preview.agent} ({preview.team})" if preview.agent else "nobody: the customer is queued"
    lines = [f"{preview.at:%a %Y-%m-%d %H:%M %Z}: {who}"]
    lines += [f"  {reason}" for reason in preview.reasons]
    if preview.passed_over:
        width = max(len(agent) for agent, _ in preview.passed_over)
        lines.append("Passed over:")
        lines += [f"  {agent:<{width}}  {reason}" for agent, reason in preview.passed_over]
    return "\n".join(lines)


def _in_the_end(
    roster: Roster,
    team: Team,
    here: datetime,
    ask: Ask,
    reasons: list[str],
    first: Choice,
    overrides: Sequence[Override],
) -> Preview:
    """What comes of a customer whom nobody can take at once."""
    later, passed = _own_later(roster, team, here, ask, overrides), dict(first.passed_over)
    if later is None and team.overflow:
        later = _overflow(roster, team, here, ask, passed, overrides)
    if later is not None:
        taker, seconds, choice = later
        reasons.append(f"after {seconds:g} seconds, {taker.key} takes the customer: {_gets(roster, choice)}")
        others = tuple((key, why) for key, why in passed.items() if key != choice.agent)
        return Preview(here, taker.key, choice.agent, None, tuple(reasons), others)
    table = duty_table(roster, team, here, overrides)
    if team.overflow:
        names = ", ".join(team.overflow)
        reasons.append(
            f"nor can anyone in the overflow after {team.overflow_after_seconds:g} seconds: {names}"
        )
    if table.opens_at:
        reasons.append(f"{team.key} opens {day_and_time(table.opens_at, here)}")
    return Preview(here, team.key, None, table.opens_at, tuple(reasons), tuple(passed.items()))


def _own_later(
    roster: Roster, team: Team, here: datetime, ask: Ask, overrides: Sequence[Override]
) -> tuple[Team, float, Choice] | None:
    """Someone of the own team who comes on duty before the customer overflows."""
    alone = Roster(roster.agents, {team.key: team}, ())
    moment = here
    until = here.timestamp() + (team.overflow_after_seconds if team.overflow else 0)
    while (change := next_change(alone, moment, overrides)) is not None and change.timestamp() < until:
        moment = local(change.timestamp(), team.timezone)
        choice = choose(team, roster, moment, ask, {}, overrides)
        if choice.agent is not None:
            return team, change.timestamp() - here.timestamp(), choice
    return None


def _overflow(
    roster: Roster,
    team: Team,
    here: datetime,
    ask: Ask,
    passed: dict[str, str],
    overrides: Sequence[Override],
) -> tuple[Team, float, Choice] | None:
    """Whoever is found once the customer has waited; adds to `passed` who was not."""
    wait = team.overflow_after_seconds
    then = local(here.timestamp() + wait, team.timezone)
    for other in teams_to_try(team, wait, roster):
        choice = choose(other, roster, then, ask, {}, overrides, waited_seconds=wait)
        for key, why in choice.passed_over:
            passed.setdefault(key, why)
        if choice.agent is not None:
            return other, wait, choice
    return None


def _gets(roster: Roster, choice: Choice) -> str:
    return f"{roster.agents[choice.agent or ''].name} is {choice.reason}"
