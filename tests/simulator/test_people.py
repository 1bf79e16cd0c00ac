"""People, licences, rooms, memberships."""

from bridge.simulator import World


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
    body = (await amy("GET", f"/people?id={bo},nobody")).body
    assert ([each["id"] for each in body["items"]], body["notFoundIds"]) == ([bo], ["nobody"])
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
