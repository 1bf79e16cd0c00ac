"""CORS: which web origins' pages may use the customer's API. Only those of the conversation's own source."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from bridge.store import reads
from bridge.store.engine.committer import StoreUnavailable
from handlers.parts import PARTS
from handlers.problems import Handler, Problem

# What goes with every answer to this request; a stream sends its headers long before its handler returns.
CORS = web.RequestKey("cors", dict[str, str])
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "Retry-After, Content-Disposition"
IDENT = re.compile(r"[0-9A-Za-z_-]{1,64}")  # what our own ids look like; anything else is not looked for


def need_origin(request: web.Request, source: str) -> None:
    """Raises Problem 403. A caller without an Origin is no page, and proves itself by its key."""
    origin = request.headers.get("Origin")
    if origin is None or origin in request.app[PARTS].own_origins:
        return
    known = request.app[PARTS].door.sources().get(source)
    if known is None or origin not in known.origins:
        raise Problem(403, "Pages of this origin may not use this source.")


async def preflight(_: web.Request) -> web.Response:
    """OPTIONS of an address that pages use; `cors` says which pages."""
    return web.Response(status=204)


@web.middleware
async def cors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets the pages of the right origins read every answer, also the refusals; others read none."""
    if not request.path.startswith(("/v1/conversations/", "/v1/pages/")):
        return await handler(request)
    origin = request.headers.get("Origin")
    headers = {"Vary": "Origin"}
    if origin is not None and await _may_read(request, origin):
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED}
        if request.method == "OPTIONS":
            headers |= _PREFLIGHT
    request[CORS] = headers
    response = await handler(request)
    if not response.prepared:
        response.headers.update(headers)
    return response


async def _may_read(request: web.Request, origin: str) -> bool:
    """Where the conversation is unknown, every source's pages may read that it is."""
    sources = request.app[PARTS].door.sources()
    source = sources.get(await _source_name(request) or "")
    return any(origin in one.origins for one in ([source] if source else sources.values()))


async def _source_name(request: web.Request) -> Any:
    ident = request.match_info.get("id")
    if ident is None or not IDENT.fullmatch(ident):
        return request.match_info.get("source")
    try:
        return await request.app[PARTS].door.store.read(reads.source_of, ident)
    except StoreUnavailable:
        return None  # the answer will be 503: nothing in it is anybody's
