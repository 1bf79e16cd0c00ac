"""The way back: what the agent writes reaches that customer, once, in order, by webhook as by polling."""

from __future__ import annotations

import pytest

from bridge.simulator import Simulator, World
from tests.harness import ShiftedClock, config, eventually, running
from tests.scenarios.steps import answer, greeted, has_status, heard

ways = pytest.mark.parametrize("public_url", [True, False], ids=["webhook", "poll"])


@ways
async def test_both_ways_give_the_same_transcript(sim: Simulator, world: World, public_url: bool) -> None:
    """Words, markdown, equal texts, own echoes and an end by /done: the same for webhooks and polling."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada, bert = await greeted(bridge, "ada"), await greeted(bridge, "bert")
        answer(world, "Hi **Ada**", markdown="Hi **Ada** <script>alert(1)</script>")
        answer(world, "ok")
        answer(world, "ok")
        answer(world, "Hi Bert", "Bert")
        await eventually(lambda: heard(ada, "Hi **Ada**", "ok", "ok"))
        await ada.say("thanks")
        await eventually(lambda: bridge.texts()[-1] == "thanks")
        answer(world, "bye")
        answer(world, " /DONE \n")
        answer(world, "too late")
        await eventually(lambda: has_status(ada, "ended"))
        spoken = [(item["from"], item["text"]) for item in await ada.messages() if item["from"] != "system"]
        assert spoken == [
            ("customer", "hello"),
            ("agent", "Hi **Ada**"),
            ("agent", "ok"),
            ("agent", "ok"),
            ("customer", "thanks"),
            ("agent", "bye"),
        ]
        html = (await ada.messages())[1]["html"]
        assert "<strong>Ada</strong>" in html
        assert "<script" not in html
        assert (await ada.state())["endReason"] == "agent"
        assert (await ada.say("hello?")).status == 409
        assert await heard(bert, "Hi Bert")
        assert await has_status(bert, "open")


@ways
async def test_commands_are_never_relayed(sim: Simulator, world: World, public_url: bool) -> None:
    """Whatever begins with a slash, known or not, stays between the agent and the bridge."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada = await greeted(bridge)
        for words in ("/dnoe", "/note she is angry", "/", "  /spaced"):
            answer(world, words)
        said = answer(world, "visible")
        await eventually(lambda: heard(ada, "visible"))
        world.edit("amy@example.com", said["id"], text="/done")
        answer(world, "after")
        await eventually(lambda: heard(ada, "visible", "after"))


@ways
async def test_edit_of_what_was_held_is_heard(sim: Simulator, world: World, public_url: bool) -> None:
    """A mistyped command that is mended by an edit: the words come then, and a command is done then."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada = await greeted(bridge)
        typo = answer(world, "/dnoe your refund is on its way")
        answer(world, "one moment")
        await eventually(lambda: heard(ada, "one moment"), within=60)
        world.edit("amy@example.com", typo["id"], text="your refund is on its way")
        await eventually(lambda: heard(ada, "one moment", "your refund is on its way"), within=60)
        world.edit("amy@example.com", typo["id"], text="your refund is here")
        await eventually(lambda: heard(ada, "one moment", "your refund is here"), within=60)
        end = answer(world, "/doen")
        answer(world, "bye")
        await eventually(lambda: heard(ada, "one moment", "your refund is here", "bye"), within=60)
        world.edit("amy@example.com", end["id"], text="/done")
        await eventually(lambda: has_status(ada, "ended"), within=60)


@ways
async def test_edit_of_what_came_too_late_stays_too_late(
    sim: Simulator, world: World, public_url: bool
) -> None:
    """Words from between two visits are for nobody, however often they are changed."""
    async with running(config(), sim, public_url=public_url) as bridge:
        first = await greeted(bridge)
        await first.end()
        late = answer(world, "for nobody")
        second = await greeted(bridge)
        answer(world, "welcome back")
        await eventually(lambda: heard(second, "welcome back"), within=60)
        world.edit("amy@example.com", late["id"], text="still for nobody")
        answer(world, "how are you?")
        await eventually(lambda: heard(second, "welcome back", "how are you?"), within=60)


@ways
async def test_edit_is_shown(sim: Simulator, world: World, public_url: bool) -> None:
    """The agent corrects what was said: the customer's page hears of it under the same id and seq."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada = await greeted(bridge)
        said = answer(world, "it costs 10")
        async with ada.stream(0) as stream:
            await eventually(lambda: "it costs 10" in stream.texts)
            world.edit("amy@example.com", said["id"], text="it costs 100")
            await eventually(lambda: heard(ada, "it costs 100"))
            await eventually(lambda: stream.of("update")[-1:] and stream.of("update")[-1]["from"] == "agent")
            shown, changed = stream.of("message")[-1], stream.of("update")[-1]
            assert changed == {**shown, "text": "it costs 100"}


