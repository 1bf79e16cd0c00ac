"""Webhooks: rules, deliveries, signatures, switching off."""

import hmac
import json
from hashlib import sha1, sha256, sha512

import pytest


def hook(receiver, **changed):
    body = {
        "name": "n",
        "targetUrl": receiver.url,
        "resource": "messages",
        "event": "created",
        "secret": "s3cret",
    }
    return {key: value for key, value in {**body, **changed}.items() if value is not None}


async def made(client, receiver, **changed):
    answer = await client("POST", "/webhooks", json=hook(receiver, **changed))
    assert answer.status == 200
    return answer.body


async def test_reply_is_announced_without_its_text(ada, receiver, world):
    """An agent's reply is a signed POST with ids only, to the guest's webhook."""
    await ada.write()
    kept = await made(ada, receiver)
    said = world.say("amy@example.com", "ada", "the text")
    await receiver.until(1)
    [(headers, body)] = receiver.got
    envelope = json.loads(body)
    assert headers["X-Spark-Signature"] == hmac.new(b"s3cret", body, sha1).hexdigest()
    assert "X-Webex-Signature" not in headers
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert (envelope["id"], envelope["resource"], envelope["event"]) == (kept["id"], "messages", "created")
    assert envelope["data"]["id"] == said["id"]
    assert envelope["actorId"] == envelope["data"]["personId"] == said["personId"]
    assert b"the text" not in body
    assert b"s3cret" not in body


async def test_own_sends_are_announced_too(ada, receiver):
    """The echo of one's own message comes like any other."""
    await made(ada, receiver)
    message = (await ada.write()).body
    await receiver.until(1)
    envelope = json.loads(receiver.got[0][1])
    assert (envelope["data"]["id"], envelope["actorId"]) == (message["id"], message["personId"])


async def test_only_what_its_creator_sees(ada, app, receiver, world, until):
    """A webhook hears of its creator's rooms and of no other."""
    bob = await app.guest("bob", "Bob")
    await made(ada, receiver)
    await bob.write("not for ada")
    mine = (await ada.write("mine")).body
    await receiver.until(1)
    assert [json.loads(body)["data"]["id"] for _, body in receiver.got] == [mine["id"]]


async def test_edits_deletions_and_filters(ada, receiver, world):
    """`all` hears of edits and deletions; a filter that does not match keeps a hook silent."""
    await made(ada, receiver, event="all")
    await made(ada, receiver, filter="personEmail=bo@example.com")
    await made(ada, receiver, filter="roomType=direct&personEmail=AMY@example.com", event="updated")
    await ada.write()
    said = world.say("amy@example.com", "ada", "typo")
    world.edit("amy@example.com", said["id"], "right")
    world.delete("amy@example.com", said["id"])
    await receiver.until(5)
    assert sorted(json.loads(body)["event"] for _, body in receiver.got) == [
        "created", "created", "deleted", "updated", "updated",
    ]  # fmt: skip


async def test_fires_after_its_creators_token_expired(ada, receiver, world, clock):
    """The token is needed to make a webhook, not to keep it."""
    await ada.write()
    await made(ada, receiver)
    clock.at += 70_000
    world.say("amy@example.com", "ada", "late")
    await receiver.until(1)
    assert (await ada("GET", "/webhooks")).status == 401


@pytest.mark.parametrize("mode", ["spark", "webex", "both", "none"])
async def test_signature_modes(ada, receiver, world, mode):
    """Either signature, both, or none."""
    world.signature_header = mode
    await made(ada, receiver)
    await ada.write()
    await receiver.until(1)
    headers, body = receiver.got[0]
    assert ("X-Spark-Signature" in headers) == (mode in ("spark", "both"))
    long = [hmac.new(b"s3cret", body, each).hexdigest() for each in (sha256, sha512)]
    expected = f"SHA-256={long[0]}, SHA-512={long[1]}" if mode in ("webex", "both") else None
    assert headers.get("X-Webex-Signature") == expected


async def test_without_a_secret_nothing_is_signed(ada, receiver):
    """No secret, no signature."""
    await made(ada, receiver, secret=None)
    await ada.write()
    await receiver.until(1)
    assert "X-Spark-Signature" not in receiver.got[0][0]


async def test_a_hundred_failures_switch_it_off(ada, receiver, world, until, clock):
    """100 failures within five minutes make a hook inactive; soon after re-enabling a single one does."""
    kept = await made(ada, receiver)
    path, receiver.status = f"/webhooks/{kept['id']}", 500
    for _ in range(99):
        await ada.write()
    await until(lambda: len(world.hooks[kept["id"]].failures) == 99)
    assert (await ada("GET", path)).body["status"] == "active"
    await ada.write()
    await until(lambda: not world.hooks[kept["id"]].active)
    await ada.write()
    assert (await ada("GET", path)).body["status"] == "inactive"
    enable = {"name": "n", "targetUrl": receiver.url, "status": "active"}
    assert (await ada("PUT", path, json=enable)).body["status"] == "active"
    await ada.write()
    await until(lambda: not world.hooks[kept["id"]].active)
    clock.at += 301
    assert (await ada("PUT", path, json=enable)).body["status"] == "active"
    await ada.write()
    await until(lambda: len(world.hooks[kept["id"]].failures) == 1)
    assert world.hooks[kept["id"]].active
    assert len(receiver.got) == 102


