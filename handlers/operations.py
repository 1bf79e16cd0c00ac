"""For whoever runs it: /healthz, /readyz, /metrics, /openapi.json."""

from __future__ import annotations

from importlib.resources import files

from aiohttp import web

from handlers.parts import PARTS
from handlers.problems import Problem
from handlers.source_events import json_answer

_OPENAPI = (files("handlers") / "openapi.json").read_bytes()


async def get_health(_: web.Request) -> web.Response:
    return json_answer({"status": "ok"})


async def get_ready(request: web.Request) -> web.Response:
    """503 is not a fault of the caller but an answer; it too is a problem document, with the details in it."""
    ready, details = await request.app[PARTS].ready()
    if ready:
        return json_answer(details)
    state = details.pop("status")
    return Problem(503, "; ".join(details["reasons"]), state=state, **details).response()


async def get_metrics(request: web.Request) -> web.Response:
    body = request.app[PARTS].metrics()
    return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def get_openapi(_: web.Request) -> web.Response:
    return web.Response(body=_OPENAPI, content_type="application/json")
