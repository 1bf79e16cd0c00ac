"""Messages, 1:1 rooms, paging, cards."""

import pytest

from bridge.simulator import BOT_TOKEN

NOWHERE = "00000000-0000-4000-8000-000000000000"
CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {"type": "AdaptiveCard", "body": []},
}


async def test_first_message_opens_the_one_room_of_the_pair(ada, amy, world):
    """Both directions, by e-mail, id or room, share one 1:1; sending answers 200 with the message."""
    first = await ada.write("hello")
    me = (await ada("GET", "/people/me")).body
    second = await amy("POST", "/messages", json={"toPersonId": me["id"], "text": "hi"})
    third = await amy("POST", "/messages", json={"roomId": first.body["roomId"], "text": "again"})
    assert (first.status, second.status, third.status) == (200, 200, 200)
    assert {each.body["roomId"] for each in (first, second, third)} == {first.body["roomId"]}
    assert first.body["roomType"] == "direct"
    assert first.body["created"].endswith("Z")
    assert len(first.body["created"]) == len("2015-10-18T14:26:16.000Z")
    assert [each["text"] for each in world.messages_to("amy@example.com")] == ["hello"]
    assert len(world.rooms) == 1


async def test_another_agent_is_another_room(ada):
    """Two agents mean two rooms."""
    rooms = {(await ada.write("x", to)).body["roomId"] for to in ("amy@example.com", "bo@example.com")}
    assert len(rooms) == 2


async def test_direct_lists_both_parties_newest_first(ada, world):
    """GET /messages/direct gives the newest fifty of both, newest first, and 404 where there is no 1:1."""
    for number in range(49):
        await ada.write(str(number))
    world.say("amy@example.com", "ada", "answer")
    world.say("amy@example.com", "ada", "last")
    items = (await ada("GET", "/messages/direct?personEmail=AMY@example.com")).body["items"]
    assert [each["text"] for each in items[:3]] == ["last", "answer", "48"]
    assert len(items) == 50
    for status in (404, 400, 403):
        world.no_room_status = status
        missing = await ada("GET", "/messages/direct?personEmail=bo@example.com")
        assert (missing.status, missing.body["message"]) == (status, "Failed to get one on one conversation")
    world.no_room_status = 200
    assert (await ada("GET", "/messages/direct?personEmail=bo@example.com")).body == {"items": []}
    assert (await ada("GET", "/messages/direct")).status == 400


async def test_direct_goes_on_by_link(ada, world):
    """Pages of a 1:1 are chained by Link, their size is Webex's alone, and none is lost or doubled."""
    world.direct_page = 2
    for number in range(5):
        await ada.write(str(number))
    url, pages = "/messages/direct?personEmail=amy@example.com&max=100", []
    while url:
        answer = await ada("GET", url)
        pages.append([each["text"] for each in answer.body["items"]])
        url = answer.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_length_is_counted_in_bytes(ada):
    """7439 bytes pass and one more does not, however many characters they are."""
    assert (await ada.write("ü" * 3719 + "x")).status == 200
    assert (await ada.write("ü" * 3720)).status == 400
    assert (await ada.write("x" * 7440)).status == 400
    over = {"toPersonEmail": "amy@example.com", "markdown": "€" * 2480}
    assert (await ada("POST", "/messages", json=over)).status == 400


NOBODY = "01234567-89ab-4def-8123-456789abcdef"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"toPersonEmail": "amy@example.com"}, "Both text and file cannot be empty."),
        ({"text": "x"}, "Exactly one of the destination fields"),
        (
            {"text": "x", "toPersonEmail": "amy@example.com", "roomId": "r"},
            "Exactly one of the destination fields",
        ),
        ({"text": 1, "toPersonEmail": "amy@example.com"}, "text must be a string"),
        ({"text": "x", "toPersonEmail": "amy@example.com", "attachments": [CARD, CARD]}, "one adaptive card"),
        ({"text": "x", "toPersonEmail": "amy@example.com", "attachments": "x"}, "one adaptive card"),
        ({"text": "x", "toPersonEmail": "amy@example.com", "files": ["a", "b"]}, "Only one file"),
        ({"text": "x", "toPersonEmail": "amy@example.com", "parentId": "p"}, "Expect base64 ID or UUID."),
        ({"text": "x", "toPersonEmail": "amy@example.com", "parentId": NOBODY}, "parent message"),
    ],
)
async def test_bad_messages_are_400(ada, body, sentence):
    """Each broken rule of a message's body is named."""
    answer = await ada("POST", "/messages", json=body)
    assert answer.status == 400
    assert sentence in answer.body["message"]


async def test_who_cannot_be_written_to(ada, app, world):
    """Unknown people are 404, other guests 403, agents closed to external people 403 unless a 1:1 exists."""
    other = (await app.mint("bob", "Bob")).body
    assert (await ada.write("x", "nobody@example.com")).status == 404
    assert (await ada.write("x", other["email"])).status == 403
    assert (await ada("POST", "/messages", json={"toPersonId": other["id"], "text": "x"})).status == 403
    assert (await ada("POST", "/messages", json={"roomId": NOWHERE, "text": "x"})).status == 404
    junk = await ada("POST", "/messages", json={"roomId": "nowhere", "text": "x"})
    assert (junk.status, junk.body["message"]) == (400, "Expect base64 ID or UUID.")
    assert (await ada.write("x", "bo@example.com")).status == 200
    for email in ("bo@example.com", "cy@example.com"):
        world.find_person(email).external_blocked = True
    assert (await ada.write("x", "bo@example.com")).status == 200
    for status in (403, 400, 404):
        world.refused_status = status
        refused = await ada.write("x", "cy@example.com")
        assert (refused.status, refused.body["message"]) == (status, "Failed to get one on one conversation")
    assert (await ada.write("x", "help@webex.bot")).status == 200


