"""Reads single fields out of what Webex sent. `Malformed` never leaves `wire`, which types it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic_core import from_json

LONGEST_LIFE = 10 * 365 * 86400.0  # seconds; keeps what is computed from a lifetime inside the calendar

_IDENT = re.compile(r"[\x21-\x7e]{1,512}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_NUMBER = re.compile(r"\s*\d{1,20}(\.\d{1,20})?\s*", re.ASCII)

Fields = Mapping[str, Any]
T = TypeVar("T")
Skipped = Callable[[str], None]


def ignore(_: str) -> None:
    """Hears of what is left out where nobody else wants to."""


class Malformed(ValueError):
    """A field is missing or is not what it must be. Its text names the field, never the value."""


def load_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. A nesting that exhausts the stack is as malformed as a missing bracket."""
    try:
        value = _parsed(body)
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("it is not a JSON object")
    return value


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body)
    except (
        ValueError
    ):  # stricter than the standard library's: half of a surrogate pair is no reason to give up
        return json.loads(body)


def load_items(body: bytes) -> list[Any]:
    """The `items` of a list answer, whatever they are."""
    items = load_object(body).get("items")
    if not isinstance(items, list):
        raise Malformed("items is not a list")
    return items


def each(items: list[Any], build: Callable[[Fields], T], skipped: Skipped) -> list[T]:
    """What `build` makes of each item. One that is malformed costs itself alone; `skipped` is told its fault."""
    built = []
    for item in items:
        try:
            if not isinstance(item, dict):
                raise Malformed("it is not an object")
            built.append(build(item))
        except Malformed as problem:
            skipped(f"{_known_as(item)}: {problem}")
    return built


def _known_as(item: Any) -> str:
    try:
        return ident(item, "id") if isinstance(item, dict) else "an item"
    except Malformed:
        return "an item without an id"


def ident(fields: Fields, key: str) -> str:
    """A required id: opaque, but plain enough for a URL, a header, a log line and a database."""
    value = fields.get(key)
    if not isinstance(value, str) or not _IDENT.fullmatch(value):
        raise Malformed(f"{key} is not an id")
    return value


def optional_ident(fields: Fields, key: str) -> str | None:
    return None if fields.get(key) in (None, "") else ident(fields, key)


def token(fields: Fields, key: str) -> str:
    """A bearer token: long (over 2000 characters), and fit for a header."""
    value = fields.get(key)
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise Malformed(f"{key} is not a token")
    return value


def clean(value: str) -> str:
    """`value` without NUL and lone surrogates, which neither PostgreSQL nor UTF-8 can hold."""
    if "\x00" in value:
        value = value.replace("\x00", "")
    if value.isascii():
        return value
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def words(fields: Fields, key: str) -> str | None:
    """An optional text."""
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Malformed(f"{key} is not a text")
    return clean(value)


def words_list(fields: Fields, key: str) -> tuple[str, ...]:
    """An optional list of texts."""
    value = fields.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(f"{key} is not a list of texts")
    return tuple(clean(item) for item in value)


def flag(fields: Fields, key: str) -> bool | None:
    """An optional truth; Webex sends `invitePending` and `loginEnabled` as the strings "true" and "false"."""
    value = fields.get(key)
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def seconds(fields: Fields, key: str) -> float:
    """A lifetime: a number, or a number in a string as the legacy /jwt/login sends it; more than 0."""
    value = fields.get(key)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"{key} is not a number of seconds")
    if not value > 0 or value == math.inf:  # NaN too
        raise Malformed(f"{key} is not a number of seconds")
    return float(min(value, LONGEST_LIFE))


def optional_seconds(fields: Fields, key: str) -> float | None:
    try:
        return seconds(fields, key)
    except Malformed:
        return None


def moment(fields: Fields, key: str) -> float:
    """A time as epoch seconds; the docs show both `2015-10-18T14:26:16.000Z` and `...16+00:00`."""
    value = fields.get(key)
    if not isinstance(value, str):
        raise Malformed(f"{key} is not a time")
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Malformed(f"{key} is not a time") from None


def optional_moment(fields: Fields, key: str) -> float | None:
    return None if fields.get(key) is None else moment(fields, key)