async def test_failures_over_a_long_time_do_not_count(ada, receiver, world, until, clock):
    """Failures older than five minutes are forgotten."""
    world.webhook_failures = 2
    kept = world.hooks[(await made(ada, receiver))["id"]]
    receiver.status = 404
    for _ in range(3):
        clock.at += 300
        await ada.write()
        await until(lambda: list(kept.failures) == [clock.at])
    assert kept.active


async def test_duplicates_and_gaps(ada, receiver, world):
    """Deliveries can come twice, or never."""
    await made(ada, receiver)
    world.webhook_lose = 1.0
    await ada.write("lost")
    world.webhook_lose, world.webhook_duplicate = 0.0, 1.0
    await ada.write("twice")
    await receiver.until(2)
    assert receiver.got[0][1] == receiver.got[1][1]
    assert len(receiver.got) == 2


async def test_deliveries_overtake_each_other(ada, receiver, world):
    """With a delay of chance the order of arrival is another than that of sending."""
    world.webhook_delay = 0.3
    await made(ada, receiver)
    sent = [(await ada.write(str(number))).body["id"] for number in range(12)]
    await receiver.until(12)
    got = [json.loads(body)["data"]["id"] for _, body in receiver.got]
    assert got != sent
    assert sorted(got) == sorted(sent)


async def test_retries_when_set(ada, receiver, world, until):
    """A failed delivery can be tried again."""
    world.webhook_retries, receiver.status = 2, 500
    await made(ada, receiver)
    await ada.write()
    await receiver.until(3)


async def test_card_presses_go_to_the_cards_author(nobody, ada, receiver, world):
    """attachmentActions reach the bot that sent the card, with ids only."""
    bot = nobody.as_("sim-bot-token")
    await made(bot, receiver, resource="attachmentActions")
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard"}}
    card = (await bot.write("card", attachments=[content])).body
    action = world.press("amy@example.com", card["id"], {"verb": "end"})
    await receiver.until(1)
    data = json.loads(receiver.got[0][1])["data"]
    assert (data["id"], data["messageId"], "inputs" in data) == (action["id"], card["id"], False)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": ""}, "name cannot be empty"),
        ({"targetUrl": None}, "targetUrl cannot be null"),
        ({"targetUrl": "ftp://x"}, "not a valid URL"),
        ({"resource": "teams"}, "resource"),
        ({"event": "pressed"}, "event"),
        ({"event": ["created"]}, "event"),
        ({"filter": "colour=red"}, "Invalid value for filter: colour"),
        ({"filter": "nonsense"}, "Invalid value for filter"),
    ],
)
async def test_bad_webhooks_are_400(ada, receiver, changed, sentence):
    """Each broken rule is named."""
    answer = await ada("POST", "/webhooks", json=hook(receiver, **changed))
    assert answer.status == 400
    assert sentence in answer.body["message"]


async def test_update_and_delete_rules(ada, amy, receiver):
    """PUT needs name and targetUrl and cannot deactivate; others' hooks are out of reach; DELETE is 204."""
    kept = await made(ada, receiver)
    assert kept["secret"] == "s3cret"
    path, full = f"/webhooks/{kept['id']}", {"name": "m", "targetUrl": receiver.url}
    for body in ({"name": "m"}, {"targetUrl": receiver.url}, {**full, "status": "inactive"}):
        assert (await ada("PUT", path, json=body)).status == 400
    assert (await ada("PUT", path, json={**full, "resource": "rooms"})).body["resource"] == "messages"
    assert (await amy("GET", path)).status == 404
    assert (await amy("DELETE", path)).status == 400
    assert (await ada("DELETE", path)).status == 204
    assert (await ada("DELETE", path)).status == 400
    assert (await ada("GET", path)).status == 404


async def test_who_may_have_them_and_duplicates(ada, receiver, world):
    """Webex may refuse guests webhooks, or the same webhook twice."""
    world.guest_webhooks = False
    assert (await ada("POST", "/webhooks", json=hook(receiver))).status == 403
    world.guest_webhooks = True
    await made(ada, receiver)
    await made(ada, receiver)
    world.duplicate_webhooks = "refuse"
    assert (await ada("POST", "/webhooks", json=hook(receiver))).status == 409
    assert len((await ada("GET", "/webhooks")).body["items"]) == 2
