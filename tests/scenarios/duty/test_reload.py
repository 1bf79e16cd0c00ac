"""A changed file counts for who waits, never for a choice already made; a bad one counts for nothing."""

from __future__ import annotations

from typing import Any

from bridge.simulator import Simulator, World
from tests.harness import AMY, BO, CY, RunningBridge, ShiftedClock, eventually, running
from tests.scenarios.duty.desk import counted, given, has, held_places, rota, say_so, set_clock, told
from tests.scenarios.steps import answer, greeted, heard

MORNINGS = ["mon-fri 09:00-18:00"]
RETURNS = [{"when": {"topic": ["returns"]}, "team": "back-office"}, {"team": "front-desk"}]


async def refused(bridge: RunningBridge) -> bool:
    """Whether /readyz says that a changed configuration is not in force; it is 200 in any case."""
    status, body = await bridge.get("/readyz")
    assert status == 200
    return bool(body["configuration"] == "refused" and any("not in force" in one for one in body["degraded"]))


async def change(bridge: RunningBridge, setup: Any) -> None:
    """A file replaced by rename, and looked at: sooner than it would be by itself."""
    bridge.write(setup)
    await bridge.service.reloader.look()


async def test_another_route_counts_for_who_waits(sim: Simulator, clock: ShiftedClock) -> None:
    """Returns go to the back office from now: who waits with one goes there, who has an agent stays."""
    set_clock(clock, "2026-11-23T10:00")
    setup = rota("amy", each={"amy": {"capacity": 1}})
    async with running(setup, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello", topic="returns")
        await eventually(lambda: has(ada, status="open", agent="Amy"))
        bert = await bridge.opened("bert", "hello", topic="returns")
        cleo = await bridge.opened("cleo", "hello", topic="orders")
        await eventually(lambda: has(cleo, queuePosition=2))
        await change(bridge, setup | {"routes": RETURNS})
        await eventually(lambda: has(bert, status="open", agent="Cy"))
        await eventually(lambda: has(cleo, status="queued", queuePosition=1))
        assert await has(ada, status="open", agent="Amy")
        await ada.say("more")
        await eventually(lambda: bridge.texts(AMY) == ["hello", "more"])
        assert bridge.texts(CY) == ["hello"]


async def test_removed_team_leaves_nobody_behind(
    sim: Simulator, clock: ShiftedClock, database_url: str
) -> None:
    """Who waited there goes by the routes that are left, in the line by how long they waited."""
    set_clock(clock, "2026-11-22T20:00")
    setup = rota(back={"hours": MORNINGS}, hours=MORNINGS) | {"routes": RETURNS}
    async with running(setup, sim, clock=clock, database_url=database_url) as bridge:
        line = []
        for name, topic in (("ada", "returns"), ("bert", "orders"), ("cleo", "returns")):
            line.append(await bridge.opened(name, "hello", topic=topic))
            await eventually(lambda: has(line[-1], status="queued"))
        smaller = rota(hours=MORNINGS)
        del smaller["teams"]["back-office"]
        await change(bridge, smaller)
        for place, customer in enumerate(line, 1):
            await eventually(lambda: has(customer, queuePosition=place))  # noqa: B023 - waited for at once
        await change(bridge, rota())
        await eventually(lambda: has(line[2], status="open"))
        assert [who for who, _ in await given(bridge)] == ["ada", "bert", "cleo"]


async def test_other_hours_are_told_to_who_waits(sim: Simulator, clock: ShiftedClock) -> None:
    """It opens earlier than they were told: opensAt says so, and a message."""
    set_clock(clock, "2026-11-22T20:00")
    async with running(rota(hours=MORNINGS), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, opensAt="2026-11-23T09:00:00.000Z"))
        await change(bridge, rota(hours=["mon-fri 07:30-18:00"]))
        await eventually(lambda: has(ada, opensAt="2026-11-23T07:30:00.000Z", status="queued"))
        first, second = await told(ada)
        assert ("at 09:00" in first, "at 07:30" in second) == (True, True)


async def test_other_waits_count_for_who_waits_already(sim: Simulator, clock: ShiftedClock) -> None:
    """An alert and an answer's time that are set now: for who waits now, and for agents who are silent now."""
    setup = rota("amy", each={"amy": {"capacity": 1}})
    async with running(setup, sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="open"))
        bert = await bridge.opened("bert", "hello")
        await eventually(lambda: has(bert, status="queued"))
        await bridge.advance(100)
        setup["teams"]["front-desk"] |= {
            "alert_after_seconds": 60,
            "answer_within_seconds": 60,
            "overflow": ["back-office"],
            "overflow_after_seconds": 9999,
        }
        await change(bridge, setup)
        await eventually(lambda: has(ada, agent="Cy"))
        await eventually(lambda: has(bert, status="open", agent="Amy"))
        assert await counted(bridge, "waiting") == 1


