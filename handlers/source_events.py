"""POST /v1/events/{source}."""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp import web
from pydantic_core import to_json

from bridge.domain.filetypes import is_among, type_by_name
from handlers.events import Event, parse_event, words_of
from handlers.parts import PARTS
from handlers.problems import DATA_HEADERS, Problem
from handlers.reading import need_json, parse_json, read_body
from handlers.sources import SourceView


async def post_event(request: web.Request) -> web.Response:
    """An event in: 202 once it is on disk, 200 if it was before. The order of the checks is the contract's."""
    door = request.app[PARTS].door
    source = door.source(request.match_info["source"])
    body = await read_body(request)
    webhook_id = door.authenticate(source, request.headers, body)
    need_json(request)
    event = parse_event(parse_json(body), source.map)
    _check_files(event, source)
    status, answer = await door.take_event(source, webhook_id, event)
    return json_answer(answer, status)


def _check_files(event: Event, source: SourceView) -> None:
    """Raises Problem 422 for an address that names a kind of file which this source does not take.

    Webex fetches it, not we: where the address does not end like a file, nobody knows beforehand.
    """
    errors = [
        {
            "field": f"data.files.{index}",
            "detail": f"names a file of the type {kind}, which is not taken here",
        }
        for index, file in enumerate(words_of(event.data).files)
        if (kind := type_by_name(unquote(file["name"]))) and not is_among(kind, source.file_types)
    ]
    if errors:
        raise Problem(422, "Some fields are wrong.", errors=errors)


def json_answer(value: object, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=to_json(value), content_type="application/json", headers=DATA_HEADERS
    )
