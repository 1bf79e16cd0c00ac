"""What pydantic finds wrong, in the words of someone who edits YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic_core import ErrorDetails

from config.model_base import Model
from config.models import Config
from config.problems import Path, nearest, suggest

MISSING = {
    "sources": "sources: {kiosk: {auth: {scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}}}",
    "agents": "agents: {amy: {email: amy@example.com}}",
    "teams": "teams: {front-desk: {timezone: Europe/London, agents: [amy]}}",
    "routes": "routes: [{team: front-desk}]",
    "auth": "auth: {scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}",
    "email": "email: amy@example.com",
    "timezone": "timezone: Europe/London",
    "team": "team: front-desk",
    "url": "url: https://forms.example.com/hook",
    "secret": "secret: env:FORMS_HOOK_SECRET",
}
LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
KINDS = {
    "int": ("this must be a whole number", ""),
    "float": ("this must be a number", ""),
    "finite": ("this must be a number", ""),
    "bool": ("this must be true or false", ""),
    "string": ("this must be a single value", "plain text."),
    "tuple": ("this must be a list", "[a, b], or one item a line, each after a dash."),
    "dict": ("this must be a group of settings", "lines such as name: value, indented below it."),
    "model": ("this must be a group of settings", "lines such as name: value, indented below it."),
}


def place(error: ErrorDetails) -> Path:
    """Where the fault is, as a way through the file."""
    return tuple(part for part in error["loc"] if part != "[key]")


def words(error: ErrorDetails) -> tuple[str, str]:
    """The message and the remedy for one error. Input is shown only where it cannot be a secret."""
    kind, context, path = error["type"], error.get("ctx", {}), place(error)
    if kind == "fault":
        return context["message"], context["remedy"]
    if kind == "missing":
        return "this is missing", MISSING.get(str(path[-1]), "")
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "literal_error":
        return _none_of(str(path[-1] if error["loc"][-1] == "[key]" else error["input"]), context)
    if kind in LIMITS:
        label, key = LIMITS[kind]
        return f"{str(error['input'])[:20]} is out of range: this must be {label} {context[key]:g}", ""
    if kind == "too_short":
        return "this is empty", MISSING.get(str(path[-1]), "one entry at least, or leave it out.")
    if kind == "string_too_long":
        return f"this is longer than {context['max_length']} characters", "a shorter one."
    return KINDS.get(kind.split("_")[0], (error["msg"], ""))


def _none_of(value: str, context: Mapping[str, Any]) -> tuple[str, str]:
    known = re.findall(r"'([^']+)'", str(context["expected"]))
    return f"{value[:40]!r} is not known here: this must be {context['expected']}", nearest(
        value, known
    ) or ""


def _unknown(path: Path) -> tuple[str, str]:
    model = _model_at(path[:-1])
    known = list(model.model_fields) if model else []
    return f"there is no setting {str(path[-1])[:60]!r} here", suggest(str(path[-1]), known)


def _model_at(path: Path) -> type[Model] | None:
    """The model that describes what stands at `path`."""
    kind: Any = Config
    for part in path:
        if isinstance(kind, type) and issubclass(kind, Model):
            field = kind.model_fields.get(str(part))
            kind = _bare(field.annotation) if field else None
        else:  # of dict[key, value] and tuple[item, ...] the part that is a value
            kind = _bare(next((item for item in reversed(get_args(kind)) if item is not ...), None))
    return kind if isinstance(kind, type) and issubclass(kind, Model) else None


def _bare(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _bare(next(item for item in get_args(kind) if item is not type(None)))
    return kind
