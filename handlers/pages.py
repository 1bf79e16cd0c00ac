"""POST /v1/pages/{source}: a page in a browser, which cannot keep a secret, begins a conversation."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from aiohttp import web

from handlers.callers import client_address
from handlers.events import Event, not_too_long, parse_event
from handlers.origins import need_origin
from handlers.parts import PARTS
from handlers.problems import Problem
from handlers.reading import need_json, parse_json, read_body
from handlers.source_events import json_answer

PER_MINUTE_AND_ADDRESS = 30  # unless the source says otherwise; several kiosks of one store share an address
_FIELDS = ("displayName", "message", "store", "topic", "language")
_LEAST_KEY = 32  # characters of an Idempotency-Key, e.g. a UUID


async def post_page(request: web.Request) -> web.Response:
    """202 as for an event; the subject is made here, for this visit alone."""
    parts = request.app[PARTS]
    door = parts.door
    source = door.source(request.match_info["source"])
    if not source.of_pages:
        raise Problem(404, "There is no page source of this name.")
    body = await read_body(request)
    if "Origin" not in request.headers:
        raise Problem(403, "A page begins a conversation from a browser, which names its origin.")
    need_origin(request, source.name)
    need_json(request)
    value = parse_json(body)
    forwarded = request.headers.getall("X-Forwarded-For", ())
    address = client_address(request.remote or "", forwarded, parts.proxies)
    limit = (f"address:{source.name}:{address}", source.rate_per_minute or PER_MINUTE_AND_ADDRESS)
    visit = _visit(request)
    event = _event(value, visit)
    status, answer = await door.take_event(source, visit, event, limit)
    return json_answer(answer, status)


def _visit(request: web.Request) -> str:
    """This visit's id. A page that lost our answer asks again under its Idempotency-Key and gets the same one.

    The answer holds a conversation's key, so only an unguessable Idempotency-Key counts; a short one might be
    the same for every visitor.
    """
    key = request.headers.get("Idempotency-Key", "")
    if len(key) < _LEAST_KEY:
        return secrets.token_hex(16)
    return hashlib.sha256(b"visit\n" + key.encode(errors="surrogatepass")).hexdigest()[:32]


def _event(value: Any, visit: str) -> Event:
    """Raises Problem 422, whose fields are named as the page named them."""
    data = value
    if isinstance(value, dict):
        data = {name: value[name] for name in _FIELDS if name in value} | {"subject": f"visit-{visit}"}
    try:
        event = parse_event({"type": "conversation.requested", "data": data}, {})
        not_too_long(event.data.message or "", "message")
        return event
    except Problem as problem:
        for error in problem.extra["errors"]:
            error["field"] = error["field"].removeprefix("data").removeprefix(".") or "(body)"
        raise
