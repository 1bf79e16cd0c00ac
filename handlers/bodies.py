"""A sender's body as one value: JSON, a form, or a multipart form. Each failure is a Problem 400 or 415."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from handlers.problems import Problem
from handlers.reading import need_json, need_plain, parse_json

MOST_FIELDS = 1000
_TYPES = {"form": "application/x-www-form-urlencoded", "multipart": "multipart/form-data"}


def need_type(request: web.Request, kind: str) -> None:
    """Raises Problem 415 unless the body says that it is of this kind (json, form, multipart), as it stands."""
    if kind == "json":
        need_json(request)
        return
    need_plain(request)
    if request.content_type != _TYPES[kind]:
        raise Problem(415, f"Send a form, with Content-Type: {_TYPES[kind]}.")


def parse_body(request: web.Request, kind: str, body: bytes, json_fields: Iterable[str]) -> Any:
    """Returns the body's value; of a form an object, with a list where a field comes twice. Raises Problem 400."""
    if kind == "json":
        value = parse_json(body)
    elif kind == "form":
        value = _object(_form(body))
    else:
        value = _object(_multipart(body, request.headers.get("Content-Type", "")))
    members = value if isinstance(value, list) else [value]
    for name in json_fields:
        for member in members:
            if isinstance(member, dict) and isinstance(member.get(name), str):
                member[name] = _inner(member[name], name)
    return value


def _inner(text: str, name: str) -> Any:
    try:
        return parse_json(text.encode("utf-8", errors="surrogatepass"))
    except Problem as problem:
        raise Problem(400, f"The field {name} is not JSON. {problem.detail}") from None


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:  # also UnicodeDecodeError
        raise Problem(400, "The body is not a form in UTF-8.") from None


def _multipart(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """The fields of a multipart form. Source: RFC 7578. Of a file that comes along only its name is kept."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode(errors="replace")
    whole = BytesParser(policy=HTTP).parsebytes(head + body)
    parts = whole.get_payload() if whole.is_multipart() else None
    if not isinstance(parts, list) or len(parts) > MOST_FIELDS or whole.defects:
        raise Problem(400, "The body is not a multipart form.")
    return [(_name(part), _value(part)) for part in parts if isinstance(part, Message)]


def _name(part: Message) -> str:
    name = part.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise Problem(400, "A part of the form has no name.")
    return name


def _value(part: Message) -> str:
    name = part.get_filename()
    if name is not None:
        return name
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise Problem(400, "A part of the form has parts of its own.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "A part of the form is not in UTF-8.") from None


def _object(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, text in fields:
        known = value.get(name)
        if name not in value:
            value[name] = text
        elif isinstance(known, list):
            known.append(text)
        else:
            value[name] = [known, text]
    return value
