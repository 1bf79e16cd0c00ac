"""Ids as they come from elsewhere than `us`, and as clients send them back."""

import re
from base64 import urlsafe_b64decode

import aiohttp
import pytest

from bridge.simulator.ids import candidates, key_of, make_id

AWAY = "urn:TEAM:us-west-2_r"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def plain(webex_id):
    return urlsafe_b64decode(webex_id + "=" * (-len(webex_id) % 4)).decode()


async def test_only_some_live_in_a_region(ada, world):
    """Messages, rooms and contents name the region, people and webhooks `us`; a content is its message's."""
    world.id_region = AWAY
    hook = {"name": "n", "targetUrl": "http://127.0.0.1:1", "resource": "messages", "event": "created"}
    webhook = (await ada("POST", "/webhooks", json=hook)).body["id"]
    sent = (await ada("POST", "/messages", data=file_form())).body
    content = sent["files"][0].rpartition("/")[2]
    assert plain(content) == f"ciscospark://{AWAY}/CONTENT/{key_of(sent['id'])}/0"
    for kind, made in (("MESSAGE", sent["id"]), ("ROOM", sent["roomId"])):
        assert UUID.fullmatch(plain(made).removeprefix(f"ciscospark://{AWAY}/{kind}/"))
    for kind, made in (("PEOPLE", sent["personId"]), ("WEBHOOK", webhook)):
        assert plain(made).startswith(f"ciscospark://us/{kind}/")
    assert not set("+/=") & set(content + sent["id"] + sent["roomId"])


def file_form():
    """A message with a file, as a client without JSON sends it."""
    form = aiohttp.FormData({"toPersonEmail": "amy@example.com", "text": "look"})
    form.add_field("files", b"bytes", filename="a.txt", content_type="text/plain")
    return form


async def test_what_the_socket_names_is_found(amy, ada, sim, world):
    """The public id of a message that the websocket told by its UUID alone is the one that the API gave."""
    world.id_region = AWAY
    sent = (await ada.write("hello")).body["id"]
    answer = await amy("GET", f"{sim.root}/conversation/api/v1/messages/{key_of(sent)}")
    assert answer.body["id"] == sent


@pytest.mark.parametrize("region", ["us", AWAY])
async def test_a_raw_uuid_is_an_id(ada, amy, world, region):
    """People, rooms, messages, contents and webhooks are found by their UUID alone, in a path, a query and a body."""
    world.id_region = region
    sent = (await ada.write("hello")).body
    person, room = key_of(world.find_person("amy@example.com").id), key_of(sent["roomId"])
    assert (await ada("GET", f"/messages/{key_of(sent['id'])}")).body["text"] == "hello"
    assert (await ada("GET", f"/messages/{key_of(sent['id']).upper()}")).body["text"] == "hello"
    assert (await ada("GET", f"/rooms/{room}")).body["id"] == sent["roomId"]
    assert len((await ada("GET", f"/messages/direct?personId={person}")).body["items"]) == 1
    assert (await amy("GET", f"/people/{person}")).body["displayName"] == "Amy Chen"
    more = (await ada("POST", "/messages", json={"toPersonId": person, "text": "more"})).body
    assert more["roomId"] == sent["roomId"]
    assert (await ada("POST", "/messages", json={"roomId": room, "text": "again"})).status == 200


@pytest.mark.parametrize("junk", ["x", "!", "ü", "Y2lzY29zcGFyazovL3VzL1JPT00", "0" * 4000])
async def test_what_is_no_id_is_400(ada, junk):
    """Neither base64 of an id nor a UUID: 400 in Webex's words, for every kind."""
    for path in ("messages", "rooms", "people", "webhooks", "contents", "attachment/actions"):
        answer = await ada("GET", f"/{path}/{junk}")
        assert (answer.status, answer.body["message"]) == (400, "Expect base64 ID or UUID.")


def test_an_id_keeps_its_own_region():
    """What was given as an id is looked for as it stands, with or without padding."""
    made = make_id("ROOM", "r", AWAY)
    assert candidates("ROOM", made + "==", "us") == (made,)
