"""POST /v1/events/{source}."""

from __future__ import annotations

from aiohttp import web
from pydantic_core import to_json

from handlers.events import parse_event
from handlers.parts import PARTS
from handlers.problems import DATA_HEADERS
from handlers.reading import need_json, parse_json, read_body


async def post_event(request: web.Request) -> web.Response:
    """An event in: 202 once it is on disk, 200 if it was before. The order of the checks is the contract's."""
    door = request.app[PARTS].door
    source = door.source(request.match_info["source"])
    body = await read_body(request)
    webhook_id = door.authenticate(source, request.headers, body)
    need_json(request)
    event = parse_event(parse_json(body), source.map)
    status, answer = await door.take_event(source, webhook_id, event)
    return json_answer(answer, status)


def json_answer(value: object, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=to_json(value), content_type="application/json", headers=DATA_HEADERS
    )
