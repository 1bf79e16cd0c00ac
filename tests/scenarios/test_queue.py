"""Nobody on duty: the customer is told when it opens, and is served oldest first when it does."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.simulator import Simulator
from tests.harness import AMY, ShiftedClock, config, eventually, running

LONDON = ZoneInfo("Europe/London")
WORKDAYS = config(agents={"amy": {"capacity": 1}}, teams={"front-desk": {"hours": ["mon-fri 09:00-18:00"]}})


def set_clock(clock: ShiftedClock, moment: str) -> None:
    """Makes it this time in London."""
    clock.shift += datetime.fromisoformat(moment).replace(tzinfo=LONDON).timestamp() - clock.now()


async def test_closed_team_tells_when_it_opens_and_serves_oldest_first(
    sim: Simulator, clock: ShiftedClock, database_url: str
) -> None:
    """On Sunday evening: queued, told closed and opensAt; on Monday at nine in order, as there is room."""
    set_clock(clock, "2026-11-22T20:00")
    async with running(WORKDAYS, sim, clock=clock, database_url=database_url) as bridge:
        waiting = []
        for number in range(3):
            waiting.append(await bridge.opened(f"c{number}", f"{number}: hello"))
            await eventually(lambda w=waiting: _position(w[-1], len(w)))
        for number, customer in enumerate(waiting):
            state = await customer.state()
            assert state["opensAt"] == "2026-11-23T09:00:00.000Z"
            assert state["queuePosition"] == number + 1
            system = [text for author, text in await customer.transcript() if author == "system"]
            assert len(system) == 1
            assert "tomorrow at 09:00" in system[0]
        await waiting[0].say("0: more")
        assert bridge.calls() == []
        await bridge.advance(12 * 3600 + 3590)
        assert (await waiting[0].end()).status == 200
        await bridge.restart()
        assert bridge.texts() == []
        await bridge.advance(15)
        await eventually(lambda: bridge.texts() == ["1: hello"])
        await eventually(lambda: _status(waiting[1], "open"))
        assert (await waiting[2].state())["queuePosition"] == 1
        await waiting[1].end()
        await eventually(lambda: bridge.texts() == ["1: hello", "2: hello"])


async def _status(customer: Any, wanted: str) -> bool:
    return await customer.status() == wanted


async def test_capacity_makes_customers_wait_and_an_end_lets_the_oldest_in(sim: Simulator) -> None:
    """One place: the others are queued in order, each sees the line get shorter, the oldest is next."""
    setup = config(agents={"amy": {"capacity": 1}})
    async with running(setup, sim) as bridge:
        ada = await bridge.opened("ada", "ada")
        await eventually(lambda: _status(ada, "open"))
        bert = await bridge.opened("bert", "bert")
        cleo = await bridge.opened("cleo", "cleo")
        await eventually(lambda: _position(cleo, 2))
        async with cleo.stream(0) as stream:
            await eventually(lambda: stream.of("status"))
            await ada.end()
            await eventually(lambda: bridge.texts() == ["ada", "bert"])
            await eventually(lambda: stream.of("status")[-1]["queuePosition"] == 1)
            await bert.end()
            await eventually(lambda: bridge.texts() == ["ada", "bert", "cleo"])
            await eventually(lambda: stream.of("status")[-1]["status"] == "open")
            assert [state["queuePosition"] for state in stream.of("status")] == [2, 1, None]


async def _position(customer: Any, wanted: int) -> bool:
    return (await customer.state())["queuePosition"] == wanted


async def test_changed_rota_serves_who_waits(sim: Simulator, clock: ShiftedClock) -> None:
    """The lead opens the team in the file: who waits is served without a restart."""
    set_clock(clock, "2026-11-22T20:00")
    async with running(WORKDAYS, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: _status(ada, "queued"))
        bridge.write(config())
        await eventually(lambda: bridge.texts(AMY) == ["hello"])


async def test_invalid_change_leaves_the_last_good_configuration_in_force(sim: Simulator) -> None:
    """It is refused, /readyz says so, still 200, and everything goes on; a repaired file is taken."""
    async with running(config(), sim) as bridge:
        bridge.write("teams: [what is this")

        async def refused() -> bool:
            status, ready = await bridge.get("/readyz")
            assert status == 200
            return ready["configuration"] == "refused"

        await eventually(refused)
        await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        bridge.write(
            config(sources={"extra": {"auth": {"scheme": "page"}, "origins": ["https://a.example"]}})
        )
        await eventually(lambda: _not(refused))
        assert "extra" in bridge.service.live.sources


async def _not(condition: Any) -> bool:
    return not await condition()
