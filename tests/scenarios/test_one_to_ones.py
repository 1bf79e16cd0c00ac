"""1:1s as Webex really has them: errors whose status nobody recorded, other addresses, pages of any size."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bridge.simulator import Simulator, World
from tests.customers import Customer
from tests.harness import AMY, BO, ShiftedClock, config, eventually, running
from tests.scenarios.steps import all_sent, greeted

NO_DIRECT = "Failed to get one on one conversation"
TWO = config(
    agents={"bo": {"email": BO}},
    teams={"front-desk": {"agents": ["amy", "bo"], "leads": ["kim@example.com"]}},
)


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_no_one_to_one_yet_is_no_reason_to_give_words_up(
    sim: Simulator, world: World, status: int
) -> None:
    """The first attempt is lost, and whether it arrived is asked of a 1:1 that is not there."""
    world.fault("POST /v1/messages", status=503, times=1)
    world.fault("GET /v1/messages/direct", status=status, message=NO_DIRECT, times=1)
    async with running(config(), sim) as bridge:
        await bridge.opened(message="hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        assert (await bridge.get("/readyz"))[1]["degraded"] == []


@pytest.mark.parametrize("status", [400, 403, 404, 409])
async def test_who_cannot_be_written_to_is_passed_over(sim: Simulator, world: World, status: int) -> None:
    """Whatever the status, the text says that there can be no 1:1 with this agent: the next one is asked."""
    world.fault("POST /v1/messages", status=status, message=NO_DIRECT, times=1)
    async with running(TWO, sim) as bridge:
        customer = await bridge.opened(message="hello")
        await eventually(lambda: bridge.texts(AMY) + bridge.texts(BO) == ["hello"])
        assert (await customer.state())["status"] == "open"


@pytest.mark.parametrize("public", [True, False])
async def test_an_agent_who_writes_from_another_address_is_heard(
    sim: Simulator, world: World, clock: ShiftedClock, public: bool
) -> None:
    """Renamed since the rota was written: a 1:1 has two members, and who is not the guest is the agent."""
    with capture_logs() as lines:
        async with running(config(), sim, clock=clock, public_url=public) as bridge:
            ada = await greeted(bridge)
            if public:
                await eventually(lambda: len(world.hooks) == 3)
            world.people_by_email[AMY].email = "amy.chen@example.com"
            for words in ("hi", "what is it?"):
                world.say(AMY, world.messages_to(AMY)[0]["personId"], words)
                # Within less than the half minute after which a thread is read without a webhook.
                await eventually(lambda words=words: _reads(ada, words), within=20)
    assert [line["agent"] for line in lines if line["event"] == "agent.other_address"] == [AMY]


async def _reads(customer: Customer, words: str) -> bool:
    return words in [item["text"] for item in await customer.messages()]


async def test_lost_words_are_found_beside_an_agent_s_of_the_same_text(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """What a renamed agent says is not taken for the customer's own lost words."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.people_by_email[AMY].email = "amy.chen@example.com"
        world.fault("POST /v1/messages", "drop_before")
        world.say(AMY, world.messages_to(AMY)[0]["personId"], "yes")
        await ada.say("yes")
        await eventually(lambda: bridge.texts() == ["hello", "yes"])
        await eventually(lambda: all_sent(ada))
