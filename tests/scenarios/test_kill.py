"""kill -9 in the middle of work, and a restart: nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import uuid

import aiohttp

from bridge.simulator import Simulator, World
from tests.harness import config, eventually, running
from tests.processes import BridgeProcess, bridge_process

CUSTOMERS, EACH = 10, 10


async def post(bridge: BridgeProcess, subject: str, text: str) -> None:
    """As a sender does: the same event again until it is taken."""
    ident = uuid.uuid4().hex
    while True:
        try:
            status, _ = await bridge.event(
                webhook_id=ident, subject=subject, displayName=subject, message=text
            )
        except (aiohttp.ClientError, ValueError):
            status = 0
        if status in (200, 202):
            return
        await asyncio.sleep(0.05)


async def test_kill_in_the_middle_of_a_hundred_events(
    sim: Simulator, world: World, database_url: str
) -> None:
    """Killed while events arrive and while they are delivered; the senders repeat what was not answered."""
    world.latency = 0.02
    calm = config(webex={"poll_seconds": 60})
    async with bridge_process(calm, sim, database_url=database_url) as bridge:

        async def talk(number: int) -> None:
            for line in range(EACH):
                await post(bridge, f"c{number}", f"{number}:{line}")

        talking = [asyncio.create_task(talk(number)) for number in range(CUSTOMERS)]
        await eventually(lambda: len(bridge.texts()) >= 10)
        await bridge.kill()
        await bridge.start()
        await asyncio.gather(*talking)
        await eventually(lambda: len(bridge.texts()) >= CUSTOMERS * EACH)
        for number in range(CUSTOMERS):
            mine = [text for text in bridge.texts() if text.startswith(f"{number}:")]
            assert mine == [f"{number}:{line}" for line in range(EACH)]
        assert await bridge.terminate() == 0


async def test_clean_stop_leaves_the_next_words_to_whoever_comes(
    sim: Simulator, world: World, endless_leases: None
) -> None:
    """One is on its way, one waits behind it: the first is finished, the second goes out after the start."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        slow = world.fault("POST /v1/messages", "slow=0.5", times=1)
        await ada.say("two")
        await eventually(lambda: slow.used)
        await ada.say("three")
        await bridge.restart()
        await eventually(lambda: bridge.texts() == ["one", "two", "three"])
        assert len(bridge.calls("/messages")) == 3


async def test_clean_stop_does_not_wait_for_parked_work(sim: Simulator, world: World) -> None:
    """SIGTERM with an hour's Retry-After pending: it is over long before that, and the words are there later."""
    async with bridge_process(config(webex={"poll_seconds": 60}), sim) as bridge:
        fault = world.fault("POST /v1/messages", status=429, retry_after=3600)
        await post(bridge, "ada", "hello")
        await eventually(lambda: fault.used)
        assert await bridge.terminate() == 0
        await bridge.start()
        await post(bridge, "bert", "I do not wait")
        await eventually(lambda: bridge.texts() == ["I do not wait"])
