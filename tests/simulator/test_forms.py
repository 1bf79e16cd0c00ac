"""What real clients do that the documentation does not show: forms, slashes at the end, one call with two answers."""

import json

import pytest

from tests.simulator.test_messages import CARD


async def test_a_message_as_a_form(ada, world):
    """Form-encoded fields make the same message as JSON; its lists are JSON, or one text."""
    fields = {"toPersonEmail": "amy@example.com", "text": "a & b"}
    sent = await ada("POST", "/messages", data=fields)
    assert (sent.status, sent.body["text"]) == (200, "a & b")
    card = (await ada("POST", "/messages", data={**fields, "attachments": json.dumps([CARD])})).body
    assert card["attachments"] == [CARD]
    assert (await ada("POST", "/messages", data={"toPersonEmail": "amy@example.com"})).status == 400


async def test_webhooks_and_guests_as_forms(app, ada):
    """Every POST and PUT takes a form."""
    minted = await app("POST", "/guests/token", data={"subject": "bob", "displayName": "Bob"})
    assert minted.body["displayName"] == "Bob"
    hook = {"name": "n", "targetUrl": "http://127.0.0.1:1", "resource": "messages", "event": "created"}
    made = (await ada("POST", "/webhooks", data=hook)).body
    changed = await ada("PUT", f"/webhooks/{made['id']}", data={**hook, "name": "m"})
    assert changed.body["name"] == "m"
    assert (await ada("POST", "/messages", data=b"x", headers={"Content-Type": "text/plain"})).status == 415


@pytest.mark.parametrize("path", ["/people/me", "/messages/direct", "/rooms", "/webhooks", "/memberships"])
async def test_a_slash_at_the_end(ada, world, path):
    """The same answer, the same faults and the same line in the log as without it."""
    await ada.write()
    query = "?personEmail=amy@example.com" if "direct" in path else ""
    assert (await ada("GET", f"{path}/{query}")).status == 200
    assert world.calls[-1].path == f"/v1{path}"
    world.fault(f"GET {path}$", 503)
    assert (await ada("GET", f"{path}/{query}")).status == 503


async def test_minting_with_a_slash(app):
    """POST keeps its body, which a redirect would lose."""
    answer = await app("POST", "/guests/token/", json={"subject": "bob", "displayName": "Bob"})
    assert answer.body["displayName"] == "Bob"


async def test_the_count_as_json(app, world):
    """The number is the same, whatever it says it is."""
    await app.mint()
    plain = await app("GET", "/guests/count")
    assert (plain.headers["Content-Type"].partition(";")[0], plain.body) == ("text/plain", "1")
    world.count_as_json = True
    shown = await app("GET", "/guests/count")
    assert (shown.headers["Content-Type"], shown.body) == ("application/json;charset=UTF-8", 1)


async def test_when_a_token_lapses(ada, nobody, clock):
    """Epoch milliseconds of the caller's own token; none, none."""
    assert (await ada("GET", "/authorizations/tokenExpiry")).body == {"exp": int((clock.at + 64799) * 1000)}
    endless = (await nobody.as_("sim-bot-token")("GET", "/authorizations/tokenExpiry")).body["exp"]
    assert endless > clock.at * 1000
    assert (await nobody("GET", "/authorizations/tokenExpiry")).status == 401


async def test_a_client_s_own_html_and_a_card_alone(ada, amy, world, nobody, sim):
    """An agent's message may hold html that no markdown made, or a card and no word."""
    await ada.write()
    html = "<h2>Two</h2><table><tr><td>a</td><td>b</td></tr></table>"
    said = world.say("amy@example.com", "ada", "Two a b", html=html)
    assert (await ada("GET", f"/messages/{said['id']}")).body["html"] == html
    body = {"from": "amy@example.com", "to": "ada", "card": CARD["content"]}
    alone = (await nobody("POST", f"{sim.root}/_sim/say", json=body)).body
    assert "text" not in alone
    assert alone["attachments"] == [CARD]


@pytest.mark.parametrize(
    ("way", "disposition"),
    [
        ("quoted", 'attachment; filename="a _.txt"'),
        ("unquoted", "attachment; filename=a _.txt"),
        ("rfc2047", 'attachment; filename="=?UTF-8?B?YSDDvC50eHQ=?="'),
        ("none", "attachment"),
    ],
)
async def test_names_of_files(ada, amy, world, way, disposition):
    """Webex's ways to name a file in a header."""
    await ada.write()
    world.file_names = way
    said = world.say("amy@example.com", "ada", file=("a ü.txt", b"x", "text/plain"))
    assert (await ada("HEAD", said["files"][0])).headers["Content-Disposition"] == disposition


async def test_a_secret_lost_by_put(ada, world):
    """With `put_keeps_secret` off a PUT without the secret leaves the hook without one."""
    hook = {"name": "n", "targetUrl": "http://127.0.0.1:1", "resource": "messages", "event": "created"}
    made = (await ada("POST", "/webhooks", json={**hook, "secret": "s"})).body
    assert (await ada("PUT", f"/webhooks/{made['id']}", json=hook)).body["secret"] == "s"
    world.put_keeps_secret = False
    assert "secret" not in (await ada("PUT", f"/webhooks/{made['id']}", json=hook)).body


async def test_one_guest_s_webhooks_fail(ada, app, world):
    """A fault of one owner hits every webhook call of that guest, with its own words, and of nobody else."""
    words = "Invalid webhookId for Delete Webhook request."
    for method in ("POST", "PUT", "DELETE"):
        world.fault(f"{method} /v1/webhooks", status=400, message=words, owner="guest:ada", times=None)
    hook = {"name": "n", "targetUrl": "http://127.0.0.1:1", "resource": "messages", "event": "created"}
    bob = await app.guest("bob", "Bob")
    for method, path in (("POST", "/webhooks"), ("PUT", "/webhooks/x"), ("DELETE", "/webhooks/x")):
        refused = await ada(method, path, json=hook)
        assert (refused.status, refused.body["errors"]) == (400, [{"description": words}])
    assert (await bob("POST", "/webhooks", json=hook)).status == 200
