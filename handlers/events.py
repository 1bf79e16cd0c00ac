"""What an event must look like (contract section 5), and what a sender's own payload is mapped to."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jmespath
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from bridge.domain.visible import is_visible
from handlers.problems import Problem, wrong_field

MOST_CHARACTERS = 8_000  # that a customer says at once
TYPES = ("conversation.requested", "message.created", "conversation.ended")
# What jmespath raises when a function meets a value it was not made for.
_UNFIT = (jmespath.exceptions.JMESPathError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError,
          RecursionError)  # fmt: skip
_HALVES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


def clean(text: str) -> str:
    """Refuses what no text may hold: NUL, and halves of characters."""
    if "\x00" in text:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    if not text.isascii() and _HALVES.search(text):
        raise PydanticCustomError("surrogate", "must not contain half of a surrogate pair")
    return text


def _tag(language: str) -> str:
    """es_MX, as some form services write it, is es-MX (RFC 5646)."""
    return language.strip().replace("_", "-")


def not_too_long(words: str, field: str) -> str:
    """What a customer said on a page or by the API. Raises Problem 422."""
    if len(words) > MOST_CHARACTERS:
        raise wrong_field(field, f"must have at most {MOST_CHARACTERS} characters")
    return words


def _one_line(text: str) -> str:
    text = _CONTROLS.sub(" ", clean(text)).strip()
    if not is_visible(text):
        raise PydanticCustomError("blank", "must not be blank")
    return text


def _not_blank(text: str) -> str:
    if not clean(text).strip():
        raise PydanticCustomError("blank", "must not be blank")
    return text


def _seen(text: str) -> str:
    """Blank is no message; what only looks blank is somebody's mistake, or trick."""
    if clean(text).strip() and not is_visible(text):
        raise PydanticCustomError("invisible", "must hold something that can be seen")
    return text


def _https(address: str) -> str:
    if not re.fullmatch(r"https://[^\s/?#@\\]+(?:[/?#]\S*)?", clean(address)):
        raise PydanticCustomError("https", "must be an https address")
    return address


def _clean_all(value: Any) -> Any:
    """Texts anywhere inside a JSON value, and numbers that JSON cannot hold."""
    if isinstance(value, str):
        clean(value)
    elif isinstance(value, dict):
        for key, child in value.items():
            clean(key)
            _clean_all(child)
    elif isinstance(value, list):
        for child in value:
            _clean_all(child)
    elif isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("finite", "must hold finite numbers only")
    return value


Text = Annotated[str, AfterValidator(clean)]
Short = Annotated[str, Field(max_length=255), AfterValidator(clean)]


class EventData(BaseModel):
    """The fields of an event; unknown ones are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True)

    subject: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_not_blank)] | None = None
    conversation_id: Annotated[Short | None, Field(alias="conversationId")] = None
    display_name: Annotated[
        Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_one_line)] | None,
        Field(alias="displayName"),
    ] = None
    message: Annotated[str, AfterValidator(_seen)] | None = None
    files: Annotated[
        list[Annotated[str, Field(max_length=2048), AfterValidator(_https)]] | None, Field(max_length=10)
    ] = None
    store: Short | None = None
    topic: Short | None = None
    language: Annotated[str, Field(max_length=35), AfterValidator(clean), AfterValidator(_tag)] | None = None
    context: Annotated[dict[str, Any], AfterValidator(_clean_all)] | None = None


class Event(BaseModel):
    """One event. What it may lack depends on its type: see `_missing`."""

    model_config = ConfigDict(strict=True, extra="ignore")

    type: Literal["conversation.requested", "message.created", "conversation.ended"]
    timestamp: Short | None = None  # the sender's; what counts is when we accepted it
    data: EventData


def search(expression: Any, value: Any) -> Any:
    """Returns what a compiled JMESPath finds in a value; None also where a function of it does not fit the value."""
    try:
        return expression.search(value)
    except _UNFIT:
        return None


def parse_event(value: Any, map_: Mapping[str, Any]) -> Event:
    """An event from a parsed body. Raises Problem 422 that names every wrong or missing field."""
    if map_:
        value = _mapped(value, map_)
    errors = [{"field": f"data.{name}", "detail": "is required"} for name in _missing(value)]
    try:
        event = Event.model_validate(value)
    except ValidationError as error:
        errors = [_field_error(item) for item in error.errors(include_url=False)] + errors
    if errors:
        raise Problem(422, "Some fields are wrong.", errors=errors)
    return event


def _missing(value: Any) -> list[str]:
    """What an event of this type must have and lacks; a blank message says nothing and is none."""
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        return []
    kind, data = value.get("type"), value["data"]
    if kind == "conversation.requested":
        return [name for name in ("subject", "displayName") if data.get(name) is None]
    missing = []
    if kind in TYPES and data.get("subject") is None and data.get("conversationId") is None:
        missing.append("subject")
    if kind == "message.created":
        message = data.get("message")
        silent = message is None or (isinstance(message, str) and not message.strip())
        missing += ["message"] if silent and not data.get("files") else []
    return missing


def _field_error(item: Any) -> dict[str, str]:
    field = ".".join(str(part) for part in item["loc"])
    return {"field": field or "(body)", "detail": str(item["msg"])[:200].encode(errors="replace").decode()}


def _mapped(value: Any, map_: Mapping[str, Any]) -> dict[str, Any]:
    """A form service's own payload as an event; what it does not map is looked for under our own names."""
    own = value if isinstance(value, dict) else {}
    inner = own.get("data")
    data = (
        {name: child for name, child in inner.items() if name in _FIELDS} if isinstance(inner, dict) else {}
    )
    kind = own.get("type") if own.get("type") in TYPES else TYPES[0]
    for name, expression in map_.items():
        try:
            found = expression.search(value)
        except _UNFIT:
            raise wrong_field(f"map.{name}", "does not fit this body") from None
        if found is None:
            continue
        number = type(found) is int or (type(found) is float and math.isfinite(found))
        if number and name not in ("context", "files"):
            found = str(found)
        if name == "type":
            kind = found
        else:
            data[name] = found
    return {"type": kind, "data": data}


_FIELDS = (
    "subject",
    "conversationId",
    "displayName",
    "message",
    "files",
    "store",
    "topic",
    "language",
    "context",
)


@dataclass(frozen=True, slots=True)
class Words:
    """What an event makes a customer say."""

    message: str | None
    files: tuple[dict[str, str], ...]


def words_of(data: EventData) -> Words:
    message = data.message if data.message and data.message.strip() else None
    files = tuple({"name": _name(address), "url": address} for address in data.files or ())
    return Words(message, files)


def _name(address: str) -> str:
    last = re.split(r"[?#]", address)[0].rstrip("/").rpartition("/")[2]
    return last[:200] if last and "://" not in last else "file"


def context_text(data: EventData) -> str | None:
    return json.dumps(data.context, ensure_ascii=False) if data.context else None
