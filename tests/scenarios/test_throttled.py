"""429: exactly what Webex asked to wait for is parked, for as long as it asked, and nothing else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from bridge.domain.throttling import SENDING
from bridge.simulator import Simulator, World
from bridge.store.tables import deliveries, guests
from tests.harness import AMY, RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.test_words_under_faults import all_greeted, owner, said

CALM = config(webex={"poll_seconds": 3600})
WAITS: dict[str, dict[str, Any]] = {
    "zero": {"retry_after": 0},
    "one": {"retry_after": 1},
    "date": {"retry_after": "date:2"},
    "absent": {"retry_after": None},
    "nonsense": {"retry_after": "soon, I hope"},
    "html": {"retry_after": "15", "html": True},
    "hour": {"retry_after": 3600},
}


async def test_each_form_of_429_parks_that_guest_for_its_time(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Seconds, a date, 0, an hour, nothing or nonsense, also as HTML; others do not wait; a restart keeps it."""
    async with running(CALM, sim, clock=clock) as bridge:
        customers = await all_greeted(bridge, [*WAITS, "free"], world)
        for name, fault in WAITS.items():
            world.fault("POST /v1/messages", status=429, owner=owner(world, name), **fault)
        for customer in customers.values():
            await customer.say("more")

        async def arrived() -> set[str]:
            return {name for name, texts in (await said(world, bridge)).items() if "more" in texts}

        await eventually(lambda: not world.faults and len(bridge.texts()) > len(customers))
        assert "free" in await arrived()
        await eventually(lambda: _is(arrived, {"free", "zero", "one", "date"}))
        assert (await customers["hour"].say("still there?")).status == 202
        await bridge.advance(10)
        await bridge.restart()
        await eventually(bridge.ready)
        assert await arrived() == {"free", "zero", "one", "date"}
        await bridge.advance(6)
        await eventually(lambda: _is(arrived, {*WAITS, "free"} - {"hour"}))
        await bridge.advance(3500)
        await customers["free"].say("hello again")
        await eventually(lambda: "hello again" in bridge.texts())
        assert "hour" not in await arrived()
        await bridge.advance(100)
        await eventually(lambda: _is(arrived, {*WAITS, "free"}))
        await eventually(lambda: "still there?" in bridge.texts())
        assert (await said(world, bridge))["hour"] == ["hello", "more", "still there?"]


async def _is(arrived: Any, wanted: set[str]) -> bool:
    return await arrived() == wanted


async def test_429_on_minting_parks_all_minting_for_a_minute_and_that_subject_for_longer(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Who has a token goes on; new guests wait at most 60 s; the throttled subject waits the whole hour."""
    async with running(CALM, sim, clock=clock) as bridge:
        known = await bridge.opened("known", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        world.fault("POST /v1/guests/token", status=429, retry_after=3600)
        await bridge.opened("unlucky", "from the unlucky")
        await eventually(lambda: not world.faults)
        await bridge.opened("other", "from the other")
        await known.say("from the known")
        await eventually(lambda: "from the known" in bridge.texts())
        await bridge.restart()
        await bridge.advance(50)
        await known.say("still here")
        await eventually(lambda: "still here" in bridge.texts())
        assert "from the other" not in bridge.texts()
        await bridge.advance(11)
        await eventually(lambda: "from the other" in bridge.texts())
        assert "from the unlucky" not in bridge.texts()
        await bridge.restart()
        await bridge.advance(3540)
        await eventually(lambda: "from the unlucky" in bridge.texts())
        assert len(bridge.texts()) == 5


async def test_guest_who_may_not_send_writes_no_webhook_either(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Webex's limits are the guest's: its webhook, due meanwhile, waits as its words do, over a restart too."""
    async with running(CALM, sim, clock=clock, public_url=True) as bridge:
        world.fault("POST /v1/webhooks", status=503, times=1)
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: not world.faults)
        world.fault("POST /v1/messages", status=429, retry_after=60)
        await ada.say("more")
        await eventually(lambda: not world.faults)
        tried = len(bridge.calls("/webhooks"))
        await bridge.restart()
        await eventually(bridge.ready)
        await bridge.advance(30)
        await bridge.opened("bert", "me too")
        await eventually(lambda: "me too" in bridge.texts())
        await eventually(lambda: len(world.hooks) == 3)  # Bert's
        assert len(bridge.calls("/webhooks")) == tried + 3
        await bridge.advance(31)
        await eventually(lambda: bridge.texts() == ["hello", "me too", "more"])
        await eventually(lambda: len(world.hooks) == 6)


