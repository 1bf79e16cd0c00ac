"""POST /v1/events/{source}: events of every kind of sender; GET there: the handshake that some ask for first."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from pydantic_core import to_json

from bridge.domain.filetypes import is_among, type_by_name
from bridge.domain.senders.freshness import need_fresh
from bridge.domain.senders.request import Request
from bridge.domain.signing import BadSignature
from bridge.store.engine.committer import StoreUnavailable
from handlers.bodies import need_type, parse_body
from handlers.door import Door
from handlers.events import Event, parse_event, search, words_of
from handlers.parts import PARTS
from handlers.problems import DATA_HEADERS, Problem
from handlers.reading import read_body
from handlers.sources import SourceView

MOST_MEMBERS = 100  # of a body that is a list
_LONGEST_CHALLENGE = 1000
_PLAIN_ID = re.compile(r"[\x20-\x7e]{1,100}")


async def post_event(request: web.Request) -> web.Response:
    """An event in: 202 once it is on disk, 200 if it was before. The order of the checks is the contract's."""
    parts = request.app[PARTS]
    source = parts.door.source(request.match_info["source"])
    try:
        return await _take(request, source)
    except Problem as problem:
        parts.refusals.refuse(source.name, problem)
        raise
    except StoreUnavailable:
        parts.refusals.refuse(source.name, Problem(503, "It cannot be stored now."))
        raise


async def _take(request: web.Request, source: SourceView) -> web.Response:
    door = request.app[PARTS].door
    body = await read_body(request)
    signed_id = authenticate(request, source, body, door.clock.now())
    need_type(request, source.body)
    value = parse_body(request, source.body, body, source.json_fields)
    if source.nothing and search(source.nothing, value):
        return _answer(source, 200, {})
    if isinstance(value, list) and source.map:
        return await _take_list(door, source, value, signed_id)
    event_id, event = _event(source, value, signed_id, door.clock.now())
    status, answer = await door.take_event(source, event_id, event)
    return _answer(source, status, answer)


async def _take_list(
    door: Door, source: SourceView, values: list[Any], signed_id: str | None
) -> web.Response:
    """Each member is an event of its own; all are read before the first is stored."""
    if not 0 < len(values) <= MOST_MEMBERS:
        error = {"field": "(body)", "detail": f"must have 1 to {MOST_MEMBERS} members"}
        raise Problem(422, "Some fields are wrong.", errors=[error])
    events = [
        _member(source, index, value, signed_id and f"{signed_id}/{index}", door.clock.now())
        for index, value in enumerate(values)
    ]
    taken = [await door.take_event(source, event_id, event) for event_id, event in events]
    status = 202 if any(status == 202 for status, _ in taken) else 200
    return _answer(source, status, {"items": [_shown(source, answer) for _, answer in taken]})


def _member(
    source: SourceView, index: int, value: Any, signed_id: str | None, now: float
) -> tuple[str, Event]:
    """As `_event`; the fields that a Problem names say which member they are of."""
    try:
        return _event(source, value, signed_id, now)
    except Problem as problem:
        for error in problem.extra.get("errors", ()):
            error["field"] = f"[{index}].{error['field']}"
        raise


def _event(source: SourceView, value: Any, signed_id: str | None, now: float) -> tuple[str, Event]:
    """Returns (what it is deduplicated by, the event). Raises Problem 401, 422."""
    if source.at:
        try:
            need_fresh(search(source.at, value), now)
        except BadSignature as error:
            raise _unproved(error) from None
    event = parse_event(value, source.map)
    _check_files(event, source)
    return signed_id or _own_id(source, value), event


def _own_id(source: SourceView, value: Any) -> str:
    """What the body calls itself, else a hash of it: a header that nobody signed proves nothing."""
    found = search(source.id, value) if source.id else None
    if isinstance(found, str | int) and not isinstance(found, bool) and (own := str(found)):
        # Whatever else a body calls itself (half a character, NUL) is kept as a hash: not every store takes it.
        return (
            f"id:{own}"
            if _PLAIN_ID.fullmatch(own)
            else f"id:sha256:{_hash(own.encode('utf-8', 'surrogatepass'))}"
        )
    canonical = json.dumps(value, sort_keys=True).encode()
    return f"sha256:{_hash(canonical)}"


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def authenticate(request: web.Request, source: SourceView, body: bytes, now: float) -> str | None:
    """Returns the id that the sender signed, or None. Raises Problem 401, which says the same for every reason."""
    base = request.app[PARTS].public_url
    url = base + request.raw_path if base else ""
    query = request.raw_path.partition("?")[2]
    try:
        return source.scheme.check(Request(request.method, url, request.headers, query, body), now)
    except BadSignature as error:
        raise _unproved(error) from None


def _unproved(error: BadSignature) -> Problem:
    return Problem(401, "The signature is missing, wrong or too old.", reason=error.reason, why=str(error))


def _answer(source: SourceView, status: int, answer: dict[str, Any]) -> web.Response:
    if source.answer == "empty":
        return web.Response(status=204, headers=DATA_HEADERS)
    return json_answer(_shown(source, answer), status)


def _shown(source: SourceView, answer: dict[str, Any]) -> dict[str, Any]:
    """What of an answer this sender is told."""
    if source.answer == "full" or "items" in answer:
        return answer
    return {name: value for name, value in answer.items() if name == "eventId"}


async def get_event(request: web.Request) -> web.Response:
    """The handshake: says the challenge back to whoever knows the token. Source: Meta, 'Webhooks, getting started'."""
    source = request.app[PARTS].door.source(request.match_info["source"])
    if source.verify_token is None:
        raise Problem(405, "This source takes POST only.", headers={"Allow": "POST"})
    given = request.query.get("hub.verify_token", "").encode(errors="surrogatepass")
    if not hmac.compare_digest(given, source.verify_token):
        raise Problem(403, "This is not the token that was agreed on.")
    challenge = request.query.get("hub.challenge", "")
    if not challenge or len(challenge) > _LONGEST_CHALLENGE:
        raise Problem(400, "The parameter hub.challenge is missing or too long.")
    body = challenge.encode(errors="replace")
    return web.Response(body=body, content_type="text/plain", charset="utf-8", headers=DATA_HEADERS)


def _check_files(event: Event, source: SourceView) -> None:
    """Raises Problem 422 for an address that names a kind of file which this source does not take.

    Webex fetches it, not we: where the address does not end like a file, nobody knows beforehand.
    """
    errors = list(_untaken(event, source))
    if errors:
        raise Problem(422, "Some fields are wrong.", errors=errors)


def _untaken(event: Event, source: SourceView) -> Iterator[dict[str, str]]:
    for index, file in enumerate(words_of(event.data).files):
        kind = type_by_name(unquote(file["name"]))
        if kind and not is_among(kind, source.file_types):
            detail = f"names a file of the type {kind}, which is not taken here"
            yield {"field": f"data.files.{index}", "detail": detail}


def json_answer(value: object, status: int = 200) -> web.Response:
    """Makes an answer in JSON."""
    return web.Response(
        status=status, body=to_json(value), content_type="application/json", headers=DATA_HEADERS
    )
