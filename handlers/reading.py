"""Reading hostile bodies: sizes, encodings, JSON. Each failure is a Problem."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from aiohttp import web

from handlers.problems import Problem

MOST_BYTES = 64 * 1024
MOST_NESTING = 100
BODY_SECONDS = 30.0  # for a whole small body: whoever sends a byte now and then holds nothing for long


async def read_body(request: web.Request, most: int = MOST_BYTES) -> bytes:
    """The raw body. Raises Problem 413 as soon as it is known to be larger than `most` bytes; 400, 408."""
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)
    content = request.content
    if content.is_eof():  # a small body comes with its head: no waiting, no timer
        whole = content.read_nowait()
        if len(whole) > most:
            raise _too_large(most)
        return whole
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in content.iter_any():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise Problem(408, "The body did not arrive in time.", headers={"Connection": "close"}) from None
    return bytes(body)


def _too_large(most: int) -> Problem:
    return Problem(413, f"The body is larger than {most} bytes.")


def need_json(request: web.Request) -> None:
    """Raises Problem 415 unless the body says it is JSON as it stands."""
    need_plain(request)
    if request.headers.get("Content-Type") == "application/json":
        return
    kind = request.content_type
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "Send JSON, with Content-Type: application/json.")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "Send JSON in UTF-8.")


def need_plain(request: web.Request) -> None:
    """Raises Problem 415 for a body that is packed in any way."""
    if "Content-Encoding" in request.headers:
        raise Problem(415, "Send the body as it is, without Content-Encoding.")


def parse_json(body: bytes) -> Any:
    """Raises Problem 400 for whatever is not JSON: also NaN, Infinity, too much nesting, invalid UTF-8.

    Of a key that comes twice the last one counts, as in every common parser.
    """
    try:
        value = _decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {_why(error)}.") from None
    if body.count(b"[") + body.count(b"{") > MOST_NESTING and _nesting(value) > MOST_NESTING:
        raise Problem(400, f"The JSON is nested more than {MOST_NESTING} levels deep.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _why(error: Exception) -> str:
    """Never more than where it went wrong: the body may hold what nobody should read in an answer's log."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"invalid UTF-8 at byte {error.start}"
    if isinstance(error, RecursionError):
        return f"nested more than {MOST_NESTING} levels deep"
    return str(error)[:200]


def _nesting(value: Any) -> int:
    """How many arrays and objects are inside one another; a value that is neither has 0."""
    depth, level = 0, [value] if isinstance(value, dict | list) else []
    while level:
        depth += 1
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
    return depth
