"""Webex will not let guests write to an agent: somebody else gets everything, and the reason can be seen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bridge.simulator import Simulator, World
from bridge.store.operator import dead_letters
from bridge.store.tables import deliveries
from tests.harness import AMY, BO, CY, RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.steps import greeted, has_status
from tests.scenarios.test_callbacks import ENVIRON, receiving, setup
from tests.scenarios.test_words_under_faults import owner

BOTH = config(
    agents={"amy": {"email": AMY}, "bo": {"email": BO}},
    teams={"front-desk": {"agents": ["amy", "bo"]}},
)


@pytest.mark.parametrize("trouble", ["blocked", "unknown"])
async def test_next_agent_gets_everything_in_order(sim: Simulator, world: World, trouble: str) -> None:
    """An agent who is blocked (403) or unknown to Webex (404) leaves the rotation; nothing is lost."""
    bad = {"blocked": AMY, "unknown": "nobody@example.com"}[trouble]
    world.find_person(AMY).external_blocked = True
    setup = config(
        agents={"amy": None, "aaron": {"email": bad}, "bo": {"email": BO}},
        teams={"front-desk": {"agents": ["aaron", "bo"]}},
    )
    async with running(setup, sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await ada.say("two")
        await ada.say("three")
        await eventually(lambda: bridge.texts(BO) == ["one", "two", "three"])
        assert (await ada.state())["agent"]["name"] == "Bo"
        await bridge.opened("bert", "me too")
        await eventually(lambda: bridge.texts(BO)[-1] == "me too")
        refused = [call for call in bridge.calls("/messages") if call[2] in (403, 404)]
        assert len(refused) <= 2  # at most one for each message that was on its way
        reasons = await eventually(lambda: _reasons(bridge))
        assert "agents.aaron" in reasons[0]
        assert ("403" if trouble == "blocked" else "404") in reasons[0]


async def _reasons(bridge: Any) -> list[str]:
    status, ready = await bridge.get("/readyz")
    assert status == 200
    return list(ready["degraded"])


async def test_agent_who_is_refused_in_the_middle_hands_everything_over(sim: Simulator, world: World) -> None:
    """The second agent gets the customer's own words of this conversation again, in order, once."""
    async with running(BOTH, sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts(AMY) + bridge.texts(BO) == ["one"])
        first, second = (AMY, BO) if bridge.texts(AMY) else (BO, AMY)
        world.fault("POST /v1/messages", "block_agent", times=1)
        await ada.say("two")
        await ada.say("three")
        await eventually(lambda: bridge.texts(second) == ["one", "two", "three"])
        assert bridge.texts(first) == ["one"]
        world.say(second, next(iter(world.guests)), text="hello from the second")
        await eventually(lambda: _heard(ada, ["hello from the second"]))
        world.say(first, next(iter(world.guests)), text="late words of the first")
        world.say(second, next(iter(world.guests)), text="and on")
        await eventually(lambda: _heard(ada, ["hello from the second", "and on"]))


async def _heard(customer: Any, texts: list[str]) -> bool:
    return await customer.heard() == texts


async def test_nobody_left_to_write_to_keeps_the_customer_queued(sim: Simulator, world: World) -> None:
    """The only agent is refused: the customer waits and is told so, and nothing is hammered."""
    world.find_person(AMY).external_blocked = True
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: _is_queued(ada, told=True))
        await ada.say("two")
        await bridge.opened("bert", "three")
        assert len(bridge.calls("/messages")) <= 2
        assert {item["delivery"] for item in await ada.messages() if item["from"] == "customer"} == {
            "pending"
        }


async def _is_queued(customer: Any, told: bool) -> bool:
    transcript = await customer.transcript()
    return await customer.status() == "queued" and told == any(who == "system" for who, _ in transcript)


async def test_one_customer_who_is_refused_takes_no_agent_from_another(sim: Simulator, world: World) -> None:
    """Webex refuses Ada everywhere: after the second agent her words are given up and she is told; Bert is served."""
    three = config(
        agents={"amy": {"email": AMY}, "bo": {"email": BO}, "cy": {"email": CY}},
        teams={"front-desk": {"agents": ["amy", "bo", "cy"]}},
    )
    async with running(three, sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts(AMY) == ["hello"])
        world.fault("POST /v1/messages", "block_agent", owner=owner(world, "Ada"), times=None)
        await ada.say("more")
        await eventually(lambda: _fate(ada, "more", "failed"))
        assert (await ada.state())["agent"]["name"] == "Bo"
        await eventually(lambda: _told(ada, "could not be delivered"))
        dead = await bridge.service.store.read(lambda connection: list(dead_letters.dead_letters(connection)))
        assert {one.agent for one in dead} == {"bo"}
        for subject in ("bert", "cleo", "dora"):
            await bridge.opened(subject, f"from {subject}")
        await eventually(
            lambda: (
                [bridge.texts(CY), bridge.texts(AMY)[1:], bridge.texts(BO)]
                == [["from bert"], ["from cleo"], ["from dora"]]
            )
        )
        assert not [one for one in await _reasons(bridge) if one.startswith("agents.")]


async def _told(customer: Any, part: str) -> bool:
    return any(who == "system" and part in text for who, text in await customer.transcript())


async def _fate(customer: Any, text: str, delivery: str) -> bool:
    return any((item["text"], item["delivery"]) == (text, delivery) for item in await customer.messages())


