"""Webhooks that Webex will not have: what is about one guest stays with that guest."""

from __future__ import annotations

import pytest

from bridge.simulator import Simulator, World
from tests.harness import RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.steps import answer, greeted, heard


def creations(bridge: RunningBridge) -> int:
    return len(bridge.calls("/webhooks"))


async def test_one_refusal_is_about_one_guest(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Ada is polled and tried again minutes later; Bert has webhooks at once, also after a restart."""
    world.fault("POST /v1/webhooks", status=400, message="POST failed: HTTP/1.1 500 webhook-engine")
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: creations(bridge) >= 1)
        answer(world, "polled")
        await bridge.advance(31)
        await eventually(lambda: heard(ada, "polled"))
        bert = await greeted(bridge, "bert")
        await eventually(lambda: len(world.guests) == 2 and _hooks(world) == 3)
        answer(world, "by webhook", "Bert")
        await eventually(lambda: heard(bert, "by webhook"))
        assert (await bridge.get("/readyz"))[1]["replies"] == "webhook"
        await bridge.restart()
        assert (await bridge.get("/readyz"))[1]["replies"] == "webhook"
        await bridge.advance(601)
        await eventually(lambda: _hooks(world) == 6)


@pytest.mark.parametrize(
    ("status", "message"), [(404, "gone"), (400, "Invalid webhookId for Delete Webhook request.")]
)
async def test_a_webhook_that_is_gone_is_gone(
    sim: Simulator, world: World, clock: ShiftedClock, status: int, message: str
) -> None:
    """Another address: the old ones are deleted, and one that is not there any more is no refusal."""
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        await greeted(bridge)
        await eventually(lambda: _hooks(world) == 3)
        world.fault("DELETE /v1/webhooks", status=status, message=message, times=3)
        await bridge.restart(PUBLIC_URL="http://localhost:" + str(bridge.port))
        await bridge.service.look_over()
        await bridge.advance(61)
        target = f"http://localhost:{bridge.port}/webex/webhooks"
        await eventually(lambda: sum(hook.target_url == target for hook in world.hooks.values()) == 3)
        assert (await bridge.get("/readyz"))[1]["replies"] == "webhook"


def _hooks(world: World) -> int:
    return sum(len(guest.hooks) for guest in world.guests.values())


async def test_all_are_polled_after_403_and_tried_again_minutes_later(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Not for a day, and not over restarts."""
    world.guest_webhooks = False
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: _polled(bridge))
        world.guest_webhooks = True
        await bridge.restart()
        assert await _polled(bridge)
        await bridge.advance(601)
        await bridge.service.probe_webhooks()
        await eventually(lambda: _hooks(world) == 3)
        assert not await _polled(bridge)
        answer(world, "hi")
        await eventually(lambda: heard(ada, "hi"))


async def _polled(bridge: RunningBridge) -> bool:
    return bool((await bridge.get("/readyz"))[1]["replies"] == "polled")


async def test_many_different_guests_refused_are_not_about_guests(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Whatever the status: after several of them nobody is asked for a while."""
    world.fault("POST /v1/webhooks", status=400, message="no", times=None)
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        for number in range(5):
            await bridge.opened(f"s{number}", "hello")
        await eventually(lambda: _polled(bridge))
        assert creations(bridge) == 5


async def test_a_webhook_is_switched_on_again_with_its_secret(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """A PUT without it might leave it without one, and then nothing of it would be believed."""
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: _hooks(world) == 3)
        for hook in world.hooks.values():
            hook.active, hook.secret = False, None
        for _ in range(3):
            await bridge.advance(301)
            await bridge.service.look_over()
        await eventually(lambda: all(hook.active and hook.secret for hook in world.hooks.values()))
        answer(world, "hi")
        await eventually(lambda: heard(ada, "hi"))
