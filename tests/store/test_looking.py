"""A guest's threads have one reader at a time: a look for lost words, or the hearing of answers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from bridge.store import hearing, hints, lanes, looking
from bridge.store.hearing import Listen, Thread
from bridge.store.lanes import ReadingPark
from bridge.store.looking import Look, Looking
from bridge.store.tables import deliveries
from tests.store.conftest import BUDGET, LEASE, NOW, Bench


async def spoken(bench: Bench) -> str:
    """A guest whose words are said and whose thread is due to be read."""
    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.take()
    await bench.settle(work, webex_id="w1", room_id="r1", webex_created=1.0, listen_at=bench.clock.at)
    assert work.guest is not None
    return work.guest.id


async def listen(bench: Bench, owner: str = "p1") -> Sequence[Thread]:
    return await bench.store.do(
        hearing.claim_threads, Listen(owner, bench.clock.at, LEASE, limit=10, budget=BUDGET)
    )


async def look(bench: Bench, owner: str = "p2") -> Looking:
    """By whoever has the guest's next words to say."""
    if owner not in bench.lookers:
        await bench.accept(f"next of {owner}")
        await bench.intake()
        (bench.lookers[owner],) = await bench.take(owner)
    return await bench.store.do(looking.begin_look, Look(bench.lookers[owner], bench.clock.at, LEASE))


async def test_nobody_hears_while_somebody_looks(bench):
    """Afterwards the thread is due when it was."""
    await spoken(bench)
    begun = await look(bench)
    assert begun.wait_until is None
    assert await listen(bench) == []
    await bench.store.do(looking.end_look, begun)
    assert len(await listen(bench)) == 1


async def test_nobody_looks_while_somebody_hears_or_looks(bench):
    """It is asked again soon."""
    await spoken(bench)
    await listen(bench)
    soon = (await look(bench)).wait_until
    assert soon is not None
    assert bench.clock.at < soon < bench.clock.at + 1
    bench.clock.at += LEASE + 1
    assert (await look(bench)).wait_until is None
    assert (await look(bench, "p3")).wait_until is not None


async def test_nobody_looks_before_a_retry_after_is_over(bench):
    """Whoever got the 429: hearing, or a look, whose end does not undo it."""
    guest = await spoken(bench)
    begun = await look(bench)
    until = bench.clock.at + 60
    await bench.store.do(lanes.park_reading, ReadingPark(guest, until))
    await bench.store.do(looking.end_look, begun)
    assert (await look(bench)).wait_until == until
    assert await listen(bench) == []
    bench.clock.at = until
    assert (await look(bench)).wait_until is None


async def test_a_look_whose_process_died_keeps_nobody_for_long(bench):
    """Its lease ends like any other."""
    await spoken(bench)
    await look(bench)
    bench.clock.at += LEASE + 1
    assert len(await listen(bench)) == 1


async def test_a_guest_without_a_thread_yet(bench):
    """Nobody could read it: there is nothing to keep."""
    begun = await look(bench)
    assert (begun.wait_until, begun.kept) == (None, {})
    await bench.store.do(looking.end_look, begun)


async def test_an_answer_announced_during_a_look_is_read_at_once(bench):
    """The webhook finds the thread kept; it is not forgotten when the look ends."""
    guest = await spoken(bench)
    (thread,) = await listen(bench)
    later = bench.clock.at + 300
    await bench.store.do(
        hearing.settle_thread, hearing.ThreadRead(thread, bench.clock.at, (), (), later, 0, False)
    )
    begun = await look(bench)
    hint = hints.Hint("m1", guest, "amy@example.com", bench.clock.at)
    assert await bench.store.do(hints.note_hints, hint) == "noted"
    assert await listen(bench) == []
    await bench.store.do(looking.end_look, begun)
    (again,) = await listen(bench)
    assert again.hints == ("m1",)


async def test_only_who_has_the_delivery_looks_for_it(bench):
    """Its lease ran out and somebody else has begun it, or it was taken back: the look tells, and keeps nothing."""
    await spoken(bench)
    assert (await look(bench)).state == "open"
    bench.clock.at += LEASE
    assert (await look(bench, "p3")).state == "open"
    late = await look(bench)
    assert (late.state, late.kept) == (None, {})
    await bench.store.do(taken_back, None)
    late = await look(bench, "p3")
    assert (late.state, late.kept) == ("dropped", {})


def taken_back(connection: Connection, items: Sequence[None]) -> list[None]:
    connection.execute(update(deliveries).where(deliveries.c.state == "open").values(state="dropped"))
    return [None] * len(items)


async def test_a_look_knows_former_copies_and_where_the_conversation_begins(bench):
    """The same words for the same agent from before they were taken back, and until when they may still arrive."""
    await spoken(bench)
    assert ((await look(bench)).since, (await look(bench)).copies) == (1.0, frozenset())
    first = bench.lookers["p2"]
    await bench.store.do(copied, first.id)
    bench.clock.at += LEASE
    begun = await look(bench, "p3")
    assert bench.lookers["p3"].id > first.id
    assert (begun.copies, begun.quiet_until) == ({first.id}, NOW + LEASE + 20)


def copied(connection: Connection, items: Sequence[int]) -> list[None]:
    """As when the agent gets them back: the former copy is dropped, and the words are to be said again."""
    for ident in items:
        row = dict(connection.execute(select(deliveries).where(deliveries.c.id == ident)).one()._mapping)
        connection.execute(update(deliveries).where(deliveries.c.id == ident).values(state="dropped"))
        del row["id"]
        connection.execute(insert(deliveries), [{**row, "attempts": 0}])
    return [None] * len(items)
