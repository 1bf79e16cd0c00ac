"""One file or one message that Webex does not give holds up nobody for long, and both sides hear of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bridge.simulator import Simulator, World
from bridge.store.tables import hints, locks, threads
from tests.customers import Customer
from tests.harness import AMY, RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.steps import all_sent, answer, greeted, guest_of, has_status, heard

ways = pytest.mark.parametrize("public_url", [True, False], ids=["webhook", "poll"])
SAID_TO_CUSTOMER = config(
    messages={"en": {"file_refused": "No file. Not {file}.", "not_shown": "A message is missing."}}
)


def _file(world: World, text: str = "with a file") -> dict[str, Any]:
    return world.say(AMY, guest_of(world).id, text=text, file=("form.pdf", b"%PDF", "application/pdf"))


async def _told(customer: Customer) -> list[str]:
    return [text for who, text in await customer.transcript() if who == "system"]


@ways
@pytest.mark.parametrize("status", [403, 404, 400, 410, 451, 401])
async def test_refused_file_costs_nobody_the_words(
    sim: Simulator, world: World, public_url: bool, status: int
) -> None:
    """A definite 'no' to a file: its words come without it and at once, what follows too, and /done is done."""
    async with running(SAID_TO_CUSTOMER, sim, public_url=public_url) as bridge:
        ada = await greeted(bridge)
        refused = world.fault("GET /v1/contents", status, times=None)
        _file(world)
        answer(world, "after it")
        await eventually(lambda: heard(ada, "with a file", "after it"), within=60)
        assert await _told(ada) == ["No file. Not form.pdf."]
        assert refused.used <= 2
        assert not any(item["files"] for item in await ada.messages())
        answer(world, "/done")
        await eventually(lambda: has_status(ada, "ended"), within=60)


@ways
@pytest.mark.parametrize("trouble", [503, 423, "drop_before"])
async def test_file_that_may_come_is_waited_for_two_minutes(
    sim: Simulator, world: World, clock: ShiftedClock, public_url: bool, trouble: Any
) -> None:
    """Webex is busy with it, or down: words wait in order, also over a restart, then come without the file."""
    async with running(SAID_TO_CUSTOMER, sim, public_url=public_url, clock=clock) as bridge:
        ada = await greeted(bridge)
        fault = world.fault("GET /v1/contents", trouble, times=None)
        for number in range(3):
            _file(world, f"file {number}")
        answer(world, "after them")
        await eventually(lambda: fault.used, within=60)
        await bridge.restart()
        await bridge.advance(100)
        used = fault.used
        await eventually(lambda: fault.used > used, within=60)
        assert await heard(ada)
        await bridge.advance(21)
        await eventually(lambda: heard(ada, "file 0", "file 1", "file 2", "after them"), within=60)
        assert await _told(ada) == ["No file. Not form.pdf."] * 3


async def test_file_that_comes_within_two_minutes_is_given(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """What passes costs nothing."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        fault = world.fault("GET /v1/contents", 503, times=None)
        _file(world)
        await eventually(lambda: fault.used, within=60)
        world.clear_faults()
        await bridge.advance(16)
        await eventually(lambda: heard(ada, "with a file"), within=60)
        (file,) = (await ada.messages())[-1]["files"]
        assert file["name"] == "form.pdf"


@ways
async def test_undecryptable_message_is_waited_for_then_told(
    sim: Simulator, world: World, clock: ShiftedClock, public_url: bool
) -> None:
    """Two minutes, in which what is known already stays as it is; then the rest comes, and an edit mends it."""
    async with running(SAID_TO_CUSTOMER, sim, public_url=public_url, clock=clock) as bridge:
        ada = await greeted(bridge)
        known = answer(world, "first")
        await eventually(lambda: heard(ada, "first"), within=60)
        world.spoil(known["id"], "kms")
        dark = answer(world, "in the dark")
        world.spoil(dark["id"], "kms")
        answer(world, "second")
        await eventually(lambda: _waits(bridge, dark["id"]), within=60)
        assert await heard(ada, "first")
        await bridge.advance(121)
        await eventually(lambda: heard(ada, "first", "second"), within=60)
        assert await _told(ada) == ["A message is missing."]
        world.spoil(dark["id"], "")
        world.edit(AMY, dark["id"], text="in the light")
        await bridge.advance(31)
        await eventually(lambda: heard(ada, "first", "second", "in the light"), within=60)


