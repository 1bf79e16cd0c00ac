"""From the plain values of the files to the models: everything that is wrong, told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import Field, ValidationError

from config.crosscheck import Check, crosscheck
from config.faults import place, words
from config.fields import Key, UrlName
from config.models import Agent, Config, Route, Source, Team
from config.remains import Remains
from config.tree import Tree


class Draft(Config):
    """A configuration of which parts may be missing, so that the rest of it can be checked all the same."""

    sources: dict[UrlName, Source] = Field(default_factory=dict)
    agents: dict[Key, Agent] = Field(default_factory=dict)
    teams: dict[Key, Team] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()


def validate(tree: Tree, base: FilePath, environ: Mapping[str, str] | None) -> Config | None:
    """The configuration, or None with the reasons in `tree.problems`.

    `base`: the folder that relative paths start from. `environ`: None leaves secrets empty and unasked for.
    """
    context = {"environ": environ}
    try:
        config = Config.model_validate(tree.data, context=context)
    except ValidationError as error:
        found = error.errors(include_url=False)
        known = set(tree.faulty)
        for item in found:
            if place(item) not in known:
                tree.problem(place(item), *words(item))
        rest = Remains(tree.data)
        draft = _salvage(rest, error, context)
        if draft is not None:
            crosscheck(Check(tree, draft, base, environ, [place(item) for item in found], rest.original))
        return None
    crosscheck(Check(tree, config, base, environ))
    return None if tree.problems else config


def _salvage(rest: Remains, error: ValidationError, context: dict[str, Any]) -> Config | None:
    """What is left when everything wrong is taken out; None where nothing can be made of it."""
    for _ in range(8):  # what is missing takes its owner away, and so on up to the section
        wrong = []
        for item in error.errors(include_url=False):
            path = rest.original(place(item))
            wrong.append(path[:-1] if item["type"] == "missing" else path)
        for path in wrong:
            rest.remove(path)
        try:
            return Draft.model_validate(rest.values(), context=context)
        except ValidationError as again:
            error = again
    return None