async def test_service_app_does_not_ask_again_too_early(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Counting guests keeps to its own Retry-After, by a restarted service too, and stops no minting."""
    async with running(CALM, sim, clock=clock) as bridge:
        world.fault("GET /v1/guests/count", status=429, retry_after=7200)
        await bridge.service.health.count_guests()
        assert not world.faults
        await bridge.restart()
        await bridge.advance(3600)
        await bridge.service.health.count_guests()
        await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        assert len(bridge.calls("/guests/count", "GET")) == 1
        await bridge.advance(3601)
        await bridge.service.health.count_guests()
        assert len(bridge.calls("/guests/count", "GET")) == 2


async def test_what_was_not_asked_is_no_attempt(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Claimed before the 429 was known, the words wait at the gate: they are in no doubt and said with one call."""
    async with running(CALM, sim, clock=clock) as bridge:
        (ada,) = (await all_greeted(bridge, ["ada"], world)).values()
        before = len(bridge.calls())
        (guest,) = await bridge.service.store.read(
            lambda connection: connection.execute(select(guests.c.id)).one()
        )
        bridge.service.webex.gates.close(guest, SENDING, 60)
        await ada.say("more")
        assert await eventually(lambda: _put_off(bridge)) == (0, 0)
        await bridge.advance(61)
        await eventually(lambda: bridge.texts() == ["hello", "more"])
        assert bridge.calls()[before:] == [("POST", "/v1/messages", 200)]


async def _put_off(bridge: RunningBridge) -> Any:
    """How often the words that wait were attempted, and whether in doubt."""
    d = deliveries.c
    query = select(d.attempts, d.doubt).where(d.state == "open", d.kind == "say", d.error.is_not(None))
    row = await bridge.service.store.read(lambda connection: connection.execute(query).first())
    return tuple(row) if row else None


async def test_429_on_reading_parks_no_words(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Reading an agent's answers has its own clock: the customer's words go out meanwhile."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        fault = world.fault("GET /v1/messages", status=429, retry_after=30)
        await eventually(lambda: fault.used)
        world.say(AMY, _guest(world), text="an answer")
        await ada.say("more")
        await eventually(lambda: bridge.texts() == ["hello", "more"])
        assert await ada.heard() == []
        await bridge.advance(31)
        await eventually(lambda: _heard(ada, ["an answer"]))


async def test_webhook_does_not_break_into_a_parked_thread(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Webex says 'look' while it has us wait with looking: we wait."""
    async with running(config(), sim, clock=clock, public_url=True) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: len(world.hooks) == 3)
        fault = world.fault("GET /v1/messages/direct", status=429, retry_after=30)
        world.say(AMY, _guest(world), text="one")
        await eventually(lambda: fault.used)
        world.say(AMY, _guest(world), text="two")
        await bridge.opened("bert", "me too")
        await eventually(lambda: "me too" in bridge.texts())
        await bridge.advance(20)
        world.say(AMY, _guest(world), text="three")
        await bridge.opened("cleo", "and me")
        await eventually(lambda: "and me" in bridge.texts())
        await bridge.advance(11)
        await eventually(lambda: _heard(ada, ["one", "two", "three"]))


async def test_looking_for_lost_words_keeps_to_the_park_of_reading(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """The courier reads the thread too, before it repeats: not while reading is parked (the fixture looks)."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        fault = world.fault("GET /v1/messages", status=429, retry_after=30)
        await eventually(lambda: fault.used)
        world.fault("POST /v1/messages", "drop_after")
        await ada.say("more")
        await eventually(lambda: bridge.texts() == ["hello", "more"])
        await bridge.advance(5)
        await bridge.opened("bert", "me too")
        await eventually(lambda: "me too" in bridge.texts())
        await bridge.advance(30)
        await eventually(lambda: _all_sent(ada))
        assert bridge.texts() == ["hello", "more", "me too"]


async def test_429_for_such_a_look_parks_reading(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """A webhook does not have the thread read while Webex has the courier wait with looking."""
    async with running(CALM, sim, clock=clock, public_url=True) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: len(world.hooks) == 3)
        fault = world.fault("GET /v1/messages/direct", status=429, retry_after=30)
        world.fault("POST /v1/messages", "drop_after")
        await ada.say("more")
        await eventually(lambda: bridge.texts() == ["hello", "more"])
        await bridge.advance(5)
        await eventually(lambda: fault.used)
        await bridge.advance(1)
        world.say(AMY, _guest(world), text="an answer")
        await bridge.opened("bert", "me too")
        await eventually(lambda: "me too" in bridge.texts())
        await bridge.advance(30)
        await eventually(lambda: _all_sent(ada))
        await eventually(lambda: _heard(ada, ["an answer"]))


async def _all_sent(customer: Any) -> bool:
    own = [item for item in await customer.messages() if item["from"] == "customer"]
    return all(item["delivery"] == "sent" for item in own)


def _guest(world: World) -> str:
    return next(guest.id for guest in world.guests.values() if guest.name == "Ada")


async def _heard(customer: Any, texts: list[str]) -> bool:
    return await customer.heard() == texts
