"""Webex keeps one endless 1:1 for a pair; what belongs to which visit is kept apart."""

from __future__ import annotations

import pytest

from bridge.simulator import Simulator, World
from tests.harness import RunningBridge, config, eventually, running
from tests.scenarios.steps import all_sent, answer, greeted, has_status, heard

ways = pytest.mark.parametrize("public_url", [True, False], ids=["webhook", "poll"])


@ways
async def test_reply_after_the_end_is_shown_to_nobody(sim: Simulator, world: World, public_url: bool) -> None:
    """The key is dead for the customer who left, and the returning one sees a clean conversation."""
    async with running(config(), sim, public_url=public_url) as bridge:
        first = await greeted(bridge)
        answer(world, "first visit")
        await eventually(lambda: heard(first, "first visit"))
        assert (await first.end()).status == 200
        assert (await first.call("GET")).status == 410
        assert (await first.call("GET", "/messages")).status == 410
        assert (await first.say("again")).status == 410
        await eventually(lambda: _open_conversations(bridge) == 0)
        answer(world, "late one")
        second = await bridge.opened("ada", "I am back")
        await eventually(lambda: bridge.texts()[-1] == "I am back")
        assert second.id != first.id
        answer(world, "second visit")
        await eventually(lambda: heard(second, "second visit"))
        assert await second.transcript() == [("customer", "I am back"), ("agent", "second visit")]
        assert len(world.guests) == 1
        assert len(world.rooms) == 1


def _open_conversations(bridge: RunningBridge) -> int:
    counts = bridge.service.health.counts
    return counts.open if counts else -1


@ways
async def test_reply_that_crosses_the_boundary_stays_on_its_side(
    sim: Simulator, world: World, public_url: bool
) -> None:
    """Words written while the next visit's first words are on their way belong to nobody's visit."""
    async with running(config(), sim, public_url=public_url) as bridge:
        first = await greeted(bridge)
        await first.end()
        fault = world.fault("POST /v1/messages", status=503)
        second = await bridge.opened("ada", "I am back")
        await eventually(lambda: fault.used)
        answer(world, "meant for the first visit")
        await eventually(lambda: bridge.texts()[-1] == "I am back")
        answer(world, "meant for the second")
        await eventually(lambda: heard(second, "meant for the second"))


async def test_end_by_the_source_leaves_it_readable_for_a_while(sim: Simulator, world: World) -> None:
    """conversation.ended: words on their way are still delivered, GET still answers, writing does not."""
    async with running(config(), sim) as bridge:
        ada = await greeted(bridge)
        status, ended = await bridge.event("conversation.ended", subject="ada")
        assert (status, ended["conversationId"]) == (202, ada.id)
        await eventually(lambda: has_status(ada, "ended"))
        assert (await ada.state())["endReason"] == "source"
        assert (await ada.say("more")).status == 409
        assert (await bridge.event("message.created", subject="ada", message="x"))[0] == 409
        assert (await bridge.event("conversation.ended", conversationId=ada.id))[0] == 409
        answer(world, "late")
        back = await bridge.opened("ada", "new visit")
        await eventually(lambda: all_sent(back))
        assert await ada.heard() == []
        assert await back.heard() == []


async def test_last_words_before_the_end_are_still_delivered(sim: Simulator, world: World) -> None:
    """Said, and left at once: the agent gets them although Webex was throttling."""
    async with running(config(), sim) as bridge:
        ada = await greeted(bridge)
        world.fault("POST /v1/messages", status=429, retry_after=1)
        await ada.say("one last thing")
        await ada.end()
        await eventually(lambda: bridge.texts() == ["hello", "one last thing"])


async def test_second_kiosk_sees_nothing_of_the_first(sim: Simulator, world: World) -> None:
    """A key opens its own conversation and no other; everything else is the same 401."""
    async with running(config(), sim) as bridge:
        ada, bert = await greeted(bridge, "ada"), await greeted(bridge, "bert")
        ada.key, bert.key = bert.key, ada.key
        for customer, key in ((ada, ada.key), (bert, bert.key), (ada, ""), (ada, "x" * 43), (ada, "é")):
            headers = {"Authorization": f"Bearer {key}"}
            answers = [
                await customer.call("GET", headers=headers),
                await customer.call("GET", "/messages", headers=headers),
                await customer.call("GET", f"/stream?key={key}", headers={"Authorization": ""}),
                await customer.call("POST", "/end", headers=headers),
            ]
            assert {got.status for got in answers} == {401}
