"""The agents' page: a plain Webex inbox, so that one person can play both sides of a demo."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from aiohttp import web

from bridge.simulator.api_files import give
from bridge.simulator.control import gate
from bridge.simulator.model import Message, Person, Room
from bridge.simulator.world import World

_PAGES: Final = {
    "": ("agent.html", "text/html; charset=utf-8"),
    "/agent.css": ("agent.css", "text/css; charset=utf-8"),
    "/agent.js": ("agent.js", "text/javascript; charset=utf-8"),
    "/card.js": ("card.js", "text/javascript; charset=utf-8"),
}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors http://127.0.0.1:* http://localhost:*",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_THREADS = 200
_MESSAGES = 200


def add_routes(app: web.Application, world: World) -> None:
    for path, (name, media_type) in _PAGES.items():
        app.router.add_route("GET", f"/agent{path}", _page(name, media_type))
    app.router.add_route("GET", "/_sim/agents", gate(world, agents))
    app.router.add_route("GET", "/_sim/threads", gate(world, threads))
    app.router.add_route("GET", "/_sim/threads/{room}", gate(world, thread))
    app.router.add_route("POST", "/_sim/threads/{room}/read", gate(world, read))
    app.router.add_route("GET", "/_sim/files/{id}", gate(world, file))


def _page(name: str, media_type: str) -> Any:
    body = files("bridge.simulator").joinpath("static", name).read_bytes()

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": media_type, **_HEADERS})

    return show


async def agents(world: World, request: web.Request) -> web.Response:
    """Who can be played, with how many unread messages each."""
    people = [each for each in world.people.values() if each.type == "person"]
    return web.json_response(
        {
            "items": [
                {**_who(each), "unread": sum(_unread(room, each) for room in each.rooms)} for each in people
            ]
        }
    )


async def threads(world: World, request: web.Request) -> web.Response:
    """The newest 1:1s of `as`, and bots that were never written to."""
    person = world.find_person(request.query.get("as", ""))
    newest = sorted(person.rooms, key=_last_at, reverse=True)[:_THREADS]
    met = {room.other(person).id for room in person.rooms}
    bots = (
        []
        if world.bot.id in met
        else [{"id": world.bot.email, "with": _who(world.bot), "unread": 0, "last": None}]
    )
    return web.json_response({"items": [_thread(room, person) for room in newest] + bots})


def _last_at(room: Room) -> float:
    return room.messages[-1].at if room.messages else room.created


def _who(person: Person) -> dict[str, Any]:
    return {"email": person.email, "name": person.name, "type": person.type}


def _thread(room: Room, person: Person) -> dict[str, Any]:
    last = room.messages[-1] if room.messages else None
    return {
        "id": room.id,
        "with": _who(room.other(person)),
        "unread": _unread(room, person),
        "last": _message(last, person) if last else None,
    }


def _unread(room: Room, person: Person) -> int:
    seen, count = room.read.get(person.id, 0), 0
    for message in reversed(room.messages):
        if message.seq <= seen:
            break
        count += message.sender is not person
    return count


def _message(message: Message, person: Person) -> dict[str, Any]:
    data, kept = message.data, message.file
    shown = None
    if kept is not None:
        shown = {
            "name": kept.name,
            "type": kept.type,
            "size": len(kept.content),
            "url": f"/_sim/files/{kept.id}",
        }
    return {
        "id": data["id"],
        "mine": message.sender is person,
        "text": data.get("text", ""),
        "created": data["created"],
        "edited": "updated" in data,
        "file": shown,
        "card": data["attachments"][0]["content"] if "attachments" in data else None,
    }


def _room(world: World, request: web.Request) -> tuple[Room, Person]:
    person, room = world.find_person(request.query.get("as", "")), world.rooms.get(request.match_info["room"])
    if room is None or person not in room.members:
        raise LookupError("there is no such conversation")
    return room, person


async def thread(world: World, request: web.Request) -> web.Response:
    """One 1:1, its newest messages, oldest first."""
    room, person = _room(world, request)
    items = [_message(each, person) for each in room.messages[-_MESSAGES:]]
    return web.json_response({"id": room.id, "with": _who(room.other(person)), "items": items})


async def read(world: World, request: web.Request) -> web.Response:
    """Everything in it has been seen."""
    room, person = _room(world, request)
    if room.messages and room.read.get(person.id) != room.messages[-1].seq:
        room.read[person.id] = room.messages[-1].seq
        world.touch()
    return web.Response(status=204)


async def file(world: World, request: web.Request) -> web.Response:
    kept = world.files.get(request.match_info["id"])
    if kept is None:
        raise LookupError("there is no such file")
    return give(kept)
