"""Two services on one PostgreSQL give away each place once."""

from __future__ import annotations

import asyncio

import pytest

from bridge.simulator import Simulator
from tests.customers import Customer
from tests.harness import AMY, BO, CY, RunningBridge, eventually, running
from tests.scenarios.duty.desk import given, has, held_places, rota

CUSTOMERS = 50


@pytest.mark.postgres
async def test_fifty_at_once_never_go_over_capacity(sim: Simulator, postgres_url: str) -> None:
    """Fifty come at two doors for seven places: seven are served; every end lets the next one in, each once."""
    each = {"amy": {"capacity": 4}, "bo": {"capacity": 3}}
    setup = rota(each=each, pick="least-busy")
    async with (
        running(setup, sim, database_url=postgres_url) as one,
        running(setup, sim, database_url=postgres_url) as other,
    ):
        doors = [(one, other)[n % 2] for n in range(CUSTOMERS)]
        everybody = await asyncio.gather(
            *(door.opened(f"c{n}", f"words of {n}") for n, door in enumerate(doors))
        )
        await eventually(lambda: _all_placed(everybody))
        assert await held_places(one) == ({"amy": 4, "bo": 3}, {"amy": 4, "bo": 3})
        for _ in range(2):
            served = [customer for customer in everybody if await has(customer, status="open")]
            assert len(served) == 7
            before = len(await given(one))
            await asyncio.gather(*(customer.end() for customer in served))
            everybody = [customer for customer in everybody if customer not in served]
            await eventually(lambda: _given(one, before + 7))  # noqa: B023 - waited for at once
            assert await held_places(one) == ({"amy": 4, "bo": 3}, {"amy": 4, "bo": 3})
        await eventually(lambda: len(one.texts(AMY) + one.texts(BO)) == 21)
        chosen = [who for who, _ in await given(one)]
        assert len(chosen) == len(set(chosen)) == 21
        assert len({*one.texts(AMY), *one.texts(BO)}) == 21
        assert one.texts(CY) == []


async def _all_placed(customers: list[Customer]) -> bool:
    states = [await customer.state() for customer in customers]
    places = sorted(state["queuePosition"] or 0 for state in states)
    return places == [0] * 7 + list(range(1, len(customers) - 6))


async def _given(bridge: RunningBridge, wanted: int) -> bool:
    return len(await given(bridge)) >= wanted
