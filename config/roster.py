"""From the configuration's models to the plain values that decisions are made with."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

from bridge.domain.duty import roster as domain
from config.models import Agent, Config, Holidays, Route, Team


def to_roster(config: Config, base: Path) -> domain.Roster:
    """The roster of a valid configuration. Calendars become absolute paths below `base` and stay unread."""
    return domain.Roster(
        agents={key: _agent(key, agent) for key, agent in config.agents.items()},
        teams={key: _team(key, team, base) for key, team in config.teams.items()},
        routes=tuple(_route(route) for route in config.routes),
    )


def name_from_email(email: str) -> str:
    """What an agent without a name is called: `amy.chen+desk@example.com` is Amy Chen."""
    local = email.partition("@")[0].partition("+")[0]
    return " ".join(word.capitalize() for word in re.split(r"[._-]+", local) if word) or email


def _agent(key: str, agent: Agent) -> domain.Agent:
    return domain.Agent(
        key=key,
        email=agent.email,
        name=agent.name or name_from_email(agent.email),
        skills=frozenset(agent.skills),
        languages=frozenset(agent.languages),
        capacity=agent.capacity,
        shifts=agent.shifts,
    )


def _team(key: str, team: Team, base: Path) -> domain.Team:
    sticky = team.sticky
    return domain.Team(
        key=key,
        timezone=team.timezone,
        agents=team.agents,
        hours=team.hours,
        holidays=holidays_of(team.holidays),
        leads=team.leads,
        pick=domain.Pick(team.pick),
        sticky=domain.Sticky(sticky.days, sticky.wait_seconds) if sticky else domain.Sticky(),
        answer_within_seconds=team.answer_within_seconds,
        overflow=team.overflow,
        overflow_after_seconds=team.overflow_after_seconds,
        alert_after_seconds=team.alert_after_seconds,
        minimums=tuple(
            domain.Minimum(one.at_least, one.language, one.topic, one.during) for one in team.coverage
        ),
        calendar=str((base / team.calendar).absolute()) if team.calendar is not None else None,
    )


def _route(route: Route) -> domain.Route:
    when = route.when
    return domain.Route(route.team, when.source, when.store, when.topic, when.language)


def holidays_of(holidays: Holidays) -> domain.Holidays:
    """The days on which a team is closed, for the decisions."""
    return domain.Holidays(
        country=holidays.country,
        subdivision=holidays.subdivision,
        closed=frozenset(chain.from_iterable(holidays.closed)),
        open=holidays.open,
    )
