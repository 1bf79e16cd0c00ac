"""People, licences, rooms, memberships."""

import pytest

from bridge.simulator import BOT_TOKEN, World
from bridge.simulator.ids import key_of

NOBODY = "00000000-0000-4000-8000-000000000000"
SCOPES = "guest-issuer:read guest-issuer:write"


async def test_guests_find_nobody_by_email(ada, amy):
    """Searching by e-mail works within one's own organization only."""
    assert (await ada("GET", "/people?email=amy@example.com")).body == {"items": []}
    found = (await amy("GET", "/people?email=BO@example.com")).body["items"]
    assert [each["displayName"] for each in found] == ["Bo Diaz"]
    assert found[0]["status"] == "active"


async def test_a_search_needs_a_criterion(amy):
    """Without e-mail, name or ids a search is 400."""
    assert (await amy("GET", "/people")).status == 400
    assert [each["displayName"] for each in (await amy("GET", "/people?displayName=cy")).body["items"]] == [
        "Cy Okafor"
    ]


async def test_by_ids(amy, world):
    """Unknown ids are listed apart; presence is left out; more than 85 are refused."""
    bo = world.find_person("bo@example.com").id
    body = (await amy("GET", f"/people?id={bo},{NOBODY}")).body
    assert ([each["id"] for each in body["items"]], body["notFoundIds"]) == ([bo], [NOBODY])
    assert "status" not in body["items"][0]
    assert (await amy("GET", "/people?id=" + ",".join("x" * 86))).status == 400


async def test_licences_are_for_the_admin(app, amy, world):
    """The Service App sees licences by GET /people/{id}, and their names; an agent sees neither."""
    world.add_person("free@example.com", "Free", licensed=False)
    bo, free = (f"/people/{world.find_person(each).id}" for each in ("bo@example.com", "free@example.com"))
    [licence] = (await app("GET", "/licenses")).body["items"]
    assert (await app("GET", bo)).body["licenses"] == [licence["id"]]
    assert (await app("GET", free)).body["licenses"] == []
    assert "licenses" not in (await amy("GET", bo)).body
    assert (await amy("GET", "/licenses")).status == 403
    world.service_app_admin = False
    assert (await app("GET", "/licenses")).status == 403


async def test_a_licence_by_id(app, amy):
    """GET /licenses/{id} is for an admin, too; an unknown one is 404."""
    [licence] = (await app("GET", "/licenses")).body["items"]
    assert (await app("GET", f"/licenses/{licence['id']}")).body == licence
    assert (await amy("GET", f"/licenses/{licence['id']}")).status == 403
    assert (await app("GET", f"/licenses/{NOBODY}")).status == 404


@pytest.mark.parametrize(
    ("scopes", "people", "licences", "shown"),
    [
        (SCOPES, 403, 403, False),
        (f"{SCOPES} spark:people_read", 200, 403, False),
        (f"{SCOPES} spark:people_read spark-admin:people_read", 200, 403, True),
        ("guest-issuer:read spark:people_read spark-admin:licenses_read", 200, 200, False),
    ],
)
async def test_the_service_app_s_scopes(app, world, scopes, people, licences, shown):
    """What the token was not given is 403 and names the scope; licences of people need the admin's."""
    world.service_app_scopes = scopes
    bo = await app("GET", f"/people/{world.find_person('bo@example.com').id}")
    assert (bo.status, "licenses" in bo.body) == (people, shown)
    assert (await app("GET", "/people?email=bo@example.com")).status == people
    if people == 403:
        assert bo.body["message"] == "Missing required scope: spark:people_read"
    assert (await app("GET", "/licenses")).status == licences
    assert (await app.mint()).status == (200 if "guest-issuer:write" in scopes else 403)
    assert (await app("GET", "/guests/count")).status == 200
    assert (await app.refresh()).body["scope"] == scopes


async def test_bots_see_no_presence(nobody, amy, world):
    """A bot's token shows neither status nor last activity, unless it is told to; a person's shows both."""
    path = "/people?email=bo@example.com"
    [seen] = (await nobody.as_(BOT_TOKEN)("GET", path)).body["items"]
    assert not {"status", "lastActivity"} & seen.keys()
    assert {"status", "lastActivity"} <= (await amy("GET", path)).body["items"][0].keys()
    world.bots_see_presence = True
    assert (await nobody.as_(BOT_TOKEN)("GET", path)).body["items"][0]["status"] == "active"


async def test_a_renamed_person(ada, amy, world):
    """Another address from now on, the same person and 1:1; the old address still leads there."""
    first = (await ada.write()).body
    before = (await amy("GET", "/people/me")).body
    world.rename("amy@example.com", "amy.chen@example.com")
    said = world.say("amy@example.com", "ada", "hi")
    assert (said["personEmail"], said["personId"]) == ("amy.chen@example.com", before["id"])
    for address in ("amy@example.com", "amy.chen@example.com"):
        assert (await ada.write(to=address)).body["roomId"] == first["roomId"] == said["roomId"]
    assert (await amy("GET", "/people/me")).body["emails"] == ["amy.chen@example.com"]
    with pytest.raises(ValueError, match="already there"):
        world.rename("amy@example.com", "bo@example.com")


async def test_memberships_by_person_and_by_id(ada, amy, nobody, world):
    """Within a room by person or e-mail; by id for those who are in it; a person without a room is 400."""
    room = (await ada.write()).body["roomId"]
    person = world.find_person("amy@example.com").id
    for query in (f"personId={person}", "personEmail=AMY@example.com"):
        [found] = (await ada("GET", f"/memberships?roomId={room}&{query}")).body["items"]
        assert found["personId"] == person
        assert (await ada("GET", f"/memberships?{query}")).status == 400
    assert key_of(found["id"]) == f"{key_of(person)}:{key_of(room)}"
    assert (await ada("GET", f"/memberships/{found['id']}")).body == found
    assert (await nobody.as_("sim-token-bo@example.com")("GET", f"/memberships/{found['id']}")).status == 404
    elsewhere = f"/memberships?roomId={room}&personEmail=bo@example.com"
    assert (await ada("GET", elsewhere)).body == {"items": []}


async def test_rooms_and_memberships(ada, amy, world):
    """Both see the 1:1 under the other's name, and its two memberships."""
    room = (await ada.write()).body["roomId"]
    assert [each["title"] for each in (await amy("GET", "/rooms")).body["items"]] == ["Ada L."]
    assert (await ada("GET", f"/rooms/{room}")).body["title"] == "Amy Chen"
    members = (await ada("GET", f"/memberships?roomId={room}")).body["items"]
    assert {each["personDisplayName"] for each in members} == {"Ada L.", "Amy Chen"}
    assert len((await ada("GET", "/memberships")).body["items"]) == 1


async def test_unknown_paths_answer_in_the_error_shape(ada):
    """What the API does not have is 404 with a tracking id."""
    answer = await ada("GET", "/teams")
    assert (answer.status, answer.body["trackingId"]) == (404, answer.headers["TrackingID"])


def test_worlds_are_alike():
    """A person has the same id in every world, so separate processes agree."""
    assert World().find_person("amy@example.com").id == World().find_person("amy@example.com").id
