"""Reads the leads' configuration: a file or a folder in, models and roster out, or every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bridge.domain.duty.roster import Roster
from config.effects import WITHOUT_EFFECT, without_effect
from config.faults import place, words
from config.files import (
    calendar_files,
    configuration_files,
    contents_of,
    digest,
    fingerprint,
    folder_of,
    read_files,
)
from config.lint import lint
from config.merge import merge
from config.models import Auth, Callback, Config, Source
from config.problems import ConfigError, Problem, dotted
from config.roster import to_roster
from config.tree import Tree, read_tree
from config.validate import validate

__all__ = ["ConfigError", "Loaded", "Problem", "calendar_files", "fingerprint", "load", "load_source"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used. `calendars`: the teams' iCal files and folders, absolute; `secret_files`: the
    files that `NAME_FILE` names for its secrets.

    `fingerprint` is what `config.files.fingerprint(path, calendars, secret_files)` gave when it was read.
    """

    config: Config
    roster: Roster
    warnings: tuple[Problem, ...]
    fingerprint: str
    calendars: tuple[Path, ...]
    secret_files: tuple[Path, ...]


def load(path: Path, environ: Mapping[str, str], *, offline: bool = False) -> Loaded:
    """The configuration at `path`. Raises ConfigError with all its problems.

    `offline` is for what reads only files (preview, coverage): secrets are left empty, and nothing that
    concerns this machine's environment is an error.
    """
    files = configuration_files(path)
    contents = read_files(files)
    tree = merge([read_tree(str(file), content) for file, content in contents.items()])
    base = folder_of(path)
    # Where a file cannot be read at all, whatever the others refer to would seem to be missing.
    config = validate(tree, base, None if offline else environ) if tree.readable else None
    if config is None:
        raise ConfigError(_in_order(tree.problems))
    roster = to_roster(config, base)
    calendars = tuple(sorted({Path(team.calendar) for team in roster.teams.values() if team.calendar}))
    secret_files = () if offline else tuple(sorted(_secret_files(tree.data, environ)))
    seen = digest(contents | contents_of(calendar_files(calendars)) | contents_of(secret_files))
    return Loaded(config, roster, tuple(_warnings(config, tree)), seen, calendars, secret_files)


def _secret_files(value: object, environ: Mapping[str, str]) -> set[Path]:
    """The files that hold what `env:NAME` stands for, anywhere in the configuration."""
    if isinstance(value, str):
        name = environ.get(f"{value.removeprefix('env:').strip()}_FILE", "").strip()
        return {Path(name)} if value.startswith("env:") and name else set()
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return {file for child in children for file in _secret_files(child, environ)}


def load_source(
    path: Path, environ: Mapping[str, str], name: str, part: Literal["auth", "callback"]
) -> Source:
    """Returns one source with the secrets of one part of it; no other secret is asked for.

    Raises ConfigError with the problems of the file and of this part; KeyError where there is no such source.
    """
    offline = load(path, environ, offline=True).config.sources[name]
    tree = merge([read_tree(str(file), text) for file, text in read_files(configuration_files(path)).items()])
    raw = tree.data["sources"][name].get(part)
    if raw is None:
        return offline
    try:
        model = Auth if part == "auth" else Callback
        return offline.model_copy(update={part: model.model_validate(raw, context={"environ": environ})})
    except ValidationError as error:
        for item in error.errors(include_url=False):
            item["loc"] = ("sources", name, part, *item["loc"])
            tree.problem(place(item), *words(item))
        raise ConfigError(_in_order(tree.problems)) from None


def _warnings(config: Config, tree: Tree) -> list[Problem]:
    found = list(lint(config))
    found += [(path, reason, "") for path, reason in without_effect(tree.data, WITHOUT_EFFECT)]
    return _in_order(
        [
            Problem(mark.file, mark.line, mark.column, dotted(path), message, remedy, "warning")
            for path, message, remedy in found
            for mark in [tree.mark(path)]
        ]
    )


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda item: (item.file, item.line or 0, item.column or 0))
