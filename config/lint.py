"""What is valid and probably not meant: warnings about a configuration that loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

from bridge.domain.duty.roster import Window
from bridge.domain.duty.routing import speaks
from config.check_senders import SHORT_SIGNING_SECRET, weaknesses_of
from config.fields import secret_bytes
from config.lint_rota import lint_rota
from config.models import Agent, Config, Route, Team, When
from config.problems import Path

WEEK = 7 * 24 * 60
DAY = timedelta(days=1)
_NO_SUMMER_TIME = {"EST": "America/New_York", "MST": "America/Denver"}
Conditions = Sequence[Sequence[str] | None]  # what a route asks of source, store, topic and language
Warnings = Iterator[tuple[Path, str, str]]  # where, what, remedy


def lint(config: Config) -> Warnings:
    """Every warning about `config`, which is valid. Secrets that were not read are passed over."""
    yield from _agents(config)
    yield from _teams(config)
    yield from _routes(config)
    yield from _secrets(config)
    yield from lint_rota(config)


def _agents(config: Config) -> Warnings:
    placed = {name for team in config.teams.values() for name in team.agents}
    for name in config.agents:
        if name not in placed:
            yield ("agents", name), "this agent is in no team and gets nobody", f"{name} in a team's agents."


def _teams(config: Config) -> Warnings:
    reached = {route.team for route in config.routes}
    reached |= {helper for team in config.teams.values() for helper in team.overflow}
    for name, team in config.teams.items():
        path = ("teams", name)
        if team.timezone in _NO_SUMMER_TIME:
            message = f"{team.timezone} has no summer time"
            yield (*path, "timezone"), message, f"{_NO_SUMMER_TIME[team.timezone]}, if clocks change there."
        if name not in reached:
            yield path, "no route and no overflow leads to this team", "a route with team: " + name
        if not team.agents:
            yield path, "this team has no agents: its customers wait for ever", "agents: [...]"
        elif team.calendar is None and not any(_works(config, team, agent) for agent in team.agents):
            message = "nobody ever covers this team: no shift of its agents is inside its hours"
            yield (*path, "hours"), message, "hours and shifts that meet; both are in the team's zone."
        else:
            yield from _never(config, path, team)
        yield from _minimums(config, path, team)


def _minimums(config: Config, path: Path, team: Team) -> Warnings:
    """What a team asks for and its agents can never give."""
    for index, asked in enumerate(team.coverage):
        agents = [config.agents[name] for name in dict.fromkeys(team.agents)]
        suited = [
            agent
            for agent in agents
            if (asked.topic is None or _takes_topic(agent, asked.topic))
            and (asked.language is None or _takes_language(agent, asked.language))
        ]
        if agents and len(suited) < asked.at_least:
            message = f"only {len(suited)} of its agents can ever count for this, and {asked.at_least} are asked for"
            yield (*path, "coverage", index), message, "fewer, or more agents, skills or languages."


def _never(config: Config, path: Path, team: Team) -> Warnings:
    """Agents who never work there, where others do."""
    for index, agent in enumerate(team.agents if team.calendar is None else ()):
        if not _works(config, team, agent):
            message = f"the shifts of {agent} never meet the hours of this team"
            yield (
                (*path, "agents", index),
                message,
                "shifts inside of the hours; both are in the team's zone.",
            )


def _works(config: Config, team: Team, agent: str) -> bool:
    """Whether some minute of the week is in the team's hours and in the agent's shifts."""
    return not team.hours or not (shifts := config.agents[agent].shifts) or overlap(team.hours, shifts)


def overlap(first: Iterable[Window], second: Iterable[Window]) -> bool:
    """Whether any of the windows may share a minute."""
    others = list(second)
    return any(_meet(one, other) for one in first for other in others)


def _meet(one: Window, other: Window) -> bool:
    """Whether two windows share a minute in a week in which both may count; weeks between are not looked at."""
    if one.last and other.first and one.last + DAY < other.first:
        return False
    if other.last and one.first and other.last + DAY < one.first:
        return False
    return any(a < d and c < b for a, b in _spans(one) for c, d in _spans(other))


def _spans(window: Window) -> Iterator[tuple[int, int]]:
    # What runs from Sunday into Monday is also in the week's beginning, hence each span twice.
    for day in window.days:
        start, end = day * 1440 + window.start, day * 1440 + window.end
        yield start, end
        yield start - WEEK, end - WEEK


def _routes(config: Config) -> Warnings:
    conditions = [_conditions(route.when) for route in config.routes]
    for index, route in enumerate(config.routes):
        path: Path = ("routes", index)
        earlier = next((n for n in range(index) if _covers(conditions[n], conditions[index])), None)
        if earlier is not None:
            message = f"this route can never match: routes[{earlier}] takes everything that it would"
            yield path, message, "it above that one, or leave it out."
        yield from _unserved(config, path, route)
    if not any(all(asked is None for asked in condition) for condition in conditions):
        last = ("routes", len(config.routes) - 1)
        message = "a customer whom no route matches reaches nobody, since every route has a condition"
        yield last, message, "a last route without when."


def _conditions(when: When) -> Conditions:
    # Routing compares languages without regard to case, as language tags are.
    language = tuple(item.lower() for item in when.language) if when.language is not None else None
    return (when.source, when.store, when.topic, language)


def _covers(earlier: Conditions, later: Conditions) -> bool:
    """Whether `earlier` matches whatever `later` does; never True in doubt."""
    pairs = zip(earlier, later, strict=True)
    return all(wide is None or (narrow is not None and _within(narrow, wide)) for wide, narrow in pairs)


def _within(narrow: Sequence[str], wide: Sequence[str]) -> bool:
    return all(
        any(item == glob or glob == "*" or _literal_in(item, glob) for glob in wide) for item in narrow
    )


def _literal_in(item: str, glob: str) -> bool:
    return _is_glob(glob) and not _is_glob(item) and fnmatchcase(item, glob)


def _is_glob(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


def _unserved(config: Config, path: Path, route: Route) -> Warnings:
    """A route that asks for a topic or language which nobody in its team or its overflow takes."""
    teams = [route.team, *config.teams[route.team].overflow]
    agents = [config.agents[name] for team in teams for name in config.teams[team].agents]
    for field, takes in (("topic", _takes_topic), ("language", _takes_language)):
        for index, wish in enumerate(getattr(route.when, field) or ()):
            if agents and not _is_glob(wish) and not any(takes(agent, wish) for agent in agents):
                message = f"nobody in {route.team} takes the {field} {wish!r}"
                yield (*path, "when", field, index), message, "it among an agent's skills or languages."


def _takes_topic(agent: Agent, topic: str) -> bool:
    return not agent.skills or topic in agent.skills


def _takes_language(agent: Agent, language: str) -> bool:
    return not agent.languages or speaks(agent.languages, language)


def _secrets(config: Config) -> Warnings:
    for name, source in config.sources.items():
        for place, message, remedy in weaknesses_of(source):
            yield ("sources", name, "auth", *place), message, remedy
        for secret in source.callback.every_secret if source.callback else ():
            value = secret.get_secret_value()
            if value and len(secret_bytes(value)) < SHORT_SIGNING_SECRET:
                least = f"{SHORT_SIGNING_SECRET} bytes"
                message = f"the secret is shorter than {least} and easier to guess than it should be"
                yield ("sources", name, "callback", "secret"), message, "a longer one."
