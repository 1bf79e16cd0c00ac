"""The real webexteamssdk against the simulator."""

import asyncio

import pytest
from webexteamssdk import ApiError, RateLimitError, WebexTeamsAPI

from bridge.simulator import (
    BOT_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    GUEST_ISSUER_ID,
    GUEST_ISSUER_SECRET,
    REFRESH_TOKEN,
)


@pytest.fixture
def api(sim):
    def make(token):
        return WebexTeamsAPI(access_token=token, base_url=sim.url + "/", wait_on_rate_limit=False)

    return make


async def test_messages(api, ada, tmp_path):
    """Create, list, get and delete, and an upload, through the SDK with a guest's token."""
    (tmp_path / "note.txt").write_text("hello")

    def work():
        guest = api(ada.token)
        sent = guest.messages.create(toPersonEmail="amy@example.com", markdown="**hi**")
        upload = guest.messages.create(toPersonEmail="amy@example.com", files=[str(tmp_path / "note.txt")])
        seen = [each.id for each in guest.messages.list_direct(personEmail="amy@example.com")]
        assert guest.messages.get(sent.id).text == "hi"
        paged = [each.id for each in guest.messages.list(roomId=sent.roomId, max=1)]
        guest.messages.delete(sent.id)
        with pytest.raises(ApiError) as gone:
            guest.messages.get(sent.id)
        return sent.id, upload, seen, paged, gone.value

    sent, upload, seen, paged, gone = await asyncio.to_thread(work)
    assert seen == paged == [upload.id, sent]
    assert gone.status_code == 404
    assert gone.tracking_id.startswith("ROUTER_")
    assert (await ada("GET", upload.files[0])).body == "hello"


async def test_people_and_rooms(api):
    """people.me, people.list and the bot's own identity."""

    def work():
        amy = api("sim-token-amy@example.com")
        return (
            amy.people.me().displayName,
            [each.displayName for each in amy.people.list(email="bo@example.com")],
            api(BOT_TOKEN).people.me().type,
        )

    assert await asyncio.to_thread(work) == ("Amy Chen", ["Bo Diaz"], "bot")


async def test_webhooks(api, receiver):
    """Create, list, update and delete webhooks."""

    def work():
        hooks = api(BOT_TOKEN).webhooks
        made = hooks.create(
            name="n", targetUrl=receiver.url, resource="messages", event="created", secret="s"
        )
        assert [each.id for each in hooks.list()] == [made.id]
        assert hooks.update(made.id, name="m", targetUrl=receiver.url).name == "m"
        hooks.delete(made.id)
        return list(hooks.list())

    assert await asyncio.to_thread(work) == []


async def test_cards(api):
    """An agent submits a bot's card and the bot reads it."""
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard"}}

    def work():
        bot, amy = api(BOT_TOKEN), api("sim-token-amy@example.com")
        sent = bot.messages.create(toPersonEmail="amy@example.com", text="card", attachments=[card])
        pressed = amy.attachment_actions.create(type="submit", messageId=sent.id, inputs={"verb": "end"})
        return bot.attachment_actions.get(pressed.id).inputs

    assert await asyncio.to_thread(work) == {"verb": "end"}


async def test_tokens(api, clock):
    """access_tokens.refresh for the Service App and guest_issuer.create for the legacy flow."""

    def work():
        any_ = api("any")
        refreshed = any_.access_tokens.refresh(CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN)
        guest = any_.guest_issuer.create(
            "guest-1", "Ada", GUEST_ISSUER_ID, str(int(clock.at) + 60), GUEST_ISSUER_SECRET
        )
        return refreshed.expires_in, api(guest.token).people.me().displayName

    assert await asyncio.to_thread(work) == (1209600, "Ada")


async def test_rate_limit(api, ada, world):
    """The SDK sees a 429 and its Retry-After."""
    world.fault("GET /v1/people/me", 429, retry_after=7)

    def work():
        with pytest.raises(RateLimitError) as limit:
            api(ada.token).people.me()
        return limit.value.retry_after

    assert await asyncio.to_thread(work) == 7
