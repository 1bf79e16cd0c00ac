"""POST /webex/webhooks: what Webex tells us. Source: https://developer.webex.com/docs/api/guides/webhooks."""

from __future__ import annotations

from aiohttp import web

from bridge.domain.errors import Refused
from bridge.store import bot, hints, taken_back
from bridge.webex.signature import is_genuine
from bridge.webex.wire import WebhookCall, parse_webhook_call
from handlers.parts import PARTS, Parts
from handlers.problems import Problem
from handlers.reading import read_body

_BOT_NEWS = {("messages", "created"): "message", ("attachmentActions", "created"): "press"}


async def post_webhook(request: web.Request) -> web.Response:
    """Stores what Webex names and answers at once; the text is fetched later, with the guest's token."""
    parts = request.app[PARTS]
    body = await read_body(request)
    if not is_genuine(request.headers, body, parts.webhook_secret):
        raise Problem(401, "The signature is missing or wrong.")
    try:
        call = parse_webhook_call(body)
    except Refused as error:
        raise Problem(400, error.reason) from None
    await _note(parts, call)
    return web.Response(status=204)


async def _note_for_bot(parts: Parts, call: WebhookCall) -> None:
    """What agents and leads said to the bot, or which button they pressed: kept, and done in their order."""
    known = _BOT_NEWS.get((call.resource, call.event))
    echo = call.actor_id is not None and call.actor_id == call.created_by  # what the bot said itself
    if known is None or call.person_id is None or echo:
        return
    news = bot.News(known, call.object_id, call.person_id, parts.door.clock.now())
    if await parts.door.store.do(bot.note_news, news):
        parts.woken("bot-in")


async def _note(parts: Parts, call: WebhookCall) -> None:
    if parts.bot_webhooks and call.name == parts.bot_webhooks:
        await _note_for_bot(parts, call)
        return
    guest_id = parts.guest_of(call.name)
    if call.resource != "messages" or call.message_id is None or guest_id is None:
        return  # news of something that nobody here asked for
    store, now = parts.door.store, parts.door.clock.now()
    if call.event == "deleted":
        if await store.do(taken_back.note_deleted, taken_back.Unsaid(call.message_id, guest_id, now)):
            parts.woken("in")
        return
    others = call.person_id is not None and call.created_by not in (None, call.person_id)
    room_id = call.room_id if others else None
    hint = hints.Hint(call.message_id, guest_id, call.person_email or "", now, room_id)
    noted = await store.do(hints.note_hints, hint)
    if noted == "late":
        parts.woken("in")
    elif noted == "noted":
        parts.woken("hear")
    parts.replied(noted)
