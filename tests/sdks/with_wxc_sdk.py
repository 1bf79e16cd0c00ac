"""wxc_sdk, its plain and its asyncio form, against the simulated Webex at the address that is the first argument."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from wxc_sdk import WebexSimpleApi
from wxc_sdk.as_api import AsWebexSimpleApi
from wxc_sdk.as_rest import AsRestError, AsRestSession
from wxc_sdk.rest import RestError, RestSession
from wxc_sdk.rooms import RoomType
from wxc_sdk.webhook import WebhookEventType, WebhookResource

AMY = "amy@example.com"
CARD = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard"}}


class Webex:
    """One API object for each token, as the SDK wants it."""

    def __init__(self, url: str) -> None:
        self.url = url
        grant = RestSession(tokens=None, concurrent_requests=1).request(
            "POST",
            f"{url}/access_token",
            data={
                "grant_type": "refresh_token",
                "client_id": "sim-client-id",
                "client_secret": "sim-client-secret",
                "refresh_token": "sim-refresh-token",
            },
        )
        self.app_token = grant.json()["access_token"]
        self.app = self.as_(self.app_token)
        self.bot, self.amy = self.as_("sim-bot-token"), self.as_(f"sim-token-{AMY}")

    def as_(self, token: str) -> WebexSimpleApi:
        return WebexSimpleApi(tokens=token, retry_429=False)

    def guest(self) -> WebexSimpleApi:
        return self.as_(self.app.guests.create("sdk", "Ada L.").access_token)


def refused(status: int, call, *given, **named) -> RestError:
    """The error of a call that must be answered with this status."""
    caught = None
    try:
        call(*given, **named)
    except RestError as error:
        caught = error
    assert caught is not None, f"{call} was not refused"
    assert caught.response.status_code == status, caught
    return caught


def guests(webex: Webex) -> None:
    made = webex.app.guests.create("sdk", "Ada L.")
    assert made.email.endswith("@appid.ciscospark.com")
    assert (made.subject, made.expires_in) == ("sdk", 64799)
    assert int(webex.app.guests.guest_count()) == 1
    assert webex.as_(made.access_token).authorizations.get_token_expiration_status()
    refused(403, webex.amy.guests.create, "sdk", "Ada L.")


def messages(webex: Webex) -> None:
    guest = webex.guest()
    none = refused(404, lambda: list(guest.messages.list_direct(person_email="bo@example.com")))
    assert "Failed to get one on one conversation" in none.description
    sent = guest.messages.create(to_person_email=AMY, markdown="**hi**")
    assert (sent.room_type, sent.text) == (RoomType.direct, "hi")
    with tempfile.TemporaryDirectory() as folder:
        (note := Path(folder, "note.txt")).write_text("bytes")
        upload = guest.messages.create(room_id=sent.room_id, files=[str(note)])
    assert guest.messages.details(sent.id).text == "hi"
    assert "/contents/" in upload.files[0]
    for number in range(60):
        guest.messages.create(room_id=sent.room_id, text=str(number))
    wanted = [str(number) for number in reversed(range(60))]
    for found in (
        guest.messages.list_direct(person_email=AMY),
        webex.amy.messages.list(sent.room_id, max=7),
    ):
        texts = [each.text for each in found]
        assert texts[:60] == wanted
        assert len(texts) == 62
    guest.messages.delete(upload.id)
    assert "Unable to get message." in refused(404, guest.messages.details, upload.id).description


def edits(webex: Webex) -> None:
    guest = webex.guest()
    sent = guest.messages.create(to_person_email=AMY, text="typo")
    sent.text = "right"
    assert guest.messages.edit(sent).text == "right"


def people(webex: Webex) -> None:
    me = webex.guest().people.me()
    assert (me.person_type, me.display_name) == ("appuser", "Ada L.")
    [bo] = webex.amy.people.list(email="bo@example.com")
    assert webex.amy.people.details(bo.person_id).emails == ["bo@example.com"]
    assert [each.person_id for each in webex.app.people.list(id_list=[bo.person_id])] == [bo.person_id]
    assert webex.amy.people.details(bo.person_id_uuid).display_name == "Bo Diaz"
    refused(401, webex.as_("nobody's").people.me)


def licences(webex: Webex) -> None:
    [licence] = webex.app.licenses.list()
    assert webex.app.licenses.details(licence.license_id).name == licence.name == "Messaging"
    refused(403, webex.amy.licenses.list)


def rooms_and_memberships(webex: Webex) -> None:
    guest = webex.guest()
    room = guest.messages.create(to_person_email=AMY, text="hi").room_id
    assert guest.rooms.details(room).title == "Amy Chen"
    assert [each.id for each in webex.amy.rooms.list(type_=RoomType.direct, max=1)] == [room]
    members = list(guest.membership.list(room_id=room, max=1))
    assert {each.person_display_name for each in members} == {"Ada L.", "Amy Chen"}
    [amy] = guest.membership.list(room_id=room, person_email=AMY)
    assert guest.membership.details(amy.id).person_email == AMY


def webhooks(webex: Webex) -> None:
    hooks = webex.guest().webhook
    made = hooks.create(
        "n", "http://127.0.0.1:9/hook", WebhookResource.messages, WebhookEventType.created,
        "roomType=direct", "secret",
    )  # fmt: skip
    assert hooks.details(made.webhook_id).filter == "roomType=direct"
    assert [each.webhook_id for each in hooks.list()] == [made.webhook_id]
    assert hooks.details(made.webhook_id_uuid).name == "n"
    hooks.webhook_delete(made.webhook_id)
    assert list(hooks.list()) == []
    assert "Invalid webhookId" in refused(400, hooks.webhook_delete, made.webhook_id).description


def attachment_actions(webex: Webex) -> None:
    card = webex.bot.messages.create(to_person_email=AMY, text="card", attachments=[CARD])
    for presser in (webex.amy, webex.bot):
        pressed = presser.attachment_actions.create("submit", card.id, {"verb": "end"})
        assert webex.bot.attachment_actions.details(pressed.id).inputs == {"verb": "end"}


async def in_asyncio(webex: Webex) -> None:
    """The same calls of its other form."""
    async with AsWebexSimpleApi(tokens=webex.app_token) as app:
        made = await app.guests.create("sdk", "Ada L.")
        assert int(await app.guests.guest_count()) == 1
    async with AsWebexSimpleApi(tokens=made.access_token) as guest:
        sent = await guest.messages.create(to_person_email="bo@example.com", text="hi")
        assert [each.id async for each in guest.messages.list_direct_gen(person_email="bo@example.com")] == [
            sent.id
        ]
        await guest.messages.delete(sent.id)
        status = None
        try:
            await guest.messages.details(sent.id)
        except AsRestError as gone:
            status = gone.status
        assert status == 404


def throttled(webex: Webex) -> None:
    """The runner has the simulator answer this person's call 429."""
    limit = refused(429, webex.as_("sim-token-cy@example.com").licenses.list)
    assert limit.response.headers["Retry-After"] == "7"


if __name__ == "__main__":
    RestSession.BASE = AsRestSession.BASE = sys.argv[1]
    for each in (
        guests, messages, edits, people, licences, rooms_and_memberships, webhooks, attachment_actions, in_asyncio,
        throttled,
    ):  # fmt: skip
        done = each(Webex(sys.argv[1]))
        if done is not None:
            asyncio.run(done)
        print(f"  {each.__name__}: as expected")
