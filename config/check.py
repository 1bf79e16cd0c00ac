"""`bridge check`: everything that is wrong or doubtful with the configuration and the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from config.load import Loaded, load
from config.problems import ConfigError, Problem, Severity
from config.settings import Settings, SettingsError, load_settings, missing_credentials

ENVIRONMENT = "environment"


def report(
    path: Path, environ: Mapping[str, str], *, offline: bool = False
) -> tuple[list[Problem], Loaded | None]:
    """All problems, those of the environment last, and the configuration where it can be used.

    `offline`: the environment is not looked at, and no secret is asked for.
    """
    try:
        loaded: Loaded | None = load(path, environ, offline=offline)
        problems = list(loaded.warnings) if loaded else []
    except ConfigError as error:
        loaded, problems = None, error.problems
    return problems + ([] if offline else _environment(environ, loaded)), loaded


def _environment(environ: Mapping[str, str], loaded: Loaded | None) -> list[Problem]:
    try:
        settings = load_settings(environ)
    except SettingsError as error:
        return [_problem(text, "error") for text in error.problems]
    if loaded is None:
        return []
    guests = loaded.config.webex.guests
    missing = missing_credentials(settings, guests)
    problems = [
        _problem(f"{name} is not set: without it no guest can be minted by bridge run.", "warning")
        for name in missing
    ]
    if guests == "service-app" and not missing and _begins_without_a_token(settings):
        text = "WEBEX_SERVICE_APP_REFRESH_TOKEN is not set: the first start needs it; later the database keeps one."
        problems.append(_problem(text, "warning"))
    return problems


def _begins_without_a_token(settings: Settings) -> bool:
    """Where a database is, it probably keeps one from before."""
    given = settings.webex_service_app_refresh_token or settings.webex_service_app_access_token
    file = settings.database_url.get_secret_value().removeprefix("sqlite:///")
    return given is None and not settings.uses_postgresql and not Path(file).exists()


def _problem(text: str, severity: Severity) -> Problem:
    return Problem(ENVIRONMENT, None, None, "", text, "", severity)


def render(problems: Iterable[Problem]) -> str:
    """The problems for a person, grouped by file, with their number in the last line."""
    items = list(problems)
    lines: list[str] = []
    for file, group in groupby(items, key=lambda item: item.file):
        lines += [file, *(f"  {item.text_below_file().strip()}" for item in group), ""]
    errors = sum(item.severity == "error" for item in items)
    return "\n".join([*lines, f"{_count(errors, 'error')}, {_count(len(items) - errors, 'warning')}"])


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
