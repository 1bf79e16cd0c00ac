"""News to sources: leased by source, so that what waits for one receiver holds up no other; on both databases."""

from __future__ import annotations

from sqlalchemy import select, update

from bridge.store import calls
from bridge.store.calls import CallClaim, Turn
from bridge.store.lanes import FreeAll, free_all
from bridge.store.tables import lanes
from tests.store.conftest import LEASE


async def news(bench, source: str, number: int) -> None:
    """Conversations of a source, each with news for it."""
    for index in range(number):
        await bench.accept(f"{source}-{index}", subject=f"{source}-{index}", source=source)
    await bench.intake()


async def claim(bench, *turns: Turn, limit: int = 100, **free: int) -> list[str]:
    """The sources whose news was given out."""
    wish = CallClaim("p1", bench.clock.at, LEASE, limit, turns, free)
    return [work.address for work in await bench.store.do(calls.claim, wish)]


async def test_each_source_gets_its_own_places(bench):
    """A source with much news gets no more than its turn, however long it has waited; the others get theirs."""
    await news(bench, "slow", 30)
    bench.clock.at += 1
    await news(bench, "quick", 2)
    turns = Turn("slow", "one:443", 8), Turn("quick", "two:443", 8)
    assert await claim(bench, *turns, **{"one:443": 8, "two:443": 8}) == ["slow"] * 8 + ["quick"] * 2
    assert await claim(bench, Turn("slow", "one:443", 0), **{"one:443": 0}) == []


async def test_sources_of_one_host_share_its_places(bench):
    """Who is asked first comes first; together they get no more than the host has."""
    await news(bench, "one", 5)
    await news(bench, "two", 5)
    turns = Turn("two", "h:443", 4), Turn("one", "h:443", 4)
    assert sorted(await claim(bench, *turns, **{"h:443": 5})) == ["one"] + ["two"] * 4


async def test_news_of_sources_without_a_receiver_is_given_out(bench):
    """So that it is given up with a reason, and does not stay for ever."""
    await news(bench, "gone", 3)
    assert await claim(bench, Turn("other", "h:443", 8), **{"h:443": 8}) == ["gone"] * 3


async def test_lanes_that_only_their_key_is_known_of_find_their_source(bench):
    """As an older version that runs beside, or a replay, makes them."""
    await news(bench, "kiosk", 2)

    def forget(connection, items):
        connection.execute(update(lanes).values(source=""))
        return [None] * len(items)

    await bench.store.do(forget, None)
    assert await claim(bench, Turn("kiosk", "h:443", 1), **{"h:443": 1}) == ["kiosk"]
    sources = await bench.store.read(lambda c: set(c.execute(select(lanes.c.source, lanes.c.stage)).all()))
    assert ("kiosk", "call") in sources
    assert ("", "call") not in sources


async def test_the_limit_holds_over_all_sources(bench):
    """Also for those without a receiver; what was not given out stays ready."""
    await news(bench, "a", 3)
    await news(bench, "b", 3)
    turns = Turn("a", "one:443", 8), Turn("b", "two:443", 8)
    hosts = {"one:443": 8, "two:443": 8}
    assert len(await claim(bench, *turns, limit=4, **hosts)) == 4
    assert len(await claim(bench, *turns, **hosts)) == 2
    await bench.store.do(free_all, FreeAll("p1", bench.clock.at))
    assert len(await claim(bench, limit=4)) == 4
