"""Cisco's webexpythonsdk against the simulated Webex at the address that is the first argument."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from webexpythonsdk import ApiError, RateLimitError, WebexAPI

AMY, GUEST = "amy@example.com", {"subject": "sdk", "displayName": "Ada L."}
CARD = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard"}}


class Webex:
    """One SDK object for each token, as the SDK wants it."""

    def __init__(self, url: str) -> None:
        self.url = url + "/"
        grant = self.as_("any").access_tokens.refresh(
            "sim-client-id", "sim-client-secret", "sim-refresh-token"
        )
        self.app = self.as_(grant.access_token)
        self.bot, self.amy = self.as_("sim-bot-token"), self.as_(f"sim-token-{AMY}")

    def as_(self, token: str) -> WebexAPI:
        return WebexAPI(access_token=token, base_url=self.url, wait_on_rate_limit=False)

    def guest(self) -> WebexAPI:
        # The SDK has no calls for guests of a Service App, so its session makes them.
        return self.as_(self.app._session.post("guests/token", json=GUEST)["accessToken"])


def refused(status: int, call, *given, **named) -> ApiError:
    """The error of a call that must be answered with this status."""
    caught = None
    try:
        call(*given, **named)
    except ApiError as error:
        caught = error
    assert caught is not None, f"{call} was not refused"
    assert caught.status_code == status, caught
    return caught


def messages(webex: Webex) -> None:
    guest = webex.guest()
    refused(404, lambda: list(guest.messages.list_direct(personEmail="bo@example.com")))
    sent = guest.messages.create(toPersonEmail=AMY, markdown="**hi**")
    assert (sent.roomType, sent.text, sent.html) == ("direct", "hi", "<p><strong>hi</strong></p>")
    sent = guest.messages.update(sent.id, sent.roomId, text="hello")
    with tempfile.TemporaryDirectory() as folder:
        (note := Path(folder, "note.txt")).write_text("bytes")
        upload = guest.messages.create(roomId=sent.roomId, files=[str(note)])
    assert guest.messages.get(sent.id).text == "hello"
    assert "/contents/" in upload.files[0]
    for number in range(60):
        guest.messages.create(roomId=sent.roomId, text=str(number))
    wanted = [str(number) for number in reversed(range(60))]
    for found in (guest.messages.list_direct(personEmail=AMY), webex.amy.messages.list(sent.roomId, max=7)):
        texts = [each.text for each in found]
        assert texts[:60] == wanted
        assert len(texts) == 62
    guest.messages.delete(upload.id)
    gone = refused(404, guest.messages.get, upload.id)
    assert gone.message == "Unable to get message."
    assert gone.tracking_id.startswith("ROUTER_")


def people(webex: Webex) -> None:
    me = webex.guest().people.me()
    assert (me.type, me.displayName) == ("appuser", "Ada L.")
    [bo] = webex.amy.people.list(email="bo@example.com")
    assert webex.amy.people.get(bo.id).emails == ["bo@example.com"]
    assert [each.id for each in webex.app.people.list(id=bo.id)] == [bo.id]
    refused(401, webex.as_("nobody's").people.me)


def rooms_and_memberships(webex: Webex) -> None:
    guest = webex.guest()
    room = guest.messages.create(toPersonEmail=AMY, text="hi").roomId
    assert guest.rooms.get(room).title == "Amy Chen"
    assert [each.id for each in webex.amy.rooms.list(type="direct", max=1)] == [room]
    members = list(guest.memberships.list(roomId=room, max=1))
    assert {each.personDisplayName for each in members} == {"Ada L.", "Amy Chen"}
    [amy] = guest.memberships.list(roomId=room, personEmail=AMY)
    assert guest.memberships.get(amy.id).personEmail == AMY


def webhooks(webex: Webex) -> None:
    hooks = webex.guest().webhooks
    made = hooks.create("n", "http://127.0.0.1:9/hook", "messages", "created", "roomType=direct", "secret")
    assert hooks.get(made.id).filter == "roomType=direct"
    assert [each.id for each in hooks.list()] == [made.id]
    assert hooks.update(made.id, name="m", targetUrl=made.targetUrl).name == "m"
    hooks.delete(made.id)
    assert list(hooks.list()) == []
    assert "Invalid webhookId" in refused(400, hooks.delete, made.id).message


def attachment_actions(webex: Webex) -> None:
    card = webex.bot.messages.create(toPersonEmail=AMY, text="card", attachments=[CARD])
    for presser in (webex.amy, webex.bot):
        pressed = presser.attachment_actions.create("submit", card.id, {"verb": "end"})
        assert webex.bot.attachment_actions.get(pressed.id).inputs == {"verb": "end"}


def guests(webex: Webex) -> None:
    webex.guest()
    counted = webex.app._session.get("guests/count")
    assert counted == 1, counted


def throttled(webex: Webex) -> None:
    """The runner has the simulator answer this person's call 429."""
    limit = refused(429, lambda: list(webex.as_("sim-token-cy@example.com").licenses.list()))
    assert isinstance(limit, RateLimitError)
    assert limit.retry_after == 7


if __name__ == "__main__":
    for each in (messages, people, rooms_and_memberships, webhooks, attachment_actions, guests, throttled):
        each(Webex(sys.argv[1]))
        print(f"  {each.__name__}: as expected")
