"""Around every request: how long it took, and an id by which it is found in the log again."""

from __future__ import annotations

import asyncio
import re
import secrets
from functools import lru_cache
from itertools import count
from typing import Any

from aiohttp import web
from prometheus_client import Histogram

from bridge.logs import REQUEST
from handlers.problems import Handler, route_of

REQUEST_ID = "X-Request-ID"
_STREAM = "/v1/conversations/{id}/stream"
_OURS = re.compile(r"[A-Za-z0-9._:-]{1,64}")
# Source: W3C Trace Context, section 3.2.
_TRACE = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}")


def observed(seconds: Histogram) -> Any:
    """Makes the outermost middleware, which observes in a histogram with the labels method, route and status."""
    labelled = lru_cache(maxsize=1000)(seconds.labels)

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = _request_id(request)
        REQUEST.set({"request": request_id, **_trace(request)})
        loop = asyncio.get_running_loop()
        begun = loop.time()
        response = await handler(request)
        if not response.prepared:
            response.headers[REQUEST_ID] = request_id
        route = route_of(request)
        if route != _STREAM:
            method = request.method if request.method in _METHODS else "other"
            labelled(method, route, str(response.status)).observe(loop.time() - begun)
        return response

    return observe


_PROCESS = secrets.token_hex(4)
_numbers = count()
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


def _request_id(request: web.Request) -> str:
    """What the proxy before us calls the request, if that can be logged; else a name of our own."""
    given = request.headers.get(REQUEST_ID)
    return given if given and _OURS.fullmatch(given) else f"{_PROCESS}{next(_numbers):08x}"


def _trace(request: web.Request) -> dict[str, Any]:
    given = request.headers.get("traceparent")
    match = _TRACE.fullmatch(given) if given else None
    return {"trace_id": match["trace"], "span_id": match["span"]} if match else {}
