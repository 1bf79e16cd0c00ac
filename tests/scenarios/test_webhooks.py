"""Webex's odd answers about webhooks: they concern one guest, until it is clear that they concern all."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Connection, select

from bridge.simulator import Simulator, World
from bridge.store.tables import lanes
from tests.customers import Customer
from tests.harness import RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.steps import answer, greeted, guest_of, heard

ENGINE = (
    "POST failed: HTTP/1.1 400 Bad Request (url = "
    "https://webhook-engine-a.wbx2.com/webhook-engine/api/v1/webhooks, request/response TrackingId = X)"
)
HOOKS = "POST /v1/webhooks"


def hooked(world: World, name: str) -> list[Any]:
    return [hook for hook in world.hooks.values() if hook.person is guest_of(world, name)]


def stages(connection: Connection) -> set[str]:
    """The stages that have lanes."""
    return set(connection.execute(select(lanes.c.stage)).scalars())


async def nobody_waits(bridge: RunningBridge) -> bool:
    return "hook" not in await bridge.service.store.read(stages)


async def is_over(customer: Customer) -> bool:
    return (await customer.call("GET")).status == 410


async def polled(bridge: RunningBridge) -> bool:
    return bool((await bridge.get("/readyz"))[1]["replies"] == "polled")


async def test_refused_guest_is_polled_and_has_no_webhook_twice(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """What was made before the refusal goes: each event is told once. A guest who is gone is not asked for."""
    world.fault(HOOKS, status=400, message=ENGINE)
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        await greeted(bridge)
        await eventually(lambda: ("POST", "/v1/webhooks", 400) in bridge.calls())
        await bridge.advance(601)
        await eventually(lambda: len(hooked(world, "Ada")) == 3)
        for hook in hooked(world, "Ada"):
            hook.active = False
        await bridge.service.look_over()
        await bridge.advance(61)
        await eventually(lambda: ("GET", "/v1/webhooks", 200) in bridge.calls())
        refused = world.fault("PUT /v1/webhooks", status=400, message=ENGINE)
        await bridge.advance(310)
        await eventually(lambda: refused.over)
        await bridge.advance(601)
        await eventually(lambda: sum(hook.active for hook in hooked(world, "Ada")) == 3)
        assert len(hooked(world, "Ada")) == 3
        bad = world.fault(HOOKS, status=400, message=ENGINE)
        bert = await greeted(bridge, "bert")
        await eventually(lambda: bad.over)
        await bert.end()
        await eventually(lambda: is_over(bert))
        await bridge.advance(601)
        await eventually(lambda: nobody_waits(bridge))
        assert not hooked(world, "Bert")
        again = await greeted(bridge, "bert")
        await eventually(lambda: len(hooked(world, "Bert")) == 3)
        answer(world, "welcome back", "Bert")
        await eventually(lambda: heard(again, "welcome back"))


async def test_several_refused_guests_turn_all_to_polling_until_a_probe(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Several in a row: all are polled, over a restart, too. Minutes later one asks, then all have theirs."""
    broken = world.fault(HOOKS, status=400, message=ENGINE, times=None)
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        names = ["Ada", "Bert", "Cleo", "Dan", "Eve"]
        for count, name in enumerate(names, 1):
            assert not await polled(bridge)
            await greeted(bridge, name.lower())
            await eventually(lambda count=count: broken.used == count)
        await eventually(lambda: polled(bridge))
        await bridge.restart()
        flo = await greeted(bridge, "flo")
        answer(world, "hi", "Flo")
        await eventually(lambda: heard(flo, "hi"))
        assert broken.used == 5
        await bridge.advance(601)
        await bridge.service.probe_webhooks()
        await eventually(lambda: broken.used > 5)
        assert await polled(bridge)
        world.faults.clear()
        await bridge.advance(601)
        await bridge.service.probe_webhooks()
        await eventually(lambda: not bridge.service.replies.polled)
        assert not await polled(bridge)
        await bridge.advance(61)
        await eventually(lambda: all(len(hooked(world, name)) == 3 for name in [*names, "Flo"]))
        await bridge.restart()
        assert not await polled(bridge)


async def test_webhook_that_is_gone_is_made_anew(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Somebody removed what was just listed: 404 on PUT, 400 and 404 on DELETE. Nobody is polled for it."""
    async with running(config(), sim, public_url=True, clock=clock) as bridge:
        await greeted(bridge)
        await eventually(lambda: len(hooked(world, "Ada")) == 3)
        for hook in hooked(world, "Ada"):
            hook.active = False
        await bridge.service.look_over()
        await bridge.advance(61)
        await eventually(lambda: ("GET", "/v1/webhooks", 200) in bridge.calls())
        gone = world.fault(
            "PUT /v1/webhooks", status=404, message="The requested webhook could not be found."
        )
        await bridge.advance(310)
        await eventually(lambda: sum(hook.active for hook in hooked(world, "Ada")) == 3)
        assert gone.used == 1
        assert not await polled(bridge)
        before = set(world.hooks)
        world.fault(
            "DELETE /v1/webhooks", status=400, message="Invalid webhookId for Delete Webhook request."
        )
        world.fault("DELETE /v1/webhooks", status=404)
        moved = world.hooks[max(before)].target_url.replace("127.0.0.1", "localhost")
        await bridge.restart(PUBLIC_URL=moved.removesuffix("/webex/webhooks"))
        await bridge.service.look_over()
        await bridge.advance(61)
        await eventually(lambda: sum(hook.target_url == moved for hook in hooked(world, "Ada")) == 3)
        assert not await polled(bridge)


async def test_stop_lets_the_credentials_refresh_finish(sim: Simulator, world: World) -> None:
    """Webex has replaced the refresh token while the service stops: the next start goes on with the new one."""
    world.rotate_refresh_tokens = True
    held = world.fault("POST /v1/access_token", "hold", effect=True)
    async with running(config(), sim, wait_ready=False) as bridge:
        await eventually(lambda: held.used == 1)
        minter, waiting = bridge.service.minter, asyncio.Event()
        close = minter.close

        async def seen(seconds: float) -> None:
            waiting.set()
            await close(seconds)

        minter.close = seen  # type: ignore[method-assign]
        stopping = asyncio.create_task(bridge.stop())
        await asyncio.wait_for(waiting.wait(), 60)
        held.release()
        await stopping
        await bridge.start()
        await eventually(bridge.ready)
        await greeted(bridge)
