"""What a lead typed that is valid and says something else than was meant: addresses, times, days, texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from bridge.domain.duty.closures import closed_on
from bridge.domain.duty.roster import Window
from config.model_messages import PLACEHOLDER, PLACEHOLDERS
from config.models import Config, Team
from config.problems import Path
from config.roster import holidays_of
from config.texts import LAST_RESORT, shipped

Warnings = Iterator[tuple[Path, str, str]]  # where, what, remedy
_RANGE = re.compile(r"[A-Za-z]*[0-9]+\s*(-|\.\.)\s*[A-Za-z]*[0-9]+")
_LAST_MINUTE = 24 * 60 - 1
# How alike two words are where one is the other mistyped; orders and returns are two things.
_SLIP = 0.8


def lint_rota(config: Config) -> Warnings:
    """Every such warning about a configuration, which is valid."""
    yield from _addresses(config)
    yield from _windows(config)
    yield from _zones_and_days(config)
    yield from _skills(config)
    yield from _ranges(config)
    yield from _texts(config)


def _addresses(config: Config) -> Warnings:
    named: list[tuple[Path, str]] = [
        (("agents", key, "email"), one.email) for key, one in config.agents.items()
    ]
    for key, team in config.teams.items():
        named += [(("teams", key, "leads", index), email) for index, email in enumerate(team.leads)]
    for path, email in named:
        odd = next((letter for letter in email if not letter.isascii()), None)
        if odd is not None:
            name = unicodedata.name(odd, "no known letter").lower()
            message = f"this address has a letter that may only look right: {odd!r} is {name}"
            yield path, message, "the address typed anew."


def _windows(config: Config) -> Warnings:
    places: list[tuple[Path, Iterable[Window]]] = [
        (("agents", key, "shifts"), agent.shifts) for key, agent in config.agents.items()
    ]
    places += [(("teams", key, "hours"), team.hours) for key, team in config.teams.items()]
    for path, windows in places:
        for index, window in enumerate(windows):
            if window.end == _LAST_MINUTE:
                yield (*path, index), "this ends a minute before midnight", "24:00 as the end."


def _zones_and_days(config: Config) -> Warnings:
    for key, team in config.teams.items():
        if re.fullmatch(r"Etc/GMT[+-]\d+", team.timezone):
            side = "behind" if "+" in team.timezone else "ahead of"
            message = f"{team.timezone} is {side} UTC, whatever its sign looks like, and has no summer time"
            yield ("teams", key, "timezone"), message, "the zone of a place, such as America/Chicago."
        yield from _reopened(config, key, team)


def _reopened(config: Config, key: str, team: Team) -> Warnings:
    """Weekly shifts do not count on a closed day: then nobody works in its reopened hours."""
    agents = [config.agents[name] for name in team.agents]
    if team.calendar is not None or not agents or not all(agent.shifts for agent in agents):
        return
    closures = holidays_of(team.holidays)
    for index, window in enumerate(team.holidays.open):
        if closed_on(closures, window.day):
            message = "nobody can work then: all agents have shifts, and those do not count on a closed day"
            yield (
                ("teams", key, "holidays", "open", index),
                message,
                "a calendar, or an agent without shifts.",
            )


def _skills(config: Config) -> Warnings:
    topics = {topic for route in config.routes for topic in route.when.topic or ()}
    plain = {topic for topic in topics if not re.search(r"[*?\[]", topic)}
    for key, agent in config.agents.items():
        for index, skill in enumerate(agent.skills):
            close = next(iter(get_close_matches(skill, plain, n=1, cutoff=_SLIP)), None)
            if skill not in topics and close is not None:
                message = f"no route asks for the topic {skill!r}"
                yield ("agents", key, "skills", index), message, f"{close}, if that is meant."


def _ranges(config: Config) -> Warnings:
    for number, route in enumerate(config.routes):
        for field in ("store", "topic"):
            for index, value in enumerate(getattr(route.when, field) or ()):
                if _RANGE.fullmatch(value):
                    message = f"{value!r} is compared as it stands: it is no range"
                    yield (
                        ("routes", number, "when", field, index),
                        message,
                        "a pattern, such as S[1-9] or S*.",
                    )


def _texts(config: Config) -> Warnings:
    ships = {language.lower() for language in shipped()}
    for language, texts in config.messages.items():
        given = texts.model_dump(exclude_none=True)
        for key, text in given.items():
            if re.search(r"[{}]", PLACEHOLDER.sub("", text)) or "{{" in text:
                message = "a brace in this text would be read by the customer"
                yield ("messages", language, key), message, "{name} with one brace at each side."
        base = language.lower().replace("_", "-").partition("-")[0]
        lacking = sorted(set(PLACEHOLDERS) - set(given))
        whole = base in ships or (base != language.lower() and base in map(str.lower, config.messages))
        if lacking and not whole and base != LAST_RESORT:
            message = f"in this language nobody wrote {', '.join(lacking)}: these are read in English"
            yield ("messages", language), message, "the other texts, too."
