"""The teams' calendar files, read into the roster."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bridge.domain.duty.roster import Roster, Shift, Team
from bridge.domain.duty.rota import RotaError, newest_of, read_shifts

_PAST, _AHEAD = timedelta(days=8), timedelta(days=400)


def with_calendars(roster: Roster, now: datetime) -> tuple[Roster, list[str]]:
    """The roster with its calendars' shifts as a running service needs them; and what in them names nobody."""
    return with_shifts(roster, now - _PAST, now + _AHEAD)


def with_shifts(roster: Roster, start: datetime, end: datetime) -> tuple[Roster, list[str]]:
    """The same with the shifts that reach into [start, end). Raises RotaError for a calendar of no use."""
    teams: dict[str, Team] = {}
    problems: list[str] = []
    for key, team in roster.teams.items():
        teams[key] = team
        if team.calendar:
            shifts, found = _shifts(roster, team, start, end)
            teams[key] = replace(team, shifts=shifts)
            problems += found
    return replace(roster, teams=teams), problems


def _shifts(
    roster: Roster, team: Team, start: datetime, end: datetime
) -> tuple[tuple[Shift, ...], list[str]]:
    members = {key: roster.agents[key] for key in team.agents}
    path = Path(team.calendar or "")
    files = sorted(one for one in path.iterdir() if one.suffix.lower() == ".ics") if path.is_dir() else [path]
    shifts: list[Shift] = []
    problems: list[str] = []
    texts = {file: _text(file) for file in files}
    newest: Counter[str] = Counter()
    for text in texts.values():
        newest |= Counter(newest_of(text))
    for file, text in texts.items():
        try:
            rota = read_shifts(text, members, team.timezone, start, end, newest)
        except RotaError as error:
            raise RotaError(f"{file}: {error}") from error
        shifts += rota.shifts
        problems += [f"{file}: {problem}" for problem in rota.problems]
    return tuple(sorted(shifts, key=lambda shift: shift.start)), problems


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RotaError(f"{file} cannot be read: {_reason(error)}") from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is not text in UTF-8"
