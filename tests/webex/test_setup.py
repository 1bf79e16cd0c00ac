"""Set-up questions through Cisco's real SDK, against the simulator and a server of odd answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bridge.domain import errors
from bridge.simulator import BOT_EMAIL, BOT_TOKEN, Simulator, person_token
from bridge.webex.setup import OUR_WEBHOOKS, check_agents, reconcile_webhooks, who_am_i
from tests.webex.server import serving

TARGET = "https://bridge.example.com/webex/webhooks"
WANTED = [("messages", "created", "roomType=direct&hasFiles=true"), ("attachmentActions", "created", None)]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator() as sim:
        yield sim


async def test_agents_are_people_and_not_bots(sim: Simulator) -> None:
    """An agent is found whatever the case of the address; a bot and nobody are told apart."""
    checks = await check_agents(
        sim.url, person_token("kim@example.com"), ["Amy@Example.com", BOT_EMAIL, "nobody@example.com"]
    )
    assert checks["Amy@Example.com"].found is True
    assert (checks[BOT_EMAIL].found, checks[BOT_EMAIL].type) == (False, "bot")
    assert (checks["nobody@example.com"].found, checks["nobody@example.com"].type) == (False, None)


async def test_what_a_token_may_not_see_is_not_denied(sim: Simulator) -> None:
    """A 403 for one agent is no verdict on the agent; a wrong token is an error for all."""
    sim.world.fault("GET /people", 403, times=1)
    checks = await check_agents(sim.url, BOT_TOKEN, ["amy@example.com", "bo@example.com"])
    assert (checks["amy@example.com"].found, checks["bo@example.com"].found) == (None, True)
    assert checks["amy@example.com"].reason
    with pytest.raises(errors.Unauthorized):
        await check_agents(sim.url, "mistyped", ["amy@example.com"])


async def test_the_bot_knows_who_it_is(sim: Simulator) -> None:
    """With or without a slash at the end of the address."""
    for url in (sim.url, sim.url + "/"):
        assert (await who_am_i(url, BOT_TOKEN)).emails == (BOT_EMAIL,)
    with pytest.raises(errors.Refused):
        await who_am_i(sim.url, "")


async def test_webhooks_are_made_once_mended_and_cleared(sim: Simulator) -> None:
    """A second run changes nothing; a switched-off one is switched on; stale ones go, other people's stay."""
    made = await reconcile_webhooks(sim.url, BOT_TOKEN, TARGET, "s3cret", WANTED)
    assert len(made.created) == 2
    again = await reconcile_webhooks(sim.url, BOT_TOKEN, TARGET, "s3cret", WANTED)
    assert again == type(again)()
    foreign = await reconcile_webhooks(sim.url, person_token("amy@example.com"), TARGET, "x", WANTED[1:])
    sim.world.hooks[made.created[0]].active = False
    mended = await reconcile_webhooks(
        sim.url, BOT_TOKEN, TARGET, "s3cret", [(*WANTED[0][:2], "hasFiles=true&roomType=direct")]
    )
    assert (mended.created, mended.repaired, mended.deleted) == ((), made.created[:1], made.created[1:])
    moved = await reconcile_webhooks(sim.url, BOT_TOKEN, "https://new.example.com/", "s3cret", WANTED[:1])
    assert (len(moved.created), moved.deleted) == (1, made.created[:1])
    assert set(sim.world.hooks) == {*foreign.created, *moved.created}
    assert all(hook.name == OUR_WEBHOOKS for hook in sim.world.hooks.values())


async def test_webhooks_that_are_gone_are_made_anew(sim: Simulator) -> None:
    """Somebody removed what was just listed: 404 on PUT, 400 about its id on DELETE. Other refusals are told."""
    made = await reconcile_webhooks(sim.url, BOT_TOKEN, TARGET, "s3cret", WANTED)
    sim.world.hooks[made.created[0]].active = False
    sim.world.fault("PUT /v1/webhooks", status=404)
    sim.world.fault(
        "DELETE /v1/webhooks", status=400, message="Invalid webhookId for Delete Webhook request."
    )
    mended = await reconcile_webhooks(sim.url, BOT_TOKEN, TARGET, "s3cret", WANTED[:1])
    assert (len(mended.created), mended.repaired, mended.deleted) == (1, (), made.created[1:])
    sim.world.fault("DELETE /v1/webhooks", status=400, message="You are not the owner of it.")
    with pytest.raises(errors.Refused, match="not the owner"):
        await reconcile_webhooks(sim.url, BOT_TOKEN, TARGET, "s3cret", [])


async def test_a_changed_secret_reaches_webex(sim: Simulator) -> None:
    """Webex echoes the secret, so a webhook that signs with another one is mended."""
    made = await reconcile_webhooks(sim.url, BOT_TOKEN, TARGET, "old", WANTED[:1])
    mended = await reconcile_webhooks(sim.url, BOT_TOKEN, TARGET, "new", WANTED[:1])
    assert mended.repaired == made.created
    assert sim.world.hooks[made.created[0]].secret == "new"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}, "text": "<html>"}, errors.Throttled),
        ({"status": 429, "headers": {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}}, errors.Throttled),
        ({"status": 429, "headers": {"Retry-After": "soon"}}, errors.Throttled),
        ({"status": 503, "text": "<html>", "content_type": "text/html"}, errors.Doubtful),
        ({"status": 500, "text": "[1]", "content_type": "application/json"}, errors.Doubtful),
        ({"status": 401, "text": "{}", "content_type": "application/json"}, errors.Unauthorized),
        ({"text": "<html>", "content_type": "text/html"}, errors.Doubtful),
        ({"text": "[]", "content_type": "application/json"}, errors.Doubtful),
        ({"text": "{}", "content_type": "application/json"}, errors.Doubtful),
        ({"text": '{"items": [5]}', "content_type": "application/json"}, errors.Doubtful),
        ({"text": '{"items": [{"id": 5}]}', "content_type": "application/json"}, errors.Doubtful),
        ({"text": "[" * 50_000, "content_type": "application/json"}, errors.Doubtful),
    ],
)
async def test_every_error_of_the_sdk_is_one_of_ours(
    answer: dict[str, Any], kind: type[errors.WebexError]
) -> None:
    """Whatever the SDK makes of an odd answer, callers see our tree, with nothing of the SDK's chained to it."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(**answer)

    async with serving(handler) as url:
        with pytest.raises(errors.WebexError) as caught:
            await check_agents(url, "token-hush", ["amy@example.com"])
        assert type(caught.value) is kind
        assert "hush" not in str(caught.value)
        assert caught.value.__context__ is None
    with pytest.raises(errors.Unavailable):
        await who_am_i(url, "token-hush")
