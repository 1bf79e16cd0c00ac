"""Texts longer than Webex takes are split, and stay whole."""

from __future__ import annotations

from bridge.simulator import Simulator, World
from tests.harness import config, eventually, running

LONG = " ".join(f"word{number}-äöü-😀" for number in range(1200))


async def test_long_text_arrives_whole_in_parts(sim: Simulator, world: World) -> None:
    """Split at words below 7439 bytes, in order, once each although an answer gets lost."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        world.fault("POST /v1/messages", "drop_after", after=1)
        assert (await bridge.event("message.created", subject="ada", message=LONG))[0] == 202
        await ada.say("after it")
        await eventually(lambda: bridge.texts()[-1] == "after it")
        parts = bridge.texts()[1:-1]
        assert len(parts) > 2
        assert max(len(part.encode()) for part in parts) <= 7439
        assert " ".join(" ".join(parts).split()) == LONG
        items = await ada.messages()
        assert [item["text"] for item in items] == ["hello", LONG, "after it"]


async def test_text_without_any_space_arrives_whole(sim: Simulator) -> None:
    """No word boundary to split at, and no character is cut in two."""
    blob = "é😀x" * 2500
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada")
        assert (await ada.say(blob)).status == 202
        await eventually(lambda: "".join(bridge.texts()) == blob)


async def test_repeated_idempotency_key_sends_nothing(sim: Simulator) -> None:
    """A page that tries again answers the same; without a key two equal texts are two messages."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        first = await ada.say("yes", idempotency_key="k1")
        again = await ada.say("yes", idempotency_key="k1")
        assert (first.status, first.body) == (again.status, again.body)
        await ada.say("yes")
        await ada.say("end")
        await eventually(lambda: bridge.texts()[-1:] == ["end"])
        assert bridge.texts() == ["hello", "yes", "yes", "end"]


async def test_repeated_event_is_one_event(sim: Simulator) -> None:
    """The same webhook-id is answered 200 with the same ids and conversationKey, also after a restart."""
    async with running(config(), sim) as bridge:
        status, first = await bridge.event(
            webhook_id="id-1", subject="ada", displayName="Ada", message="hello"
        )
        assert status == 202
        await eventually(lambda: bridge.texts() == ["hello"])
        await bridge.restart()
        status, again = await bridge.event(
            webhook_id="id-1", subject="ada", displayName="Ada", message="something else"
        )
        assert status == 200
        del first["headers"], again["headers"]
        assert again == first
        await bridge.event("message.created", subject="ada", message="end")
        await eventually(lambda: bridge.texts() == ["hello", "end"])
