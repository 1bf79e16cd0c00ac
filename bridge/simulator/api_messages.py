"""/messages and /attachment/actions. https://developer.webex.com/docs/api/v1/messages"""

from __future__ import annotations

import json
from bisect import bisect_left
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from bridge.simulator import talk
from bridge.simulator.api_people import find_person, room_for
from bridge.simulator.ask import FORM, Ask, answer, cursor_of, next_page, nothing, page, text_field
from bridge.simulator.ids import parse_iso
from bridge.simulator.model import File, Message, Person, Refusal, Room
from bridge.simulator.world import Upload

SESSION = web.AppKey("session", aiohttp.ClientSession)
_DESTINATIONS = ("roomId", "toPersonEmail", "toPersonId")
_GONE = "Unable to get message."
_KMS = {"title": {"code": "kms_failure", "reason": "Key management server failed to respond appropriately."}}


async def create(ask: Ask) -> web.Response:
    """Answers 200, not 201. JSON, or a form with the one file in `files`."""
    sender = ask.person
    body, upload = await _body(ask)
    text, markdown = text_field(body, "text"), text_field(body, "markdown")
    cards, parent = _cards(body), text_field(body, "parentId")
    urls = _urls(body)
    if not (text or markdown or cards or upload or urls):
        raise Refusal(400, "Both text and file cannot be empty.")
    kind, room = _destination(ask, sender, body)
    if urls and upload is None:
        upload = await _fetched(ask, urls[0])
    kept: File | None = talk.keep_file(ask.world, *upload) if upload else None
    if parent and (known := ask.known("MESSAGE", ask.world.messages, parent)):
        parent = known.data["id"]  # clients of the websocket know its UUID
    message = talk.send(ask.world, sender, room, text, markdown, kept, cards, parent)
    if kind != "roomId":
        message.data[kind] = body[kind]
    return answer(message.data)


async def _body(ask: Ask) -> tuple[dict[str, Any], Upload | None]:
    if ask.request.content_type not in ("multipart/form-data", FORM):
        return await ask.json(), None
    fields: dict[str, Any] = {}
    upload: Upload | None = None
    try:
        form = await ask.request.post()
    except ValueError:
        raise Refusal(400, "The form is malformed.") from None
    for name, value in form.items():
        if not isinstance(value, web.FileField):
            fields[name] = _parsed(str(value)) if name in ("attachments", "files") else value
        elif name == "files" and upload is None:
            upload = (value.filename or "file", value.file.read(), value.content_type)
        else:
            raise Refusal(400, "Only one file can be attached to a message.")
    return fields, upload


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return [text]


