"""From the plain values of the files to the models: everything that is wrong, told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from config.crosscheck import Check, crosscheck
from config.faults import place, words
from config.fields import Key, UrlName
from config.models import Agent, Config, Route, Source, Team
from config.problems import Path
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
    try:
        config = Config.model_validate(tree.data, context={"environ": environ})
    except ValidationError as error:
        found = [item for item in error.errors(include_url=False) if place(item) not in tree.faulty]
        wrong = [place(item) for item in found]
        for item in found:
            if not _follows(item, wrong):
                tree.problem(place(item), *words(item))
        rest = Remains(tree.data)
        draft = _salvage(rest)
        if draft is not None:
            crosscheck(Check(tree, draft, base, environ, rest.original))
        return None
    crosscheck(Check(tree, config, base, environ))
    return None if tree.problems else config


def _follows(item: ErrorDetails, wrong: list[Path]) -> bool:
    """A list whose items are all wrong counts as empty for pydantic; that is no news."""
    path = place(item)
    return item["type"] == "too_short" and any(len(o) > len(path) and o[: len(path)] == path for o in wrong)


def _salvage(rest: Remains) -> Config | None:
    """What is left when everything wrong is taken out; None where nothing can be made of it."""
    for _ in range(8):  # what is missing takes its owner away, and so on up to the section
        try:
            # Without an environment: a secret that is not set is no reason to leave its source unchecked.
            return Draft.model_validate(rest.values(), context={"environ": None})
        except ValidationError as error:
            items = error.errors(include_url=False)
        places = [(item["type"], rest.original(place(item))) for item in items]
        for kind, path in places:
            rest.remove(path[:-1] if kind == "missing" else path)
    return None