async def _waits(bridge: RunningBridge, message_id: str) -> bool:
    query = select(locks.c.name).where(locks.c.name == f"unread:{message_id}")
    return await bridge.service.store.read(lambda connection: connection.execute(query).first() is not None)


@ways
@pytest.mark.parametrize(("how", "told"), [("content", ["A message is missing."]), ("shape", [])])
async def test_malformed_message_is_passed_over(
    sim: Simulator, world: World, clock: ShiftedClock, public_url: bool, how: str, told: list[str]
) -> None:
    """What Webex lists in no form that can be read costs itself alone; whose it is is told where that is known."""
    async with running(SAID_TO_CUSTOMER, sim, public_url=public_url, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.webhook_lose = 1.0  # so that it is spoiled before it is seen
        odd = answer(world, "odd")
        world.spoil(odd["id"], how)
        world.webhook_lose = 0.0
        answer(world, "even")
        await eventually(lambda: heard(ada, "even"), within=60)
        assert await _told(ada) == told
        answer(world, "/done")
        await eventually(lambda: has_status(ada, "ended"), within=60)


# Seconds after which a thread is read even by webhook, however quiet it is.
_LONGEST = 301.0


@ways
@pytest.mark.parametrize("how", ["content", "shape"])
async def test_shown_message_that_turns_malformed_is_no_deletion_and_no_trouble(
    sim: Simulator, world: World, clock: ShiftedClock, public_url: bool, how: str
) -> None:
    """What the customer has stays, what the agent does take back goes, and the thread is read as before."""
    async with running(config(), sim, public_url=public_url, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.webhook_lose = 1.0
        words = [f"word {number}" for number in range(12)]
        said = [answer(world, word)["id"] for word in words]
        await bridge.advance(_LONGEST)
        await eventually(lambda: heard(ada, *words), within=60)
        for ident in said:
            world.spoil(ident, how)
        asked = world.fault(f"GET /v1/messages/{said[0]}$", "slow=0", times=None)
        slip = answer(world, "a slip")
        more = ["more", "and more", "and on"]
        for number in range(3):
            answer(world, more[number])
            await bridge.advance(_LONGEST)
            await eventually(partial(heard, ada, *words, "a slip", *more[: number + 1]), within=60)
        # Once a reading, and a jump of the clock may come between two of them.
        assert asked.used <= 2 * len(more)
        world.delete(AMY, slip["id"])
        await bridge.advance(_LONGEST)
        await eventually(lambda: heard(ada, *words, "", *more), within=60)
        assert await bridge.service.store.read(_failures) == [0]


def _failures(connection: Connection) -> list[int]:
    return list(connection.execute(select(threads.c.read_failures)).scalars())


@ways
async def test_whole_page_that_cannot_be_read_hides_nothing_behind_it(
    sim: Simulator, world: World, clock: ShiftedClock, public_url: bool
) -> None:
    """The newest fifty are malformed: what stands before them is read."""
    async with running(config(), sim, public_url=public_url, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.webhook_lose = 1.0
        world.fault("GET /v1/messages/direct", 503, times=None)
        answer(world, "even")
        for _ in range(50):
            world.spoil(answer(world, "odd")["id"], "shape")
        world.clear_faults()
        await bridge.advance(31)
        await eventually(lambda: heard(ada, "even"), within=60)
        world.webhook_lose = 0.0
        answer(world, "and on")
        await eventually(lambda: heard(ada, "even", "and on"), within=60)


async def test_refused_file_without_words_is_no_empty_message(sim: Simulator, world: World) -> None:
    """The customer reads the notice alone."""
    async with running(SAID_TO_CUSTOMER, sim) as bridge:
        ada = await greeted(bridge)
        world.fault("GET /v1/contents", 403, times=None)
        _file(world, "")
        answer(world, "after it")
        await eventually(lambda: heard(ada, "after it"), within=60)
        assert await _told(ada) == ["No file. Not form.pdf."]


async def test_message_that_only_the_webhook_knows_holds_up_nobody(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Listed in no readable form and told of by a webhook: asked for by its id for a while, then let be."""
    async with running(SAID_TO_CUSTOMER, sim, public_url=True, clock=clock) as bridge:
        ada = await greeted(bridge)
        await eventually(lambda: len(world.hooks) == 3, within=60)
        odd = answer(world, "odd")
        world.spoil(odd["id"], "shape")
        answer(world, "even")
        await eventually(lambda: heard(ada, "even"), within=60)
        asked = world.fault(f"GET /v1/messages/{odd['id']}", "slow=0", times=None)

        async def let_be() -> bool:
            await bridge.advance(31)
            return not await bridge.service.store.read(
                lambda connection: connection.execute(select(hints.c.message_id)).first() is not None
            )

        await eventually(let_be, within=60)
        assert 0 < asked.used < 10
        answer(world, "on it goes")
        await eventually(lambda: heard(ada, "even", "on it goes"), within=60)


@pytest.mark.parametrize("how", ["kms", "content", "shape"])
async def test_look_for_own_words_is_not_stopped_by_an_odd_message(
    sim: Simulator, world: World, clock: ShiftedClock, how: str
) -> None:
    """After a lost answer the thread is looked into; the agent's unreadable words in it do not matter."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.spoil(answer(world, "odd")["id"], how)
        lost = world.fault("POST /v1/messages", "drop_after")
        await ada.say("are you there?")
        await eventually(lambda: lost.used, within=60)
        await bridge.advance(5)
        await eventually(lambda: all_sent(ada), within=60)
        assert bridge.texts() == ["hello", "are you there?"]


async def test_look_waits_for_what_may_be_ones_own_words(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Ours cannot be decrypted just now: not said again meanwhile; found when it can be read."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        dark = world.fault("GET /v1/messages/direct", "kms", times=None)
        world.fault("POST /v1/messages", "drop_after")
        await ada.say("are you there?")
        await eventually(lambda: dark.used > 2, within=60)
        await bridge.advance(60)
        used = dark.used
        await eventually(lambda: dark.used > used, within=60)
        assert bridge.texts() == ["hello", "are you there?"]
        world.clear_faults()
        await bridge.advance(16)
        await eventually(lambda: all_sent(ada), within=60)
        assert bridge.texts() == ["hello", "are you there?"]


async def test_refused_look_does_not_keep_the_words(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Webex takes words and shows no thread: they are said again rather than never, by the same agent's thread."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        world.fault("GET /v1/messages/direct", 403, times=None)
        lost = world.fault("POST /v1/messages", "drop_before")
        await ada.say("are you there?")
        await eventually(lambda: lost.used, within=60)
        await bridge.advance(5)
        await eventually(lambda: all_sent(ada), within=60)
        assert bridge.texts() == ["hello", "are you there?"]


async def test_thread_that_is_refused_for_good_is_told(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Webex shows the thread no more: /readyz says so, and it is well again when answers come."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        fault = world.fault("GET /v1/messages/direct", 403, times=None)
        answer(world, "unheard")

        async def degraded() -> bool:
            used = fault.used
            await bridge.advance(61)
            await eventually(lambda: fault.used > used, within=60)
            await bridge.service.health.count()
            return "cannot be read at Webex" in str((await bridge.get("/readyz"))[1]["degraded"])

        await eventually(degraded, within=60)
        world.clear_faults()
        await bridge.advance(61)
        await eventually(lambda: heard(ada, "unheard"), within=60)
        await bridge.service.health.count()
        status, ready = await bridge.get("/readyz")
        assert (status, ready["degraded"]) == (200, [])
