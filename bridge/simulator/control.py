"""The controls under /_sim/, for other processes and for people: look at the world, speak in it, break it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from itertools import islice
from typing import Any

from aiohttp import web

from bridge.simulator import hooks
from bridge.simulator.model import Person, Refusal
from bridge.simulator.pipeline import CLOSING
from bridge.simulator.talk import CARD
from bridge.simulator.world import Upload, World

Handler = Callable[[World, web.Request], Awaitable[web.StreamResponse]]
_MOST = 1000


def add_routes(app: web.Application, world: World) -> None:
    for method, path, handler in (
        ("GET", "/state", state),
        ("GET", "/calls", calls),
        ("GET", "/messages", messages),
        ("GET", "/violations", violations),
        ("GET", "/news", news),
        ("POST", "/say", say),
        ("POST", "/press", press),
        ("POST", "/people", people),
        ("POST", "/rename", rename),
        ("POST", "/fault", fault),
        ("DELETE", "/fault", no_faults),
        ("PATCH", "/settings", settings),
        ("POST", "/reset", reset),
    ):
        app.router.add_route(method, f"/_sim{path}", gate(world, handler))


def gate(world: World, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Keeps pages of other sites out and turns every wrong input into a 4xx with a sentence."""

    async def enter(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            return _no(403, "other sites' pages may not")
        try:
            return await handler(world, request)
        except LookupError as wrong:
            return _no(404, str(wrong.args[0]) if wrong.args else "not found")
        except Refusal as no:
            return _no(no.status, no.message)
        except (ValueError, TypeError, RecursionError) as wrong:
            return _no(400, str(wrong))

    return enter


def _no(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The body, a JSON object. ValueError for anything else."""
    body = json.loads(await request.read() or b"{}")
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def text_of(body: dict[str, Any], name: str) -> str:
    """A required text of a body. ValueError where it is missing."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is required, a text")
    return value


async def state(world: World, request: web.Request) -> web.Response:
    """A summary; of many guests only the first thousand."""
    return web.json_response(
        {
            "now": world.now(),
            "settings": world.settings(),
            "people": [_person(each) for each in world.people.values() if not each.is_guest],
            "guests": [_guest(world, each) for each in islice(world.guests.values(), _MOST)],
            "counts": {
                "guests": len(world.guests),
                "messages": len(world.messages),
                "rooms": len(world.rooms),
                "webhooks": len(world.hooks),
                "calls": len(world.calls),
                "violations": len(world.evidence.violations),
                "mostTokens": world.most_tokens,
            },
            "webhooks": [
                {**hooks.view(each), "secret": None} for each in islice(world.hooks.values(), _MOST)
            ],
            "faults": [asdict(each) for each in world.faults],
        }
    )


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "type": person.type,
        "licensed": person.licensed,
        "external_blocked": person.external_blocked,
    }


def _guest(world: World, guest: Person) -> dict[str, Any]:
    now = world.now()
    live = sum(1 for each in guest.tokens if each.expires_at > now and not each.revoked)
    return {**_person(guest), "subject": guest.subject, "liveTokens": live, "mostTokens": guest.most_tokens}


async def calls(world: World, request: web.Request) -> web.Response:
    """The log of calls, oldest first; `after=N` leaves out the first N."""
    after = request.query.get("after", "0")
    return web.json_response({"items": [each._asdict() for each in islice(world.calls, int(after), None)]})


async def messages(world: World, request: web.Request) -> web.Response:
    """`to`: whose; what others sent to that person, in order of arrival."""
    return web.json_response({"items": world.messages_to(request.query.get("to", ""))})


async def violations(world: World, request: web.Request) -> web.Response:
    return web.json_response({"items": world.violations()})


async def say(world: World, request: web.Request) -> web.Response:
    """`{"from", "to", "text" | "markdown", "html"?, "card"?}`, or the same as a form with one `file`."""
    if request.content_type != "multipart/form-data":
        return web.json_response(_say(world, await body_of(request), None))
    fields: dict[str, Any] = {}
    upload: Upload | None = None
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            upload = (value.filename or "file", value.file.read(), value.content_type)
        else:
            fields[name] = value
    return web.json_response(_say(world, fields, upload))


def _say(world: World, body: dict[str, Any], upload: Upload | None) -> dict[str, Any]:
    text, markdown, html = (body.get(name) or None for name in ("text", "markdown", "html"))
    if not all(each is None or isinstance(each, str) for each in (text, markdown, html)):
        raise ValueError("text, markdown and html are texts")
    card = body.get("card")
    cards = None if card is None else [{"contentType": CARD, "content": card}]
    return world.say(
        text_of(body, "from"), text_of(body, "to"), text, markdown, upload, html=html, cards=cards
    )


async def press(world: World, request: web.Request) -> web.Response:
    """`{"from", "messageId", "inputs"}`"""
    body = await body_of(request)
    inputs = body.get("inputs", {})
    if not isinstance(inputs, dict):
        raise ValueError("inputs must be an object")
    return web.json_response(world.press(text_of(body, "from"), text_of(body, "messageId"), inputs))


async def people(world: World, request: web.Request) -> web.Response:
    """`{"email", "name", "type"?, "licensed"?, "external_blocked"?}`"""
    body = await body_of(request)
    email, name = text_of(body, "email"), text_of(body, "name")
    return web.json_response(_person(world.add_person(**{**body, "email": email, "name": name})))


async def rename(world: World, request: web.Request) -> web.Response:
    """`{"from", "to"}`: somebody's address has changed; the old one still leads to them."""
    body = await body_of(request)
    return web.json_response(_person(world.rename(text_of(body, "from"), text_of(body, "to"))))


async def fault(world: World, request: web.Request) -> web.Response:
    """`{"match", "action"?, "times"?, "after"?, "probability"?, "owner"?, ...}`, see `World.fault`."""
    body = await body_of(request)
    return web.json_response(asdict(world.fault(**{**body, "match": text_of(body, "match")})))


async def no_faults(world: World, request: web.Request) -> web.Response:
    world.clear_faults()
    return web.Response(status=204)


async def settings(world: World, request: web.Request) -> web.Response:
    world.change(await body_of(request))
    return web.json_response(world.settings())


async def reset(world: World, request: web.Request) -> web.Response:
    world.reset()
    return web.Response(status=204)


async def news(world: World, request: web.Request) -> web.StreamResponse:
    """Server-sent events: one `change` whenever what people see may have changed; several may become one."""
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    changed, closing = asyncio.Event(), request.app[CLOSING]
    forget = world.watch(changed.set)
    try:
        await stream.prepare(request)
        await stream.write(b"retry: 1000\nevent: change\ndata: {}\n\n")
        while not closing.is_set():
            try:
                await asyncio.wait_for(changed.wait(), 15)
            except TimeoutError:
                await stream.write(b": still here\n\n")
                continue
            changed.clear()
            await stream.write(b"event: change\ndata: {}\n\n")
    except ConnectionResetError:
        pass  # the page was closed
    finally:
        forget()
    return stream
