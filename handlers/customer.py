"""The customer's API (contract section 7): one conversation, opened by its own key and no other."""

from __future__ import annotations

import asyncio
import hmac
import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bridge.domain.conversation.model import Conversation
from bridge.domain.conversation.public import iso, message_item, state_item
from bridge.domain.errors import Gone, Refused, Scanning, Throttled, WebexError
from bridge.domain.identity import conversation_key
from bridge.domain.visible import is_visible
from bridge.stages.tokens import NotNow
from bridge.store import reads
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.files import drop_files, read_chunk
from bridge.store.following import page
from bridge.store.reads import State, StoredFile
from handlers.door import Door
from handlers.events import Words, clean, not_too_long
from handlers.origins import CORS, IDENT, need_origin
from handlers.parts import PARTS, Parts
from handlers.problems import DATA_HEADERS, Problem, wrong_field
from handlers.reading import need_json, parse_json, read_body
from handlers.source_events import json_answer
from handlers.uploads import receive_upload

_DECISION_SECONDS = 0.5
_MOST_ITEMS = 2000
_LARGEST = 2**31 - 1  # of an item's seq
_WORDS_PER_MINUTE = 600  # of one customer: more than anybody types, less than fills the store
_FILES_PER_MINUTE = 30
_BOUNDS = (413, 429, 503)
_SHOWN_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp")


async def customer_of(request: web.Request, key: str | None = None) -> State:
    """The conversation that the request's key opens. Raises Problem 401, 403 or 410."""
    state = await opened_by_key(request, key)
    if _key_is_dead(request.app[PARTS], state):
        raise Problem(410, "This conversation is over.")
    return state


async def opened_by_key(request: web.Request, key: str | None = None) -> State:
    """The same, also after its end. Raises Problem 401 or 403.

    The key is judged before the store is asked, so that an unknown conversation looks like a wrong key.
    """
    parts = request.app[PARTS]
    ident = request.match_info["id"]
    given = _bearer(request) if key is None else key
    denied = Problem(
        401, "The key is missing or opens no conversation.", headers={"WWW-Authenticate": "Bearer"}
    )
    known = IDENT.fullmatch(ident) is not None
    expected = conversation_key(parts.door.root, ident if known else "")
    if not hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass")) or not known:
        raise denied
    state = await parts.door.store.read(reads.conversation_state, ident)
    if state is None:
        raise denied
    need_origin(request, state.conversation.source)
    return state


async def _decided(request: web.Request, state: State) -> State:
    """A conversation just accepted is decided within milliseconds; who asks meanwhile waits for it a moment."""
    parts, ident = request.app[PARTS], state.conversation.id
    if state.conversation.status != "new":
        return state
    with parts.bus.listen(ident) as news, suppress(TimeoutError):
        while True:
            news.clear()
            latest = await parts.door.store.read(reads.conversation_state, ident)
            if latest is None or latest.conversation.status != "new":
                return latest or state
            await asyncio.wait_for(news.wait(), _DECISION_SECONDS)
    return state


def _bearer(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _key_is_dead(parts: Parts, state: State) -> bool:
    dead_at = state.conversation.key_dead_at
    return dead_at is not None and dead_at <= parts.door.clock.now()


def shown_state(parts: Parts, state: State) -> dict[str, Any]:
    """The state as the customer sees it: over, as soon as their own end is on disk."""
    conversation = state.conversation
    shown = state_item(conversation, state.position, parts.agent_name(conversation.agent))
    if shown["status"] != "ended" and _key_is_dead(parts, state):
        over = {"status": "ended", "queuePosition": None, "opensAt": None}
        shown |= over | {"endedAt": iso(conversation.key_dead_at), "endReason": "customer"}
    return shown


async def get_state(request: web.Request) -> web.Response:
    state = await _decided(request, await customer_of(request))
    return json_answer(shown_state(request.app[PARTS], state))


async def get_messages(request: web.Request) -> web.Response:
    """What was said after the item `after`; a page of it, so that a client asks again until nothing comes."""
    state = await customer_of(request)
    after = number(request.query.get("after") or "0")
    if after is None:
        raise wrong_field("after", "must be a whole number, not below 0")
    ident = state.conversation.id
    items = await request.app[PARTS].door.store.read(page, ident, after, _MOST_ITEMS)
    return json_answer({"items": [message_item(ident, said) for said in items]})


async def post_message(request: web.Request) -> web.Response:
    """The customer says something, in JSON or with a file. 202 once it is on disk."""
    state = await customer_of(request)
    conversation, door = state.conversation, request.app[PARTS].door
    key = request.headers.get("Idempotency-Key")
    try:
        return _taken(await _receive(request, door, conversation, key), conversation)
    except Problem as problem:
        # What is stored already is no new load, whichever bound is reached now.
        bound = problem.status in _BOUNDS
        ident = await door.stored_before(conversation.id, key) if bound else None
        if ident is None:
            raise
        return _taken(ident, conversation)


async def _receive(request: web.Request, door: Door, conversation: Conversation, key: str | None) -> str:
    """The id of the words that came. Raises Problem."""
    has_file = request.content_type == "multipart/form-data"
    door.check_rate(
        f"words:{conversation.id}:{has_file}", _FILES_PER_MINUTE if has_file else _WORDS_PER_MINUTE
    )
    if has_file:
        words = await receive_upload(request, door, conversation.id, conversation.source)
    else:
        need_json(request)
        words = Words(_text(parse_json(await read_body(request))), ())
    return await _take(door, conversation, key, words)


def _taken(ident: str, conversation: Conversation) -> web.Response:
    return json_answer({"id": ident, "conversationId": conversation.id, "delivery": "pending"}, 202)


async def _take(door: Door, conversation: Conversation, key: str | None, words: Words) -> str:
    """Stores the words; what came with a repeat, or with words that are not taken, does not stay.

    A 503 says nothing of that, for the answer of a commit may be lost: the store knows what belongs to its words.
    """
    repeated = True
    try:
        ident, repeated = await door.take_words(conversation.source, conversation.id, key, words)
        return ident
    finally:
        for file in words.files if repeated else ():
            with suppress(StoreUnavailable):  # then retention removes it
                await door.store.do(drop_files, file["id"])


def _text(value: Any) -> str:
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str) or not is_visible(text):
        raise wrong_field("text", "must be a text that is not blank")
    try:
        return not_too_long(clean(text), "text")
    except ValueError as error:
        raise wrong_field("text", str(error)) from None


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
    ended = await parts.door.store.read(reads.conversation_state, conversation.id)
    return json_answer(shown_state(parts, ended or state))


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
    ident = request.match_info["file"]
    file = await parts.door.store.read(reads.file_of, ident) if IDENT.fullmatch(ident) else None
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
    disposition = "inline" if shown else "attachment"
    headers = {
        **DATA_HEADERS,
        **request[CORS],
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": file.type if shown or file.type == "application/pdf" else "application/octet-stream",
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.name, safe='', errors='replace')}",
    }
    if size is not None:
        headers["Content-Length"] = str(size)
    return web.StreamResponse(headers=headers)


def number(text: str) -> int | None:
    """A query's or header's number; None where it is none. Larger than any item's is as good as that."""
    return min(int(text[:20]), _LARGEST) if re.fullmatch(r"[0-9]+", text) else None
