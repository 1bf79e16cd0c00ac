"""POST /v1/pages/{source}: a page in a browser, which cannot keep a secret, begins a conversation."""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any

from aiohttp import web

from handlers.events import parse_event
from handlers.origins import need_origin
from handlers.parts import PARTS
from handlers.problems import Problem
from handlers.reading import need_json, parse_json, read_body
from handlers.source_events import json_answer

PER_MINUTE_AND_ADDRESS = 30  # several kiosks of one store share an address
_FIELDS = ("displayName", "message", "store", "topic", "language")


async def post_page(request: web.Request) -> web.Response:
    """202 as for an event; the subject is made here, for this visit alone."""
    door = request.app[PARTS].door
    source = door.source(request.match_info["source"])
    if source.scheme != "page":
        raise Problem(404, "There is no page source of this name.")
    body = await read_body(request)
    if "Origin" not in request.headers:
        raise Problem(403, "A page begins a conversation from a browser, which names its origin.")
    need_origin(request, source.name)
    need_json(request)
    value = parse_json(body)
    door.check_rate(f"address:{client_address(request)}", PER_MINUTE_AND_ADDRESS)
    visit = secrets.token_hex(16)
    event = parse_event({"type": "conversation.requested", "data": _data(value, visit)}, {})
    status, answer = await door.take_event(source, visit, event)
    return json_answer(answer, status)


def _data(value: Any, visit: str) -> dict[str, Any]:
    given = value if isinstance(value, dict) else {}
    return {**{name: given[name] for name in _FIELDS if name in given}, "subject": f"visit-{visit}"}


def client_address(request: web.Request) -> str:
    """Whose call it is. Behind a proxy of our own (a private address) the proxy's word is taken."""
    peer = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        near = not ipaddress.ip_address(peer).is_global
        return str(ipaddress.ip_address(forwarded)) if near and forwarded else peer
    except ValueError:
        return peer
