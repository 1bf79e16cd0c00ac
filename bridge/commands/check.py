"""`bridge check`: is the configuration right, and with --live, does Webex agree?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.commands.common import ConfigFile, config_path, environment, misused, plainly, say

if TYPE_CHECKING:
    from bridge.domain.duty.roster import Roster
    from config.problems import Problem


def check(
    config: ConfigFile = None,
    live: Annotated[
        bool, typer.Option("--live", help="Also ask Webex: tokens, scopes, agents, the bot.")
    ] = False,
    rota: Annotated[
        bool,
        typer.Option("--rota", help="Only the file: no secret and no environment variable is asked for."),
    ] = False,
) -> None:
    """Find what is wrong with the configuration.

    Each problem comes with its file, its line and what would be right; the environment is looked at too.
    Exits 1 when there is an error; warnings alone are no error.

    \b
    bridge check --config config/bridge.yaml
    bridge check --live
    bridge check --rota --config new-rota.yaml
    """
    from bridge.clock import SystemClock
    from config.check import render, report

    if live and rota:
        misused("--live asks Webex, --rota nobody: use one of them")
    environ = environment(config)
    problems, loaded = report(config_path(environ), environ, offline=rota)
    if loaded is not None:
        problems += calendar_problems(loaded.roster, datetime.fromtimestamp(SystemClock().now(), UTC))
    if not rota:
        problems += key_problems(environ)
    if live and loaded is not None and not any(problem.severity == "error" for problem in problems):
        from bridge.commands.live_check import ask_webex
        from config.settings import load_settings

        settings = load_settings(environ)
        problems += plainly(lambda: ask_webex(settings, loaded, say))
    elif live:
        say("Webex is not asked before the errors below are mended.")
    say(render(problems))
    raise typer.Exit(1 if any(problem.severity == "error" for problem in problems) else 0)


def key_problems(environ: dict[str, str]) -> list[Problem]:
    """The key that the service made for itself, where there is one, must still be one."""
    from bridge.service.keys import PATH, NoKey, read_key
    from config.check import ENVIRONMENT
    from config.problems import Problem

    if environ.get("BRIDGE_SECRET_KEY") or environ.get("BRIDGE_SECRET_KEY_FILE") or not PATH.exists():
        return []
    try:
        read_key()
    except (NoKey, OSError) as error:
        return [Problem(ENVIRONMENT, None, None, "", str(error))]
    return []


def calendar_problems(roster: Roster, now: datetime) -> list[Problem]:
    """A calendar that cannot be used is an error; an event that names nobody is left out, with a warning."""
    from bridge.domain.duty.roster import Roster
    from bridge.domain.duty.rota import RotaError
    from bridge.service.calendars import with_calendars
    from config.problems import Problem

    found: list[Problem] = []
    for key, team in roster.teams.items():
        where = f"teams.{key}.calendar"
        try:
            _, problems = with_calendars(Roster(roster.agents, {key: team}, ()), now)
        except RotaError as error:
            found.append(Problem("calendars", None, None, where, str(error)))
        else:
            found += [Problem("calendars", None, None, where, text, "", "warning") for text in problems]
    return found
