"""What time alone brings about, on both databases."""

from sqlalchemy import func, select, text

from bridge.store import guests, reads, ticks
from bridge.store.retention import Purge, purge
from bridge.store.tables import conversations, lanes, messages
from tests.store.conftest import NOW


def count(connection, table):
    return connection.execute(select(func.count()).select_from(table)).scalar()


async def test_a_clock_that_is_set_moves_what_waits(bench, clock):
    """An hour back or forward: a park of a minute is still a minute, a token's life as long as it was."""
    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.claim()
    await bench.mint(work, life=100)
    await bench.settle(work, "again", again_at=NOW + 60)
    for jump in (-3600.0, 7200.0):
        clock.at += jump
        await bench.store.do(ticks.rebase, ticks.Jump(jump))
        assert await bench.claim() == []
        assert await bench.store.read(guests.next_due) == clock.at + 80
    clock.at += 60
    (again,) = await bench.claim()
    assert again.guest.usable(clock.at)


async def test_two_schedulers_make_one_envelope(bench, clock):
    """A conversation that is due is put once, however many ask."""
    from bridge.domain.model import SourceRules

    bench.rules = SourceRules(idle_seconds=100)
    await bench.accept("e1")
    await bench.intake()
    clock.at = NOW + 75
    made = [await bench.store.do(ticks.put_due, ticks.Tick(clock.at)) for _ in range(3)]
    assert made == [1, 0, 0]
    assert (await bench.intake()).envelopes == 1


async def test_a_stranded_row_is_found(bench, clock):
    """Should a lane's row ever be lost, its work is found again."""
    await bench.accept("e1")

    def lose(connection, items):
        connection.execute(text("DELETE FROM lanes"))
        return [None] * len(items)

    await bench.store.do(lose, None)
    assert (await bench.intake()).envelopes == 0
    assert await bench.store.do(ticks.find_stranded, ticks.Tick(clock.at)) == 1
    assert (await bench.intake()).envelopes == 1


async def test_old_conversations_go_with_all_that_was_said(bench, clock):
    """After keep_days nothing of it is left but the guest's derived name and a hash of the customer's."""
    await bench.accept("e1", text="very private")
    await bench.intake()
    await bench.accept("e2", kind="ended")
    await bench.intake()
    (work,) = await bench.claim()
    await bench.mint(work)
    await bench.settle(work)
    clock.at = NOW + 31 * 86400
    assert await bench.store.do(purge, Purge(clock.at, 30 * 86400)) == (1, None)
    assert await bench.store.read(count, conversations) == 0
    assert await bench.store.read(count, messages) == 0
    await bench.accept("e3", name="Bob")
    await bench.accept("e4", "eve", name="Eve")
    await bench.intake()
    found = {work.guest.id: work.guest.display_name for work in await bench.claim()}
    assert found == {"g-ada-Bob": "Bob", "g-eve": "Eve"}


async def test_a_forgotten_customer_who_returns_gets_the_same_guest(bench, clock):
    """The same name under the same subject is the same person, long after the name was forgotten."""
    await bench.accept("e1", name="Ada")
    await bench.intake()
    await bench.accept("e2", kind="ended")
    await bench.intake()
    clock.at = NOW + 31 * 86400
    await bench.store.do(purge, Purge(clock.at, 0))
    await bench.accept("e3", name="Ada")
    await bench.intake()
    works = await bench.claim()
    assert [(work.guest.id, work.guest.display_name) for work in works] == [("g-ada", "Ada")]


async def test_counts_are_of_what_is_open(bench, clock):
    """Gauges and the bound on the backlog count what waits, by source."""
    await bench.accept("e1")
    assert (await bench.store.read(reads.backlog)).by_source == {"kiosk": 1}
    await bench.intake()
    counts = await bench.store.read(reads.counts, clock.at)
    assert (counts.envelopes, counts.open, counts.queued, counts.dead) == (0, 1, 0, 0)
    (work,) = await bench.claim()
    await bench.settle(work, "dead", error="no")
    assert (await bench.store.read(reads.counts, clock.at)).dead == 1


async def test_leases_left_by_a_crash_are_free_when_nobody_else_is_there(bench, clock):
    """The only process frees them at its start; in company they run out."""
    from bridge.store.outbox import FreeAll, free_all

    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.claim("dead process")
    await bench.mint(work)
    await bench.store.do(free_all, FreeAll(None, clock.at))
    (again,) = await bench.claim("p1")
    assert again.doubt
    assert await bench.store.read(count, lanes) >= 1


async def test_ended_overrides_are_forgotten(bench, clock):
    """What is over leaves the table; what is to come stays."""
    from bridge.store import overrides

    for agent, ends_at in (("amy", NOW + 60), ("bo", NOW + 600)):
        await bench.store.do(
            overrides.put, overrides.Change("off", NOW, ends_at, "kim@example.com", NOW, agent)
        )
    await bench.store.do(overrides.forget_ended, NOW + 60)
    left = await bench.store.read(overrides.current, NOW)
    assert [one.agent for one in left.agents] == ["bo"]
