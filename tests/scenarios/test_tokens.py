"""A guest's token never runs out while a conversation is open, and costs nothing when none is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bridge.simulator import Simulator, World
from tests.harness import AMY, ShiftedClock, config, eventually, running


def mints(world: World, name: str | None = None) -> list[Any]:
    """Calls that made a token, or the live tokens' guest's own by display name."""
    if name is None:
        return [call for call in world.calls if call.path == "/v1/guests/token" and call.status == 200]
    return next(guest.tokens for guest in world.guests.values() if guest.name == name)


@pytest.mark.parametrize("life", [3, "3"], ids=["number", "string"])
async def test_short_lived_token_is_reissued_while_the_conversation_is_open(
    sim: Simulator, world: World, life: float | str
) -> None:
    """After its share of a life of 3 s, again and again; for a guest whose conversation ended, never."""
    world.guest_expires_in = life
    async with running(config(webex={"reissue_at": 0.5, "poll_seconds": 60}), sim) as bridge:
        gone = await bridge.opened("gone", "hello")
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: len(bridge.texts()) == 2)
        assert (await gone.end()).status == 200
        await eventually(lambda: len(mints(world)) >= 5)
        issued = sorted(call.at for call in mints(world))[1:]
        for earlier, later in pairwise(issued[1:]):
            assert later - earlier > 1.4
        assert len(mints(world, "Gone")) == 1
        await ada.say("still here")
        await eventually(lambda: "still here" in bridge.texts())


async def test_failed_reissue_is_tried_again_on_the_old_token(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Words still go out on the old token while minting fails; nobody notices but the operator."""
    world.guest_expires_in = 600
    async with running(config(webex={"reissue_at": 0.2, "poll_seconds": 60}), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        fault = world.fault("/v1/guests/token", status=503, times=None)
        await bridge.advance(400)
        await bridge.service.tokens.sweep()
        assert fault.used >= 1
        await ada.say("meanwhile")
        await eventually(lambda: "meanwhile" in bridge.texts())
        assert len(mints(world)) == 1
        world.clear_faults()
        await bridge.advance(60)
        await bridge.service.tokens.sweep()
        assert len(mints(world)) == 2


async def test_operator_is_alarmed_when_the_end_comes_near(sim: Simulator, world: World) -> None:
    """In the last tenth /readyz is degraded, still 200; and well again after the re-issue."""
    world.guest_expires_in = 4
    async with running(config(webex={"reissue_at": 0.5, "poll_seconds": 60}), sim) as bridge:
        await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        world.fault("/v1/guests/token", status=503, times=None)

        async def degraded() -> bool:
            status, body = await bridge.get("/readyz")
            assert status == 200
            return any("re-issued" in reason for reason in body["degraded"])

        await eventually(degraded)
        world.clear_faults()
        await eventually(lambda: _not(degraded))


async def test_alarm_ends_with_the_conversation(sim: Simulator, world: World) -> None:
    """Nobody needs the token any more: /readyz says nothing of it, though it was never re-issued."""
    world.guest_expires_in = 4
    async with running(config(webex={"reissue_at": 0.5, "poll_seconds": 60}), sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        world.fault("/v1/guests/token", status=503, times=None)

        async def degraded() -> bool:
            _, body = await bridge.get("/readyz")
            return any("re-issued" in reason for reason in body["degraded"])

        await eventually(degraded)
        await ada.end()
        await eventually(lambda: _not(degraded))


async def _not(condition: Any) -> bool:
    return not await condition()


async def test_401_in_midlife_is_answered_by_one_new_token(sim: Simulator, world: World) -> None:
    """The token is killed under us: one re-issue, the words once, nothing else."""
    async with running(config(webex={"poll_seconds": 60}), sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        world.fault("POST /v1/messages", "revoke")
        for word in ("one", "two", "three"):
            await ada.say(word)
        await eventually(lambda: bridge.texts() == ["hello", "one", "two", "three"])
        assert len(mints(world)) == 2
        assert bridge.calls("/messages").count(("POST", "/v1/messages", 401)) == 1


async def test_killed_token_stops_neither_reading_nor_writing(sim: Simulator, world: World) -> None:
    """A 401 while an answer is read is repaired as well."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        fault = world.fault("GET /v1/messages", "revoke")
        await eventually(lambda: fault.used)
        world.say(AMY, next(iter(world.guests)), text="hi")
        await eventually(lambda: _heard(ada, ["hi"]))
        assert len(mints(world)) == 2


async def _heard(customer: Any, texts: list[str]) -> bool:
    return await customer.heard() == texts


async def test_no_guest_exceeds_its_budget_of_live_tokens(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Killed tokens count until their end, over restarts too; then there is room again."""
    setup = config(webex={"poll_seconds": 3600, "token_budget": 2})
    async with running(setup, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        world.fault("POST /v1/messages", "revoke", times=2)
        await ada.say("one")
        await eventually(lambda: not world.faults)
        await bridge.restart()
        await ada.say("two")
        await bridge.opened("bert", "I have my own")
        await eventually(lambda: "I have my own" in bridge.texts())
        assert bridge.texts() == ["hello", "I have my own"]
        assert len(mints(world)) == 3  # two of Ada's, one of Bert's
        await bridge.advance(64800)
        await eventually(lambda: bridge.texts()[-2:] == ["one", "two"])


async def test_lost_answer_of_minting_counts_as_a_token(sim: Simulator, world: World) -> None:
    """A mint whose answer got lost made a token all the same; another one is made."""
    async with running(config(), sim) as bridge:
        world.fault("/v1/guests/token", "drop_after")
        await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        assert len(mints(world, "Ada")) == 2


async def test_token_that_lapses_between_two_calls_is_not_used_for_the_second(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Looking for lost words took so long that the words need another token (the fixture looks for misuse)."""
    world.guest_expires_in = 9
    async with running(config(webex={"poll_seconds": 3600}), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        world.fault("POST /v1/messages", "drop_before")
        look = world.fault("GET /v1/messages/direct", "slow=0.5")
        await ada.say("more")
        await eventually(lambda: not any(each.kind == "drop_before" for each in world.faults))
        await bridge.advance(4)
        await eventually(lambda: look.used)
        clock.shift += 6
        await eventually(lambda: bridge.texts() == ["hello", "more"])


async def test_guests_without_an_open_conversation_cost_nothing(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """After the end no call is made for them, be it for days."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        await ada.end()
        await bridge.opened("bert", "hello")
        await eventually(lambda: len(bridge.texts()) == 2)
        (guest,) = (one for one in world.guests.values() if one.name == "Ada")
        before = [call for call in world.calls if call.owner == guest.owner]
        await bridge.advance(20 * 3600)
        await eventually(lambda: len(mints(world)) == 3)  # Bert's second one
        assert [call for call in world.calls if call.owner == guest.owner] == before


async def test_legacy_guest_issuer_does_the_same(sim: Simulator, world: World) -> None:
    """The old JWT login mints, re-issues and answers too, its life a numeric string."""
    world.jwt_expires_in = "3"
    secrets = {
        "WEBEX_GUEST_ISSUER_ID": "sim-guest-issuer",
        "WEBEX_GUEST_ISSUER_SECRET": "c2ltLWd1ZXN0LWlzc3Vlci1zZWNyZXQtMzItYnl0ZXMh",
    }
    setup = config(webex={"guests": "guest-issuer", "reissue_at": 0.5})
    async with running(setup, sim, environ=secrets) as bridge:
        ada = await bridge.opened("ada #1 with spaces / and ü", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        guest = next(one for one in world.guests.values() if one.name.startswith("Ada"))
        world.say(AMY, guest.id, text="hi")
        await eventually(lambda: _heard(ada, ["hi"]))
        await eventually(lambda: len(bridge.calls("/jwt/login")) >= 3)
