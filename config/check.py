"""`bridge check`: everything that is wrong or doubtful with the configuration and the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from config.load import Loaded, load
from config.problems import ConfigError, Problem, Severity
from config.settings import SettingsError, load_settings, missing_credentials

ENVIRONMENT = "environment"


def report(path: Path, environ: Mapping[str, str]) -> tuple[list[Problem], Loaded | None]:
    """All problems, those of the environment last, and the configuration where it can be used."""
    try:
        loaded: Loaded | None = load(path, environ)
        problems = list(loaded.warnings) if loaded else []
    except ConfigError as error:
        loaded, problems = None, error.problems
    return problems + _environment(environ, loaded), loaded


def _environment(environ: Mapping[str, str], loaded: Loaded | None) -> list[Problem]:
    try:
        settings = load_settings(environ)
    except SettingsError as error:
        return [_problem(text, "error") for text in error.problems]
    missing = missing_credentials(settings, loaded.config.webex.guests) if loaded else []
    return [
        _problem(f"{name} is not set: without it no guest can be minted by bridge run.", "warning")
        for name in missing
    ]


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