BAD = (
    "teams: [what is this",
    "",
    rota(pick="youngest"),
    rota(calendar="nowhere.ics"),
    rota("nobody"),
    {"sources": {}},
)


async def test_bad_file_is_refused_and_the_last_good_one_stays(sim: Simulator) -> None:
    """A metric counts it, /readyz names it, everything goes on; a good file again is taken."""
    async with running(rota(), sim) as bridge:
        for number, bad in enumerate(BAD):
            before = await _refusals(bridge)
            await change(bridge, bad)
            assert await refused(bridge)
            assert await _refusals(bridge) > before
            ada = await bridge.opened(f"c{number}", "hello")
            await eventually(lambda: has(ada, status="open"))  # noqa: B023 - waited for at once
            await change(bridge, rota())
            assert not await refused(bridge)
        await change(bridge, rota("bo"))
        bert = await bridge.opened("bert", "hello")
        await eventually(lambda: has(bert, agent="Bo"))


async def _refusals(bridge: RunningBridge) -> float:
    text = (await bridge.get("/metrics"))[1]
    (line,) = (one for one in text.splitlines() if one.startswith("bridge_configuration_refused_total"))
    return float(line.split()[-1])


async def test_file_that_goes_away_and_comes_back(sim: Simulator) -> None:
    """Between 'removed' and 'written anew' the last good one is in force."""
    async with running(rota(), sim) as bridge:
        bridge.path.unlink()
        await eventually(lambda: refused(bridge))  # seen without being asked to look
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="open", agent="Amy"))
        await change(bridge, rota())  # the very same
        assert not await refused(bridge)


def ical(*who: str) -> str:
    """Each of these has a shift on Monday from 10 to 11, London's time."""
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{name}\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:{name}\r\n"
        "DTSTART;TZID=Europe/London:20261123T100000\r\nDTEND;TZID=Europe/London:20261123T110000\r\n"
        "END:VEVENT\r\n"
        for name in who
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}END:VCALENDAR\r\n"


async def test_changed_calendar_is_read_again(sim: Simulator, clock: ShiftedClock) -> None:
    """The rota's own file changes, is spoilt, and is repaired, while the configuration stays as it is."""
    set_clock(clock, "2026-11-23T10:15")
    async with running(rota(), sim, clock=clock) as bridge:
        look, calendar = bridge.service.reloader.look, bridge.folder / "rota.ics"
        calendar.write_text("nonsense")
        await change(bridge, rota(calendar="rota.ics"))
        assert await refused(bridge)
        calendar.write_text(ical())  # repaired, and nobody has a shift
        await look()
        assert not await refused(bridge)
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: has(ada, status="queued", opensAt=None))
        fresh = calendar.with_suffix(".new")
        fresh.write_text(ical("bo"))
        fresh.replace(calendar)
        await look()
        await eventually(lambda: bridge.texts(BO) == ["hello"])
        calendar.write_text("nonsense")
        await look()
        assert await refused(bridge)
        bert = await bridge.opened("bert", "hello")
        await eventually(lambda: has(bert, status="open", agent="Bo"))


async def test_removed_agent_ends_what_they_have(sim: Simulator, world: World) -> None:
    """Amy is taken out of the file: her customer stays with her, nobody new comes, and her end counts."""
    async with running(rota(), sim, public_url=True) as bridge:
        ada = await greeted(bridge)
        smaller = rota("bo")
        del smaller["agents"]["amy"]
        await change(bridge, smaller)
        await ada.say("more")
        await eventually(lambda: bridge.texts(AMY) == ["hello", "more"])
        answer(world, "I see to it")
        await eventually(lambda: heard(ada, "I see to it"))
        for name in ("bert", "cleo"):
            await greeted(bridge, name, BO)
        answer(world, "/done")
        await eventually(lambda: has(ada, status="ended"))
        assert await held_places(bridge) == ({"bo": 2}, {"bo": 2})


async def test_silent_agent_who_was_removed_is_replaced(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Gone from the file with a customer who waits for a word: the next one has the customer."""
    async with running(rota(answer_within_seconds=60), sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        smaller = rota("bo", answer_within_seconds=60)
        del smaller["agents"]["amy"]
        await change(bridge, smaller)
        await bridge.advance(61)
        await eventually(lambda: bridge.texts(BO) == ["hello"])
        assert await has(ada, agent="Bo")
        await say_so(bridge, "off", 60, agent="amy")  # of somebody whom the file does not know
        await greeted(bridge, "bert", BO)
