"""Somebody sets the machine's clock in the middle of conversations: nothing ends, is late, or is purged for that."""

from __future__ import annotations

import time

import pytest

from bridge.simulator import Simulator, World
from bridge.store.deciding import work
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.upkeep import rebase
from tests.harness import AMY, BO, ShiftedClock, config, eventually, running
from tests.scenarios.steps import answer, greeted, heard

HOUR, DAY = 3600.0, 86400.0
jumps = pytest.mark.parametrize("seconds", [HOUR, -HOUR, DAY, -DAY, 400 * DAY])
IMPATIENT = config(
    sources={"kiosk": {"idle_minutes": 5}},
    agents={"bo": {"email": BO}},
    teams={"front-desk": {"agents": ["amy", "bo"], "answer_within_seconds": 120, "alert_after_seconds": 100}},
    privacy={"keep_days": 0.5},
)


async def jump(bridge, machine: ShiftedClock, seconds: float) -> None:
    """The clock is set, and whatever goes by time has looked, before the jump was noticed and after."""
    machine.ahead += seconds
    service = bridge.service
    for _ in range(2):
        await service._put_due()
        await service.store.do(work, service._round())
        bridge.wake()
        await service.retention.run()
        await service.timekeeper.look()


@jumps
async def test_a_conversation_goes_on(sim: Simulator, world: World, seconds: float) -> None:
    """Open, with the agent it has, heard as quickly as before; its timers end when they would have."""
    machine = ShiftedClock()
    async with running(IMPATIENT, sim, clock=machine) as bridge:
        ada = await greeted(bridge)
        answer(world, "one moment")
        await eventually(lambda: heard(ada, "one moment"), within=60)
        before = await ada.messages()
        await jump(bridge, machine, seconds)
        assert await ada.status() == "open"
        assert await ada.messages() == before
        answer(world, "here it is")
        await eventually(lambda: heard(ada, "one moment", "here it is"), within=60)
        await ada.say("thanks")
        await eventually(lambda: bridge.texts() == ["hello", "thanks"], within=60)
        assert bridge.texts(BO) == []
        async with ada.stream(0) as stream:
            await bridge.advance(245)
            await eventually(lambda: stream.of("warning"), within=60)
            await bridge.advance(61)
            await eventually(lambda: stream.of("ended"), within=60)


async def test_a_jump_whose_answer_is_lost_is_done_once(sim: Simulator, world: World) -> None:
    """The store moved what waits, and the service did not hear of it: it asks again, and nothing moves twice."""
    machine = ShiftedClock()
    async with running(IMPATIENT, sim, clock=machine) as bridge:
        ada = await greeted(bridge)
        service = bridge.service
        lane = service.store.writer._lane
        commit = lane._committer.commit

        def lossy(batch):
            results = commit(batch)
            lost = StoreUnavailable("the database has not answered")
            return [
                lost if call[0] is rebase else result for call, result in zip(batch, results, strict=True)
            ]

        lane._committer.commit = lossy
        machine.ahead += HOUR
        with pytest.raises(StoreUnavailable):
            await service.timekeeper.look()
        lane._committer.commit = commit
        await eventually(lambda: abs(service.clock.now() - machine.now()) < 1, within=60)
        await jump(bridge, machine, 0)
        assert await ada.status() == "open"
        await bridge.advance(245)
        async with ada.stream(0) as stream:
            await eventually(lambda: stream.of("warning"), within=60)


@jumps
async def test_a_silent_agent_has_as_long_as_before(sim: Simulator, world: World, seconds: float) -> None:
    """The answer's deadline is neither over at once nor put off."""
    machine = ShiftedClock()
    async with running(IMPATIENT, sim, clock=machine) as bridge:
        await greeted(bridge)
        await jump(bridge, machine, seconds)
        assert bridge.texts(BO) == []
        await bridge.advance(121)
        await eventually(lambda: bridge.texts(BO) == ["hello"], within=60)


@jumps
async def test_what_has_ended_stays_readable_and_ended(sim: Simulator, world: World, seconds: float) -> None:
    """Ten minutes after the agent's end, however the clock is set meanwhile; a customer's own end is for good."""
    machine = ShiftedClock()
    async with running(IMPATIENT, sim, clock=machine) as bridge:
        ada, bob = await greeted(bridge), await greeted(bridge, "bob", BO)
        answer(world, "/done")
        await eventually(lambda: _ended(ada), within=60)
        assert (await bob.end()).status == 200
        await jump(bridge, machine, seconds)
        assert (await ada.call("GET")).status == 200
        assert (await bob.call("GET")).status == 410
        assert (await ada.messages())[0]["text"] == "hello"
        await bridge.advance(601)
        assert (await ada.call("GET")).status == 410
        await jump(bridge, machine, -seconds)
        assert (await ada.call("GET")).status == 410


async def _ended(customer) -> bool:
    return await customer.status() == "ended"


@jumps
async def test_words_that_wait_for_webex_keep_waiting_as_long(
    sim: Simulator, world: World, seconds: float
) -> None:
    """A Retry-After of a minute is a minute, and words are not given up as days old."""
    machine = ShiftedClock()
    webex = ShiftedClock()
    async with Simulator(World(webex.now)) as other, running(IMPATIENT, other, clock=machine) as bridge:
        ada = await greeted(bridge)
        fault = other.world.fault("POST /v1/messages", status=429, retry_after=60)
        await ada.say("later")
        await eventually(lambda: fault.used, within=60)
        await jump(bridge, machine, seconds)
        assert bridge.texts() == ["hello"]
        webex.shift += 61
        await bridge.advance(61)
        await eventually(lambda: bridge.texts() == ["hello", "later"], within=60)
        assert other.world.violations() == []


@pytest.mark.postgres
async def test_two_machines_that_disagree_share_the_work(
    sim: Simulator, world: World, postgres_url: str
) -> None:
    """Half an hour apart: the database's clock counts, so no lease is taken away and every word is said once."""
    fast, slow = ShiftedClock(ahead=900), ShiftedClock(ahead=-900)
    calm = config(webex={"poll_seconds": 60})
    async with (
        running(calm, sim, database_url=postgres_url, clock=fast) as one,
        running(calm, sim, database_url=postgres_url, clock=slow) as other,
    ):
        world.fault("POST /v1/messages", "slow=1.5", times=6)
        for number in range(12):
            door = (one, other)[number % 2]
            status, _ = await door.event(
                subject=f"c{number}", displayName="C", message=f"words {number}", at=time.time()
            )
            assert status == 202
        await eventually(lambda: len(one.texts(AMY)) >= 12, within=60)
        assert sorted(one.texts(AMY)) == sorted(f"words {number}" for number in range(12))
        await eventually(lambda: len(one.calls("/messages")) >= 12, within=60)
        assert len(one.calls("/messages")) == 12
        assert one.calls("/messages/direct", "GET") == []
        for bridge, clock in ((one, fast), (other, slow)):
            assert abs(bridge.service.clock.now() - time.time()) < 60
            clock.ahead += HOUR
            await bridge.service.timekeeper.look()
            assert abs(bridge.service.clock.now() - time.time()) < 60
        assert (await one.event(subject="d", displayName="D", message="on", at=time.time()))[0] == 202
        await eventually(lambda: "on" in other.texts(AMY), within=60)
