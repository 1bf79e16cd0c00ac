"""The customer's API (contract section 7): one conversation, opened by its own key and no other."""

from __future__ import annotations

import hmac
import re
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bridge.domain.errors import Gone, Refused, Scanning, Throttled, WebexError
from bridge.domain.identity import conversation_key
from bridge.domain.public import iso, message_item, state_item
from bridge.store import reads
from bridge.store.files import read_chunk
from bridge.store.reads import State, StoredFile
from bridge.tokens import NotNow
from handlers.events import Words, clean
from handlers.origins import need_origin
from handlers.parts import PARTS, Parts
from handlers.problems import Problem
from handlers.reading import need_json, parse_json, read_body
from handlers.source_events import NO_STORE, json_answer
from handlers.uploads import receive_upload

_MOST_ITEMS = 500
_SHOWN_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp")


async def customer_of(request: web.Request, key: str | None = None) -> State:
    """The conversation that the request's key opens. Raises Problem 401, 403 or 410."""
    parts = request.app[PARTS]
    ident = request.match_info["id"]
    given = key or request.headers.get("Authorization", "").partition("Bearer ")[2].strip()
    expected = conversation_key(parts.door.root, ident)
    denied = Problem(
        401, "The key is missing or opens no conversation.", headers={"WWW-Authenticate": "Bearer"}
    )
    if not hmac.compare_digest(expected.encode(), given.encode(errors="surrogateescape")):
        raise denied
    state = await parts.door.store.read(reads.conversation_state, ident)
    if state is None:
        raise denied
    need_origin(request, state.conversation.source)
    dead_at = state.conversation.key_dead_at
    if dead_at is not None and dead_at <= parts.door.clock.now():
        raise Problem(410, "This conversation is over.")
    return state


def shown_state(parts: Parts, state: State) -> dict[str, Any]:
    return state_item(state.conversation, state.position, parts.agent_name(state.conversation.agent))


async def get_state(request: web.Request) -> web.Response:
    state = await customer_of(request)
    return json_answer(shown_state(request.app[PARTS], state))


async def get_messages(request: web.Request) -> web.Response:
    state = await customer_of(request)
    after = number(request.query.get("after", "0"), "after")
    ident = state.conversation.id
    items = await request.app[PARTS].door.store.read(reads.transcript, ident, after, _MOST_ITEMS)
    return json_answer({"items": [message_item(ident, said) for said in items]})


async def post_message(request: web.Request) -> web.Response:
    """The customer says something, in JSON or with a file. 202 once it is on disk."""
    state = await customer_of(request)
    conversation = state.conversation
    door = request.app[PARTS].door
    key = request.headers.get("Idempotency-Key")
    if request.content_type == "multipart/form-data":
        words = await receive_upload(request, door, conversation.id, conversation.source, key)
    else:
        words = Words(_text(parse_json(await _json_body(request))), ())
    ident = await door.take_words(conversation.source, conversation.id, key, words)
    return json_answer({"id": ident, "conversationId": conversation.id, "delivery": "pending"}, 202)


async def _json_body(request: web.Request) -> bytes:
    need_json(request)
    return await read_body(request)


def _text(value: Any) -> str:
    text = value.get("text") if isinstance(value, dict) else None
    problem = ""
    if not isinstance(text, str) or not text.strip():
        problem = "must be a text that is not blank"
    else:
        try:
            return clean(text)
        except ValueError as error:
            problem = str(error)
    raise Problem(422, "Some fields are wrong.", errors=[{"field": "text", "detail": problem}])


async def post_end(request: web.Request) -> web.Response:
    """The customer leaves; the key opens nothing from now on."""
    state = await customer_of(request)
    parts, conversation = request.app[PARTS], state.conversation
    try:
        await parts.door.take_end(conversation.source, conversation.id)
    except Problem as problem:
        if problem.status != 409:  # 409: it was over already, which is what is wanted
            raise
        await parts.door.kill_key(conversation.id)
    parts.bus.tell([conversation.id])
    now = iso(parts.door.clock.now())
    return json_answer(
        {
            **shown_state(parts, state),
            "status": "ended",
            "endedAt": now,
            "endReason": conversation.end_reason or "customer",
        }
    )


async def get_guest_token(request: web.Request) -> web.Response:
    """The guest's token, for the Webex SDK or widgets, where the source shares it."""
    parts = request.app[PARTS]
    state = await customer_of(request)
    conversation = state.conversation
    source = parts.door.sources().get(conversation.source)
    if source is None or not source.share_guest_token:
        raise Problem(403, "This source does not share guest tokens.")
    if conversation.status == "ended":
        raise Problem(409, "The conversation has ended.")
    lent = await _borrow(parts, conversation.guest_id)
    agent = {"email": conversation.agent_email} if conversation.agent_email else None
    return json_answer({"accessToken": lent.value, "expiresAt": iso(lent.guest.expires_at), "agent": agent})


async def get_file(request: web.Request) -> web.StreamResponse:
    """A file of the conversation, through us: the customer never gets a Webex address."""
    parts = request.app[PARTS]
    state = await customer_of(request)
    file = await parts.door.store.read(reads.file_of, request.match_info["file"])
    if file is None or file.conversation_id != state.conversation.id:
        raise Problem(404, "There is no such file in this conversation.")
    if file.url is None:
        return await _send_own(request, parts, file)
    return await _send_from_webex(request, parts, state, file)


async def _send_own(request: web.Request, parts: Parts, file: StoredFile) -> web.StreamResponse:
    response = _file_response(request, file, file.size)
    await response.prepare(request)
    n = 0
    while (chunk := await parts.door.store.read(read_chunk, file.id, n)) is not None:
        await response.write(chunk)
        n += 1
    return response


async def _send_from_webex(
    request: web.Request, parts: Parts, state: State, file: StoredFile
) -> web.StreamResponse:
    lent = await _borrow(parts, state.conversation.guest_id)
    try:
        async with parts.open_file(lent.value, file.url or "") as stream:
            response = _file_response(request, file, stream.size)
            await response.prepare(request)
            async for chunk in stream.chunks():
                await response.write(chunk)
            return response
    except (Scanning, Throttled) as error:
        raise Problem(503, "The file cannot be had yet.", retry_after=error.retry_after) from None
    except Gone:
        raise Problem(404, "The file was found to be infected and cannot be had.") from None
    except Refused:
        raise Problem(404, "The file cannot be had any more.") from None
    except WebexError:
        raise Problem(503, "Webex does not answer just now.", retry_after=5) from None


async def _borrow(parts: Parts, guest_id: str) -> Any:
    try:
        return await parts.borrow(guest_id)
    except NotNow as later:
        wait = max(1.0, later.at - parts.door.clock.now())
        raise Problem(503, "Webex does not give a token just now.", retry_after=wait) from None
    except WebexError:
        raise Problem(503, "Webex does not give a token just now.", retry_after=30) from None


def _file_response(request: web.Request, file: StoredFile, size: int | None) -> web.StreamResponse:
    """Nothing that a browser would run: a picture is shown, all else is downloaded."""
    shown = file.type in _SHOWN_INLINE
    headers = {
        **NO_STORE,
        **request.get("cors", {}),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": file.type if shown or file.type == "application/pdf" else "application/octet-stream",
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(file.name, safe='')}",
    }
    if size is not None:
        headers["Content-Length"] = str(size)
    return web.StreamResponse(headers=headers)


def number(text: str, name: str) -> int:
    """A query's number. Raises Problem 422."""
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise Problem(422, "Some fields are wrong.", errors=[{"field": name, "detail": "must be a number"}])
    return int(text)
