"""/people, /licenses, /rooms, /memberships. https://developer.webex.com/docs/api/v1/people"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from bridge.simulator.ask import Ask, answer, page
from bridge.simulator.ids import iso, make_id
from bridge.simulator.model import Person, Refusal, Room
from bridge.simulator.world import ORG, World

LICENSE: Final = make_id("LICENSE", "ORG:MS_33333333-3333-4333-8333-333333333333")
_MAX_IDS: Final = 85


def show_person(
    world: World, person: Person, viewer: Person, *, presence: bool = True, admin: bool = False
) -> dict[str, Any]:
    """A person as `viewer` sees them; presence only within the organization, licences only for an admin."""
    nick = person.name.split(" ")[0]
    shown: dict[str, Any] = {
        "id": person.id,
        "emails": [person.email],
        "phoneNumbers": [],
        "displayName": person.name,
        "nickName": nick,
        "userName": person.email.partition("@")[0] if person.is_guest else person.email,
        "orgId": person.org_id,
        "created": iso(person.created),
        "type": person.type,
    }
    if person.is_guest:
        shown["status"] = "unknown"
    elif presence and world.presence and person.org_id == viewer.org_id and person.type == "person":
        shown["status"] = person.status
        shown["lastActivity"] = iso(world.now())
    if admin:
        shown["licenses"] = [LICENSE] if person.licensed else []
        shown["loginEnabled"], shown["invitePending"] = "true", "false"
    return shown


def _is_admin(ask: Ask) -> bool:
    return ask.person is ask.world.service_app and ask.world.service_app_admin


async def me(ask: Ask) -> web.Response:
    return answer(show_person(ask.world, ask.person, ask.person))


async def one(ask: Ask) -> web.Response:
    """By id; licences are here, and only here, for an admin."""
    viewer, found = ask.person, ask.world.people.get(ask.part("id"))
    if found is None:
        raise Refusal(404, "Person not found")
    admin = _is_admin(ask) and found.org_id == ORG
    return answer(show_person(ask.world, found, viewer, admin=admin))


async def search(ask: Ask) -> web.Response:
    """By e-mail or beginning of the name within one's own organization, or by ids anywhere."""
    world, viewer = ask.world, ask.person
    email, name, ids = ask.query("email"), ask.query("displayName"), ask.query("id")
    if not (email or name or ids):
        raise Refusal(400, "Email, displayName, or id list should be specified.")
    if ids:
        return _by_ids(ask, ids.split(","))
    if email:
        person = world.people_by_email.get(email.lower())
        found = [person] if person else []
    else:
        found = [each for each in world.people.values() if each.name.lower().startswith(str(name).lower())]
    same = [each for each in found if each.org_id == viewer.org_id and (not each.is_guest or each is viewer)]
    return page(ask, same, lambda each: show_person(world, each, viewer))


def _by_ids(ask: Ask, ids: list[str]) -> web.Response:
    if len(ids) > _MAX_IDS:
        raise Refusal(400, f"At most {_MAX_IDS} ids can be asked for.")
    people, viewer = ask.world.people, ask.person
    shown = [show_person(ask.world, people[each], viewer, presence=False) for each in ids if each in people]
    missing = [each for each in ids if each not in people]
    return answer({"items": shown, **({"notFoundIds": missing} if missing else {})})


async def licenses(ask: Ask) -> web.Response:
    """Only for an admin."""
    if not _is_admin(ask):
        raise Refusal(403, "Missing required scope: spark-admin:licenses_read")
    used = sum(1 for each in ask.world.people.values() if each.licensed)
    item = {"id": LICENSE, "name": "Messaging", "totalUnits": 100, "consumedUnits": used}
    return answer({"items": [item]})


def _show_room(room: Room, viewer: Person) -> dict[str, Any]:
    last = room.messages[-1].at if room.messages else room.created
    return {
        "id": room.id,
        "title": room.other(viewer).name,
        "type": "direct",
        "isLocked": False,
        "lastActivity": iso(last),
        "creatorId": room.members[0].id,
        "created": iso(room.created),
    }


async def rooms(ask: Ask) -> web.Response:
    """Newest activity first."""
    viewer = ask.person
    mine = viewer.rooms if ask.query("type") in (None, "direct") else []
    newest = sorted(
        mine, key=lambda each: each.messages[-1].at if each.messages else each.created, reverse=True
    )
    return page(ask, newest, lambda each: _show_room(each, viewer))


def room_for(ask: Ask, room_id: str) -> Room:
    """A room the caller is in. Refusal 404 for every other one."""
    room = ask.world.rooms.get(room_id)
    if room is None or ask.person not in room.members:
        raise Refusal(404, "Could not find a room with provided ID.")
    return room


async def room(ask: Ask) -> web.Response:
    viewer = ask.person
    return answer(_show_room(room_for(ask, ask.part("id")), viewer))


async def memberships(ask: Ask) -> web.Response:
    """The two of one room, or one's own of every room."""
    viewer, room_id = ask.person, ask.query("roomId")
    if room_id:
        pairs = [(each, member) for each in [room_for(ask, room_id)] for member in each.members]
    else:
        pairs = [(each, viewer) for each in viewer.rooms]
    return page(ask, pairs, lambda pair: _show_membership(*pair))


def _show_membership(room: Room, person: Person) -> dict[str, Any]:
    return {
        "id": make_id("MEMBERSHIP", f"{person.id}:{room.id}"),
        "roomId": room.id,
        "roomType": "direct",
        "personId": person.id,
        "personEmail": person.email,
        "personDisplayName": person.name,
        "personOrgId": person.org_id,
        "isModerator": False,
        "isMonitor": False,
        "created": iso(room.created),
    }
