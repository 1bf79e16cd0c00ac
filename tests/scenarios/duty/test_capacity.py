"""An agent has so many places and no more; who waits is served in order."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import update

from bridge.simulator import Simulator
from bridge.store.tables import agents
from tests.customers import Customer
from tests.harness import AMY, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import given, has, held_places, rota, told

ONE_PLACE = {"each": {"amy": {"capacity": 1}}}


async def test_two_customers_and_one_place(sim: Simulator) -> None:
    """They come in the same moment: one is served, one waits and is next."""
    async with running(rota("amy", **ONE_PLACE), sim) as bridge:
        both = await asyncio.gather(*(bridge.opened(name, f"I am {name}") for name in ("ada", "bert")))
        await eventually(lambda: _count(both, "open", 1))
        await eventually(lambda: _count(both, "queued", 1))
        (first,) = [one for one in both if (await one.state())["status"] == "open"]
        (second,) = [one for one in both if one is not first]
        await eventually(lambda: has(second, queuePosition=1))
        assert await held_places(bridge) == ({"amy": 1}, {"amy": 1})
        await first.end()
        await eventually(lambda: has(second, status="open"))
        await eventually(lambda: len(bridge.texts(AMY)) == 2)
        assert await held_places(bridge) == ({"amy": 1}, {"amy": 1})


async def _count(customers: list[Customer], status: str, wanted: int) -> bool:
    states = [await customer.status() for customer in customers]
    return states.count(status) == wanted


async def test_newcomer_does_not_overtake(sim: Simulator, clock: ShiftedClock) -> None:
    """A place becomes free and a newcomer comes at once: the place is for whoever waits longest."""
    async with running(rota("amy", **ONE_PLACE), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "ada")
        await eventually(lambda: has(ada, status="open"))
        waiting = []
        for name in ("bert", "cleo"):
            waiting.append(await bridge.opened(name, name))
            await eventually(lambda: has(waiting[-1], queuePosition=len(waiting)))
        answers = await asyncio.gather(ada.end(), bridge.opened("dora", "dora"))
        dora = answers[1]
        await eventually(lambda: has(waiting[0], status="open"))
        await eventually(lambda: has(dora, status="queued", queuePosition=2))
        for number, customer in enumerate((waiting[0], waiting[1], dora), 2):
            await eventually(lambda: has(customer, status="open"))  # noqa: B023 - waited for at once
            assert [who for who, _ in await given(bridge)] == ["ada", "bert", "cleo", "dora"][:number]
            await customer.end()


async def test_load_that_was_counted_wrong_is_put_right(sim: Simulator) -> None:
    """Amy is free and her row says she is full: who waits for her is served once it was looked over."""

    def spoil(connection: Any, items: Any) -> list[None]:
        connection.execute(update(agents).values(open=1))
        return [None] * len(items)

    async with running(rota("amy", **ONE_PLACE), sim) as bridge:
        ada = await bridge.opened("ada", "ada")
        await ada.end()
        await bridge.service.store.do(spoil, None)
        bert = await bridge.opened("bert", "bert")
        await eventually(lambda: has(bert, status="queued"))
        await bridge.service._recount()
        await eventually(lambda: has(bert, status="open"))
        assert await held_places(bridge) == ({"amy": 1}, {"amy": 1})


async def test_who_is_served_at_once_is_not_told_to_wait(sim: Simulator) -> None:
    """Somebody waits for an agent who speaks Spanish; who needs none goes past without a word about a queue."""
    setup = rota(each={"amy": {"languages": ["en"], "capacity": 1}, "bo": {"languages": ["en"]}})
    async with running(setup, sim) as bridge:
        luz = await bridge.opened("luz", "hola", language="es")
        await eventually(lambda: has(luz, status="queued", queuePosition=1))
        for name in ("ada", "bert"):
            customer = await bridge.opened(name, "hello", language="en")
            await eventually(lambda: has(customer, status="open"))  # noqa: B023 - waited for at once
            assert await told(customer) == []
        assert await has(luz, status="queued", queuePosition=1)


async def test_line_gets_shorter_on_the_stream(sim: Simulator) -> None:
    """Each change of the place is told: when somebody before is served, and when somebody gives up."""
    async with running(rota("amy", **ONE_PLACE), sim) as bridge:
        line = []
        for place, name in enumerate(("ada", "bert", "cleo", "dora")):
            line.append(await bridge.opened(name, name))
            wanted = {"queuePosition": place} if place else {"status": "open"}
            await eventually(lambda: has(line[-1], **wanted))  # noqa: B023 - waited for at once
        async with line[3].stream(0) as stream:

            def places() -> list[int | None]:
                return [state["queuePosition"] for state in stream.of("status")]

            await eventually(lambda: places() == [3])
            await line[2].end()  # gives up
            await eventually(lambda: places() == [3, 2])
            await line[0].end()
            await eventually(lambda: places() == [3, 2, 1])
            await line[1].end()
            await eventually(lambda: places() == [3, 2, 1, None])
            assert stream.of("status")[-1]["status"] == "open"
        await eventually(lambda: bridge.texts(AMY) == ["ada", "bert", "dora"])
