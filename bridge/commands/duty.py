"""`bridge preview` and `bridge coverage`: a rota tried out before it is live. Only files are read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.commands.common import (
    ConfigFile,
    complain,
    config_path,
    environment,
    loaded_of,
    misused,
    say,
    unknown,
)

if TYPE_CHECKING:
    from bridge.domain.duty.roster import Roster
    from config.load import Loaded
    from config.models import Config

_AROUND = timedelta(days=10)  # shifts nearer than this may be named in a preview's reasons
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def preview(
    at: Annotated[
        str,
        typer.Option(
            help="Local time of the team, e.g. 2026-11-28T18:30, or with an offset.", metavar="TIME"
        ),
    ],
    source: Annotated[str | None, typer.Option(help="The source the customer comes from.")] = None,
    store: Annotated[str | None, typer.Option(help="The customer's store.")] = None,
    topic: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    language: Annotated[str | None, typer.Option(help="The customer's language, e.g. es.")] = None,
    subject: Annotated[str | None, typer.Option(help="The customer's id at the source.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Say who would get a customer at a time, and why.

    Who was passed over is named too, with the reason. Exits 1 when nobody would take the customer. Only
    files are read: how busy agents are and whom a customer spoke with before is not looked at.

    \b
    bridge preview --at 2026-11-28T18:30 --store S12 --topic returns
    bridge preview --at 2026-11-28T18:30-06:00 --json
    """
    from bridge.domain.duty.localtime import LocalTimeError, resolve_local
    from bridge.domain.duty.preview import preview, render_preview
    from bridge.domain.duty.roster import Ask
    from bridge.domain.duty.routing import find_team

    loaded = _loaded(config)
    ask = Ask(_source(loaded.config, source), store, topic, language)
    found = find_team(loaded.roster, ask)
    try:
        moment = resolve_local(at, found[1].timezone if found else "UTC")
    except LocalTimeError as error:
        misused(f"--at: {error}")
    except OverflowError:
        misused(f"--at: {at} is too far away")
    answer = preview(_with_shifts(loaded.roster, moment - _AROUND, moment + _AROUND), moment, ask, subject)
    _show(answer.to_json() if as_json else render_preview(answer))
    raise typer.Exit(0 if answer.agent else 1)


def coverage(
    from_date: Annotated[str, typer.Option("--from", help="First date, e.g. 2026-11-23.", metavar="DATE")],
    to_date: Annotated[str, typer.Option("--to", help="Last date, included.", metavar="DATE")],
    team: Annotated[str | None, typer.Option(help="Only this team; else all of them.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the open hours in which nobody is on duty.

    Each team is looked at for itself, in its own time. Closed hours and holidays are no gap. Exits 1 when
    there is a gap.

    \b
    bridge coverage --from 2026-11-23 --to 2026-12-06
    bridge coverage --from 2026-12-24 --to 2026-12-26 --team front-desk --json
    """
    from bridge.domain.duty.coverage import MAX_DAYS, CoverageError, coverage_json, gaps, render_coverage
    from bridge.domain.duty.roster import Roster

    first, last = _date("--from", from_date), _date("--to", to_date)
    if last < first:
        misused(f"--to: {last} is before {first}")
    if (last - first).days > MAX_DAYS:
        misused("--to: at most ten years at once")
    roster = _loaded(config).roster
    if team is not None:
        if team not in roster.teams:
            misused(f"--team: {unknown('team', team, roster.teams)}")
        roster = Roster(roster.agents, {team: roster.teams[team]}, ())
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - _AROUND
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + _AROUND
    try:
        found = gaps(_with_shifts(roster, start, end), first, last, team)
    except CoverageError as error:
        misused(str(error))
    _show(coverage_json(found) if as_json else render_coverage(found, first, last))
    raise typer.Exit(1 if found else 0)


def _loaded(config: Path | None) -> Loaded:
    environ = environment(config)
    return loaded_of(config_path(environ), environ, offline=True)


def _source(config: Config, given: str | None) -> str | None:
    """The source to ask for; it must be given where a route asks for it and there are several."""
    if given is not None:
        if given not in config.sources:
            misused(f"--source: {unknown('source', given, config.sources)}")
        return given
    if len(config.sources) == 1:
        return next(iter(config.sources))
    if any(route.when.source is not None for route in config.routes):
        names = ", ".join(config.sources)
        misused(f"--source is needed, for a route asks where the customer comes from; sources: {names}")
    return None


def _with_shifts(roster: Roster, start: datetime, end: datetime) -> Roster:
    """The roster with its calendars read; what in them names nobody is told on stderr."""
    from bridge.domain.duty.rota import RotaError
    from bridge.service.calendars import with_shifts

    try:
        complete, problems = with_shifts(roster, start, end)
    except RotaError as error:
        misused(str(error))
    for problem in problems:
        complain(f"warning: {problem}")
    return complete


def _date(option: str, text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            found = date.fromisoformat(text)
            if 1970 <= found.year <= 2900:
                return found
            misused(f"{option}: give a year from 1970 to 2900")
    except ValueError as error:
        misused(f"{option}: {text} is no date: {error}")
    misused(f"{option}: {text[:40]!r} is no date; write it like 2026-11-28")


def _show(answer: str | dict[str, Any]) -> None:
    import json

    say(answer if isinstance(answer, str) else json.dumps(answer))