def _cards(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    cards = body.get("attachments")
    if not cards:
        return None
    if not isinstance(cards, list) or not all(isinstance(each, dict) for each in cards):
        raise Refusal(400, "attachments must be one adaptive card.")
    return cards


def _urls(body: dict[str, Any]) -> list[str]:
    urls = body.get("files") or []
    if not isinstance(urls, list) or not all(isinstance(each, str) for each in urls):
        raise Refusal(400, "files must be a list of addresses.")
    if len(urls) > 1:
        raise Refusal(400, "Only one file can be attached to a message.")
    return urls


def _destination(ask: Ask, sender: Person, body: dict[str, Any]) -> tuple[str, Room]:
    given = [name for name in _DESTINATIONS if text_field(body, name)]
    if len(given) != 1:
        raise Refusal(
            400, "Exactly one of the destination fields must not be empty (roomId, toPersonEmail, toPersonId)"
        )
    kind, value, world = given[0], body[given[0]], ask.world
    if kind == "roomId":
        return kind, room_for(ask, value)
    other = find_person(ask, value if kind == "toPersonId" else None, value)
    if other is None and kind == "toPersonEmail" and world.auto_people and "@" in value:
        other = world.add_person(value, value.partition("@")[0])
    if other is None:
        raise Refusal(404, "Person not found")
    return kind, talk.open_room(world, sender, other)


async def _fetched(ask: Ask, url: str) -> Upload:
    """A file of a public address, which Webex fetches itself."""
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with ask.request.app[SESSION].get(url, timeout=timeout) as found:
            if found.status == 200:
                name = urlsplit(url).path.rpartition("/")[2] or "file"
                return name, await found.read(), found.content_type
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        pass
    raise Refusal(400, "The file could not be fetched.")


def find(ask: Ask, message_id: str) -> Message:
    """A message in a room of the caller. Refusal 404 for one that is gone, 403 for one in a room of others."""
    person, message = ask.person, ask.known("MESSAGE", ask.world.messages, message_id)
    if message is None:
        raise Refusal(404, _GONE)
    if person not in message.room.members:
        raise Refusal(403, "Failed to get activity.")
    return message


async def get(ask: Ask) -> web.Response:
    message = find(ask, ask.part("id"))
    if message.sender is not ask.person and ask.at < message.at + ask.world.not_found_window:
        raise Refusal(404, _GONE)
    return answer(_show(ask, message))


def _show(ask: Ask, message: Message) -> dict[str, Any]:
    how, until = message.spoiled
    if ask.at >= until:
        how = ""
    if how == "content":
        return {**message.data, "text": 5, "files": "none"}
    if how == "shape":
        return {"id": message.data["id"], "roomId": None}
    if not (ask.kms or how == "kms"):
        return message.data
    hidden = {key: value for key, value in message.data.items() if key not in ("markdown", "html")}
    return {**hidden, "text": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..", "errors": _KMS}


async def change(ask: Ask) -> web.Response:
    body, person = await ask.json(), ask.person
    message = find(ask, ask.part("id"))
    if body.get("roomId") != message.room.id:
        raise Refusal(400, "roomId is not the room of this message.")
    if body.get("html"):
        raise Refusal(400, "html cannot be set.")
    return answer(
        talk.edit(ask.world, person, message, text_field(body, "text"), text_field(body, "markdown")).data
    )


async def remove(ask: Ask) -> web.Response:
    talk.delete(ask.world, ask.person, find(ask, ask.part("id")))
    return nothing()


async def direct(ask: Ask) -> web.Response:
    """A 1:1's messages, of both parties, newest first; a page has `direct_page` of them, whatever `max` says."""
    world, person = ask.world, ask.person
    who, email = ask.query("personId"), ask.query("personEmail")
    if bool(who) == bool(email):
        raise Refusal(400, "Exactly one of personId and personEmail must be specified.")
    other = find_person(ask, who, email)
    room = world.room_of(person, other) if other else None
    if room is None and world.no_room_status != 200:
        raise Refusal(world.no_room_status, talk.NO_ONE_ON_ONE)
    parent, messages = ask.query("parentId"), room.messages if room else []
    if parent:
        messages = [each for each in messages if each.data.get("parentId") == parent]
    end = len(messages) - cursor_of(ask)
    start = max(0, end - world.direct_page)
    shown = [_show(ask, each) for each in reversed(messages[start : max(0, end)])]
    return answer({"items": shown}, headers=next_page(ask, len(messages) - start) if start else None)


def _newest(messages: list[Message], parent: str | None) -> list[Message]:
    found = [each for each in messages if each.data.get("parentId") == parent] if parent else messages
    return found[::-1]


async def listing(ask: Ask) -> web.Response:
    """A room's messages, newest first, before a time or a message."""
    room_id = ask.query("roomId")
    _ = ask.person
    if room_id is None:
        raise Refusal(400, "Required String parameter 'roomId' is not present")
    messages = room_for(ask, room_id).messages
    before, message_id = ask.query("before"), ask.query("beforeMessage")
    if message_id:
        messages = messages[: bisect_left(messages, find(ask, message_id).seq, key=lambda each: each.seq)]
    if before:
        at = parse_iso(before.replace(" ", "+"))
        if at is None:
            raise Refusal(400, "before is not an ISO 8601 time.")
        messages = [each for each in messages if each.at < at]
    return page(ask, _newest(messages, ask.query("parentId")), lambda each: _show(ask, each), default=50)


async def press(ask: Ask) -> web.Response:
    body, person = await ask.json(), ask.person
    if body.get("type") != "submit" or not isinstance(body.get("inputs", {}), dict):
        raise Refusal(400, "type must be submit, and inputs an object.")
    message = find(ask, str(body.get("messageId", "")))
    return answer(
        talk.press(ask.world, person, message, body.get("inputs", {})), status=ask.world.action_status
    )


async def action(ask: Ask) -> web.Response:
    person, found = ask.person, ask.known("ATTACHMENT_ACTION", ask.world.actions, ask.part("id"))
    if found is None or person not in found[0].members:
        raise Refusal(404, "Attachment action not found.")
    return answer(found[1])
