"""/people, /licenses, /rooms, /memberships. https://developer.webex.com/docs/api/v1/people"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from bridge.simulator.ask import Ask, answer, page
from bridge.simulator.ids import iso, key_of, make_id
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
    elif presence and _sees_presence(world, viewer, person):
        shown["status"] = person.status
        shown["lastActivity"] = iso(world.now())
    if admin:
        shown["licenses"] = [LICENSE] if person.licensed else []
        shown["loginEnabled"], shown["invitePending"] = "true", "false"
    return shown


def _sees_presence(world: World, viewer: Person, person: Person) -> bool:
    same = person.org_id == viewer.org_id and person.type == "person"
    return same and world.presence and (viewer.type != "bot" or world.bots_see_presence)


def _is_admin(ask: Ask, scope: str) -> bool:
    world = ask.world
    allowed = world.service_app_admin and scope in world.service_app_scopes.split()
    return ask.person is world.service_app and allowed


def _viewer(ask: Ask) -> Person:
    """Who asks about people. Refusal 403 where it is a Service App without the scope."""
    viewer = ask.person
    if viewer is ask.world.service_app and "spark:people_read" not in ask.world.service_app_scopes.split():
        raise Refusal(403, "Missing required scope: spark:people_read")
    return viewer


def find_person(ask: Ask, person_id: str | None, email: str | None) -> Person | None:
    """By id, or else by e-mail address; None: there is nobody. Refusal 400 for an id that is none."""
    if person_id:
        return ask.known("PEOPLE", ask.world.people, person_id)
    return ask.world.people_by_email.get(str(email).lower())


async def me(ask: Ask) -> web.Response:
    viewer = _viewer(ask)
    return answer(show_person(ask.world, viewer, viewer))


async def one(ask: Ask) -> web.Response:
    """By id; licences are here, and only here, for an admin."""
    viewer, found = _viewer(ask), ask.known("PEOPLE", ask.world.people, ask.part("id"))
    if found is None:
        raise Refusal(404, "Person not found")
    admin = _is_admin(ask, "spark-admin:people_read") and found.org_id == ORG
    return answer(show_person(ask.world, found, viewer, admin=admin))


async def search(ask: Ask) -> web.Response:
    """By e-mail or beginning of the name within one's own organization, or by ids anywhere."""
    world, viewer = ask.world, _viewer(ask)
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
    viewer, found = ask.person, {each: ask.known("PEOPLE", ask.world.people, each) for each in ids}
    shown = [show_person(ask.world, each, viewer, presence=False) for each in found.values() if each]
    missing = [each for each, person in found.items() if person is None]
    return answer({"items": shown, **({"notFoundIds": missing} if missing else {})})


async def licenses(ask: Ask) -> web.Response:
    """Only for an admin."""
    return answer({"items": [_licence(ask)]})


async def license(ask: Ask) -> web.Response:
    """By id; only for an admin."""
    shown = _licence(ask)
    if ask.part("id") != shown["id"]:
        raise Refusal(404, "License not found.")
    return answer(shown)


def _licence(ask: Ask) -> dict[str, Any]:
    if not _is_admin(ask, "spark-admin:licenses_read"):
        raise Refusal(403, "Missing required scope: spark-admin:licenses_read")
    used = sum(1 for each in ask.world.people.values() if each.licensed)
    return {"id": LICENSE, "name": "Messaging", "totalUnits": 100, "consumedUnits": used}


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
    room = ask.known("ROOM", ask.world.rooms, room_id)
    if room is None or ask.person not in room.members:
        raise Refusal(404, "Could not find a room with provided ID.")
    return room


async def room(ask: Ask) -> web.Response:
    viewer = ask.person
    return answer(_show_room(room_for(ask, ask.part("id")), viewer))


async def memberships(ask: Ask) -> web.Response:
    """The two of one room, or one of them by id or e-mail; without a room one's own of every room."""
    viewer, room_id = ask.person, ask.query("roomId")
    who, email = ask.query("personId"), ask.query("personEmail")
    if not room_id:
        if who or email:
            raise Refusal(400, "Required String parameter 'roomId' is not present")
        return page(ask, [(each, viewer) for each in viewer.rooms], lambda pair: _show_membership(*pair))
    room = room_for(ask, room_id)
    wanted = {find_person(ask, who, email)} if who or email else set(room.members)
    pairs = [(room, each) for each in room.members if each in wanted]
    return page(ask, pairs, lambda pair: _show_membership(*pair))


async def membership(ask: Ask) -> web.Response:
    """By id: of a room that the caller is in."""
    viewer, wanted = ask.person, ask.part("id").rstrip("=")
    for room in viewer.rooms:
        for member in room.members:
            if _membership_id(room, member) == wanted:
                return answer(_show_membership(room, member))
    raise Refusal(404, "Could not find a membership with provided ID.")


def _membership_id(room: Room, person: Person) -> str:
    return make_id("MEMBERSHIP", f"{key_of(person.id)}:{key_of(room.id)}")


def _show_membership(room: Room, person: Person) -> dict[str, Any]:
    return {
        "id": _membership_id(room, person),
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
