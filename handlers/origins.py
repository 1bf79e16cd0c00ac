"""CORS: which web origins' pages may use the customer's API. Only those of the conversation's own source."""

from __future__ import annotations

from aiohttp import web

from handlers.parts import PARTS
from handlers.problems import Handler, Problem

_METHODS = "GET, POST, OPTIONS"
_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
_EXPOSED = "Retry-After, Content-Disposition"


def own_origin(request: web.Request, origin: str) -> bool:
    """Whether `origin` is this service itself, as the browser that asks sees it."""
    return origin.partition("://")[2] == request.host


def may_read(request: web.Request, source: str) -> bool:
    """Whether a page of the request's Origin may use the conversations of `source`; no Origin: no page."""
    origin = request.headers.get("Origin")
    if origin is None or own_origin(request, origin):
        return True
    known = request.app[PARTS].door.sources().get(source)
    return known is not None and origin in known.origins


def need_origin(request: web.Request, source: str) -> None:
    """Raises Problem 403."""
    if not may_read(request, source):
        raise Problem(403, "Pages of this origin may not use this source.")


@web.middleware
async def cors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers preflights and adds the headers; each handler checks the origin against its own source."""
    origin = request.headers.get("Origin")
    if origin is None or not request.path.startswith(("/v1/conversations/", "/v1/pages/")):
        return await handler(request)
    known = any(origin in source.origins for source in request.app[PARTS].door.sources().values())
    if request.method == "OPTIONS" and known and "Access-Control-Request-Method" in request.headers:
        preflight = {"Access-Control-Allow-Methods": _METHODS, "Access-Control-Allow-Headers": _HEADERS}
        response: web.StreamResponse = web.Response(
            status=204, headers={**preflight, "Access-Control-Max-Age": "600"}
        )
    elif known:
        # A stream sends its headers long before its handler returns.
        request["cors"] = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        try:
            response = await handler(request)
        except Problem as problem:
            response = problem.response()
    else:
        return await handler(request)
    if not response.prepared:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        response.headers["Vary"] = "Origin"
    return response