async def test_deletion_is_shown(sim: Simulator, world: World) -> None:
    """What the agent takes back disappears from the customer's transcript, its place stays."""
    async with running(config(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        said = answer(world, "a slip")
        answer(world, "stays")
        await eventually(lambda: heard(ada, "a slip", "stays"))
        world.delete("amy@example.com", said["id"])
        await eventually(lambda: heard(ada, "", "stays"))


async def test_doubled_reordered_and_late_webhooks_change_nothing(sim: Simulator, world: World) -> None:
    """Each word once and in the order in which it was written."""
    world.change({"webhook_duplicate": 0.5, "webhook_delay": 0.3, "not_found_window": 0.2})
    async with running(config(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: len(world.hooks) == 3)
        words = [f"word {number}" for number in range(20)]
        for word in words:
            answer(world, word)
        await eventually(lambda: heard(ada, *words))


async def test_lost_webhooks_are_made_up_for(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Webex tells nothing at all: within half a minute the thread is read anyway."""
    world.webhook_lose = 1.0
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: len(world.hooks) == 3)
        answer(world, "can you hear me?")
        await bridge.advance(31)
        await eventually(lambda: heard(ada, "can you hear me?"))


async def test_what_was_said_while_we_were_down_is_read_back(sim: Simulator, world: World) -> None:
    """Nobody listened and no webhook is repeated: after the start everything is there, in order, once."""
    async with running(config(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: len(world.hooks) == 3)
        answer(world, "before")
        await eventually(lambda: heard(ada, "before"))
        await bridge.stop()
        words = [f"meanwhile {number}" for number in range(60)]  # more than a page of Webex's
        for word in words:
            answer(world, word)
        await bridge.start()
        answer(world, "after")
        await eventually(lambda: heard(ada, "before", *words, "after"))


async def test_refused_webhooks_are_replaced_by_polling(sim: Simulator, world: World) -> None:
    """Webex gives guests no webhook: replies are polled, /readyz says so, and it is asked once, not for each guest."""
    world.guest_webhooks = False
    async with running(config(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        answer(world, "polled")
        await eventually(lambda: heard(ada, "polled"))
        bert = await greeted(bridge, "bert")
        answer(world, "polled too", "Bert")
        await eventually(lambda: heard(bert, "polled too"))
        status, ready = await bridge.get("/readyz")
        assert (status, ready["replies"]) == (200, "polled")
        await bridge.restart()
        await greeted(bridge, "cleo")
        assert len(bridge.calls("/webhooks")) == 1


async def test_forged_webhooks_are_refused(sim: Simulator, world: World) -> None:
    """Without Webex's signature over the raw body nothing is believed: 401."""
    async with running(config(), sim, public_url=True) as bridge:
        await greeted(bridge)
        body = b'{"resource":"messages","event":"created","data":{"id":"x"}}'
        for signature in ({}, {"X-Spark-Signature": "0" * 40}, {"X-Spark-Signature": "\u00e9"}):
            async with bridge.session.post(
                f"{bridge.url}/webex/webhooks", data=body, headers=signature
            ) as got:
                assert got.status == 401


async def test_disabled_webhook_is_repaired(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Webex switched it off: it is on again, not within five minutes, and nothing said meanwhile is missing."""
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: len(world.hooks) == 3)
        for hook in world.hooks.values():
            hook.active = False
            hook.disabled_at = clock.now()
        answer(world, "unheard of")
        await bridge.advance(31)
        await eventually(lambda: heard(ada, "unheard of"))
        await bridge.service.look_over()
        await bridge.advance(61)
        await eventually(lambda: ("GET", "/v1/webhooks", 200) in bridge.calls())
        assert not any(hook.active for hook in world.hooks.values())
        await bridge.advance(310)
        await eventually(lambda: any(hook.active for hook in world.hooks.values()))