async def test_customer_who_is_refused_once_is_no_word_against_the_agent(
    sim: Simulator, world: World
) -> None:
    """Others' words got through to her in between: the next customer's refusal is the first again."""
    async with running(BOTH, sim) as bridge:
        ada = await bridge.opened("ada", "ada")
        await bridge.opened("bert", "bert")
        await eventually(lambda: bridge.texts(AMY) == ["ada"] and bridge.texts(BO) == ["bert"])
        world.fault("POST /v1/messages", "block_agent", owner=owner(world, "Ada"), times=1)
        await ada.say("moves")
        await eventually(lambda: bridge.texts(BO)[1:] == ["ada", "moves"])
        cleo = await bridge.opened("cleo", "cleo")
        await eventually(lambda: bridge.texts(AMY) == ["ada", "cleo"])
        world.fault("POST /v1/messages", "block_agent", owner=owner(world, "Cleo"), times=1)
        await cleo.say("moves too")
        await eventually(lambda: bridge.texts(BO)[-1] == "moves too")
        await bridge.opened("dora", "dora")
        await eventually(lambda: bridge.texts(AMY)[-1] == "dora")


async def test_words_refused_after_the_end_are_dead_letters(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Nobody else is to get them: `failed`, told to the source, and kept; the next visit is not held up."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.fault("POST /v1/messages", status=429, retry_after=60)
        await ada.say("two")
        await ada.say("three")
        await eventually(lambda: ("POST", "/v1/messages", 429) in bridge.calls("/messages"), within=60)
        assert (await bridge.event("conversation.ended", subject="ada"))[0] == 202
        await eventually(lambda: has_status(ada, "ended"), within=60)
        world.fault("POST /v1/messages", "block_agent", times=2)
        await bridge.advance(61)
        await eventually(lambda: _said(ada, ["sent", "failed", "failed"]), within=60)
        await eventually(lambda: receiver.types.count("message.failed") == 2, within=60)
        ids = {item["id"] for item in await ada.messages() if item["delivery"] == "failed"}
        failed = [news["data"] for news in receiver.taken if news["type"] == "message.failed"]
        assert {one["messageId"] for one in failed} == ids
        assert [state for state, _ in await _words(bridge)] == ["done", "dead", "dead"]
        assert all("403" in (error or "") for state, error in await _words(bridge) if state == "dead")


@pytest.mark.parametrize("times", [1, None], ids=["the first part", "all parts"])
async def test_long_words_fail_once(
    sim: Simulator, world: World, clock: ShiftedClock, times: int | None
) -> None:
    """However many of a message's parts Webex refuses after the end, it has failed, and is told of once."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.fault("POST /v1/messages", status=429, retry_after=60)
        await ada.say("word " * 1550)
        await eventually(lambda: ("POST", "/v1/messages", 429) in bridge.calls("/messages"), within=60)
        assert (await bridge.event("conversation.ended", subject="ada"))[0] == 202
        await eventually(lambda: has_status(ada, "ended"), within=60)
        world.fault("POST /v1/messages", "block_agent", times=times)
        await bridge.advance(61)
        await eventually(lambda: _all_tried(bridge), within=60)
        await eventually(lambda: "message.failed" in receiver.types, within=60)
        assert await _said(ada, ["sent", "failed"])
        assert [state for state, _ in await _words(bridge)].count("dead") == (times or 2)
        assert await _pieces_of_news(bridge, "message.failed") == 1


async def _pieces_of_news(bridge: RunningBridge, kind: str) -> int:
    query = select(deliveries.c.payload).where(deliveries.c.kind == "callback")
    told = await bridge.service.store.read(lambda connection: connection.execute(query).scalars().all())
    return sum(kind in one for one in told)


async def _all_tried(bridge: RunningBridge) -> bool:
    states = [state for state, _ in await _words(bridge)]
    return len(states) == 3 and {"open", "dropped"}.isdisjoint(states)


async def test_long_words_of_an_open_conversation_fail_once(sim: Simulator, world: World) -> None:
    """Each of its parts is given up (400): one dead letter for each, one sentence and one piece of news for all."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON) as bridge:
        ada = await greeted(bridge)
        world.fault("POST /v1/messages", status=400, times=2)
        await ada.say("word " * 1550)
        await ada.say("after it")
        await eventually(lambda: _said(ada, ["sent", "failed", "sent"]), within=60)
        assert [state for state, _ in await _words(bridge)] == ["done", "dead", "dead", "done"]
        await eventually(lambda: "message.failed" in receiver.types, within=60)
        assert (await bridge.event("conversation.ended", subject="ada"))[0] == 202
        await eventually(lambda: "conversation.ended" in receiver.types, within=60)
        assert await _pieces_of_news(bridge, "message.failed") == 1
        assert sum("could not be delivered" in text for _, text in await ada.transcript()) == 1


async def test_words_that_nobody_took_before_the_end_have_failed(sim: Simulator, world: World) -> None:
    """Refused, queued, and then ended: each is told to the source as failed, and none stays pending."""
    world.find_person(AMY).external_blocked = True
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: _is_queued(ada, told=True), within=60)
        await ada.say("two")
        assert (await bridge.event("conversation.ended", subject="ada"))[0] == 202
        await eventually(lambda: _said(ada, ["failed", "failed"]), within=60)
        await eventually(lambda: receiver.types.count("message.failed") == 2, within=60)


async def _said(customer: Any, states: list[str]) -> bool:
    return [item["delivery"] for item in await customer.messages() if item["from"] == "customer"] == states


async def _words(bridge: RunningBridge) -> list[tuple[str, str | None]]:
    """The state and the error of each delivery of the customer's words, oldest first."""
    query = select(deliveries.c.state, deliveries.c.error).where(deliveries.c.kind == "say")
    rows = await bridge.service.store.read(
        lambda connection: connection.execute(query.order_by(deliveries.c.id)).all()
    )
    return [(row.state, row.error) for row in rows]
