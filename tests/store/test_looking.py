"""A guest's threads have one reader at a time: a look for lost words, or the hearing of answers."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.store import hearing, looking
from bridge.store.hearing import Listen, ReadingPark, Thread
from bridge.store.looking import Look, Looking
from tests.store.conftest import BUDGET, LEASE, Bench


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


async def look(bench: Bench, guest: str, owner: str = "p2") -> Looking:
    return await bench.store.do(looking.begin_look, Look(guest, owner, bench.clock.at, LEASE))


async def test_nobody_hears_while_somebody_looks(bench):
    """Afterwards the thread is due when it was."""
    guest = await spoken(bench)
    begun = await look(bench, guest)
    assert begun.wait_until is None
    assert await listen(bench) == []
    await bench.store.do(looking.end_look, begun)
    assert len(await listen(bench)) == 1


async def test_nobody_looks_while_somebody_hears_or_looks(bench):
    """It is asked again soon."""
    guest = await spoken(bench)
    await listen(bench)
    soon = (await look(bench, guest)).wait_until
    assert soon is not None
    assert bench.clock.at < soon < bench.clock.at + 1
    bench.clock.at += LEASE + 1
    assert (await look(bench, guest)).wait_until is None
    assert (await look(bench, guest, "p3")).wait_until is not None


async def test_nobody_looks_before_a_retry_after_is_over(bench):
    """Whoever got the 429: hearing, or a look, whose end does not undo it."""
    guest = await spoken(bench)
    begun = await look(bench, guest)
    until = bench.clock.at + 60
    await bench.store.do(hearing.park_reading, ReadingPark(guest, until))
    await bench.store.do(looking.end_look, begun)
    assert (await look(bench, guest)).wait_until == until
    assert await listen(bench) == []
    bench.clock.at = until
    assert (await look(bench, guest)).wait_until is None


async def test_a_look_whose_process_died_keeps_nobody_for_long(bench):
    """Its lease ends like any other."""
    guest = await spoken(bench)
    await look(bench, guest)
    bench.clock.at += LEASE + 1
    assert len(await listen(bench)) == 1


async def test_a_guest_without_a_thread_yet(bench):
    """Nobody could read it: there is nothing to keep."""
    begun = await look(bench, "nobody")
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
    begun = await look(bench, guest)
    hint = hearing.Hint("m1", guest, "amy@example.com", bench.clock.at)
    assert await bench.store.do(hearing.note_hints, hint) == "noted"
    assert await listen(bench) == []
    await bench.store.do(looking.end_look, begun)
    (again,) = await listen(bench)
    assert again.hints == ("m1",)