async def test_auto_people_makes_agents_up(ada, world):
    """With auto_people an unknown address becomes a licensed person."""
    world.auto_people = True
    assert (await ada.write("x", "new@example.com")).status == 200
    assert world.find_person("new@example.com").licensed


async def test_markdown_becomes_safe_html(ada):
    """Markdown gives html and a plain text; markup of the sender is escaped."""
    body = {"toPersonEmail": "amy@example.com", "markdown": "**hello** <img src=x onerror=1>"}
    message = (await ada("POST", "/messages", json=body)).body
    assert message["html"] == "<p><strong>hello</strong> &lt;img src=x onerror=1&gt;</p>"
    assert message["text"] == "hello <img src=x onerror=1>"
    assert "html" not in (await ada.write("**plain**")).body


async def test_only_the_two_see_a_message(ada, amy, nobody):
    """A third person gets 403 for the message, 404 for the room and its list."""
    message = (await ada.write()).body
    bo = nobody.as_("sim-token-bo@example.com")
    for path in (
        f"/messages?roomId={message['roomId']}",
        f"/rooms/{message['roomId']}",
    ):
        assert (await amy("GET", path)).status == 200
        assert (await bo("GET", path)).status == 404
    foreign = await bo("GET", f"/messages/{message['id']}")
    assert (foreign.status, foreign.body["message"]) == (403, "Failed to get activity.")


async def test_edit_and_delete_are_the_authors(ada, amy):
    """Only the author edits, at most ten times, and deletes; a message that is gone is 404."""
    message = (await ada.write("typo")).body
    path, edit = f"/messages/{message['id']}", {"roomId": message["roomId"], "text": "right"}
    assert (await amy("PUT", path, json=edit)).status == 403
    assert (await amy("DELETE", path)).status == 403
    assert (await ada("PUT", path, json={"roomId": "x", "text": "right"})).status == 400
    assert [(await ada("PUT", path, json=edit)).status for _ in range(11)] == [200] * 10 + [400]
    shown = (await amy("GET", path)).body
    assert (shown["text"], "updated" in shown) == ("right", True)
    assert (await ada("DELETE", path)).status == 204
    gone = await amy("GET", path)
    assert (gone.status, gone.body["message"]) == (404, "Unable to get message.")


async def test_paging_follows_the_link_header(ada, world):
    """Pages of a room, newest first, are chained by Link; an empty first page can have a next one too."""
    room = (await ada.write("0")).body["roomId"]
    for number in range(1, 5):
        await ada.write(str(number))
    world.empty_pages = True
    url, pages = f"/messages?roomId={room}&max=2", []
    while url:
        answer = await ada("GET", url)
        pages.append([each["text"] for each in answer.body["items"]])
        link = answer.headers.get("Link", "")
        assert not link or link.endswith('>; rel="next"')
        url = link.partition(">")[0].lstrip("<")
    assert pages == [[], ["4", "3"], ["2", "1"], ["0"]]


async def test_before_a_time_and_before_a_message(ada, clock):
    """`before` and `beforeMessage` leave out the moment and the message that they name."""
    first = (await ada.write("0")).body
    clock.at += 1
    second = (await ada.write("1")).body
    base = f"/messages?roomId={first['roomId']}"
    for query in (f"&before={second['created']}", f"&beforeMessage={second['id']}"):
        assert [each["text"] for each in (await ada("GET", base + query)).body["items"]] == ["0"]
    for query in ("&before=yesterday", "&max=0", "&max=x"):
        assert (await ada("GET", base + query)).status == 400
    assert (await ada("GET", "/messages")).status == 400


async def test_a_message_may_lag_behind_its_webhook(ada, amy, world, clock):
    """Within the window the other party gets 404 for a new message, and after it the message."""
    world.not_found_window = 2
    path = f"/messages/{(await ada.write()).body['id']}"
    assert (await amy("GET", path)).status == 404
    assert (await ada("GET", path)).status == 200
    clock.at += 2
    assert (await amy("GET", path)).status == 200


async def test_card_is_submitted_by_its_receiver(ada, amy, nobody, world):
    """An agent presses a bot's card, or the bot itself does; the bot reads the inputs; others cannot."""
    bot = nobody.as_(BOT_TOKEN)
    card = (await bot.write("card", attachments=[CARD])).body
    submit = {"type": "submit", "messageId": card["id"], "inputs": {"verb": "end"}}
    pressed = await amy("POST", "/attachment/actions", json=submit)
    assert pressed.status == 200
    path = f"/attachment/actions/{pressed.body['id']}"
    assert (await bot("GET", path)).body["inputs"] == {"verb": "end"}
    assert world.press("amy@example.com", card["id"], {"verb": "more"})["inputs"] == {"verb": "more"}
    assert (await ada("GET", path)).status == 404
    assert (await bot("POST", "/attachment/actions", json=submit)).body["personId"] == card["personId"]
    assert (await ada("POST", "/attachment/actions", json=submit)).status == 403
    world.action_status = 202
    assert (await amy("POST", "/attachment/actions", json=submit)).status == 202
    plain = (await bot.write("no card")).body
    assert (await amy("POST", "/attachment/actions", json={**submit, "messageId": plain["id"]})).status == 400
    edit = {"roomId": card["roomId"], "text": "x"}
    assert (await bot("PUT", f"/messages/{card['id']}", json=edit)).status == 400


async def test_an_agent_only_writes_in_an_existing_room(app, world):
    """`say` to a guest who never wrote to this agent is a LookupError."""
    await app.mint()
    with pytest.raises(LookupError, match="no 1:1"):
        world.say("amy@example.com", "ada", "hello?")
