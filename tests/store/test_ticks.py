"""What time alone brings about, on both databases."""

import asyncio

import pytest
from sqlalchemy import func, select, text

from bridge.store import reads, tokens, upkeep
from bridge.store.hints import Hint, note_hints
from bridge.store.retention import Purge, purge
from bridge.store.tables import (
    agents,
    choices,
    conversations,
    deliveries,
    envelopes,
    guest_tokens,
    hints,
    lanes,
    messages,
    threads,
)
from bridge.store.tables import guests as guests_table
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
        await bench.store.do(upkeep.rebase, upkeep.Jump(jump, clock.at))
        assert await bench.claim() == []
        assert await bench.store.read(tokens.next_due) == clock.at + 80
    clock.at += 60
    (again,) = await bench.claim()
    assert again.guest.usable(clock.at)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 86400.0, -86400.0])
async def test_what_is_compared_moves_and_what_happened_stays(bench, clock, jump):
    """Each stored time that is held against the clock is as far away as before; what people are shown is as it was."""
    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.take()
    await bench.settle(work, room_id="r1", webex_created=1.0, listen_at=NOW + 2)
    hint = Hint("m1", "g-ada", "amy@example.com", NOW)
    await bench.store.do(note_hints, hint)
    await bench.accept("e2", "bob")
    await bench.intake()
    await bench.accept("e3", "bob", kind="ended")
    await bench.intake()
    await bench.accept("waits", "ada", kind="said")
    before = await bench.store.read(times)
    clock.at += jump
    await bench.store.do(upkeep.rebase, upkeep.Jump(jump, clock.at))
    after = await bench.store.read(times)
    moved = {name for name in before if before[name] and after[name] == before[name] + jump}
    stayed = {name for name in before if before[name] and after[name] == before[name]}
    assert moved == {
        "conversations.created_at", "conversations.opened_at", "conversations.given_at", "conversations.customer_at",
        "conversations.owed_at", "threads.quiet_since", "hints.at", "guests.token_issued_at",
        "guests.token_expires_at", "guests.reissue_at", "guest_tokens.issued_at", "guest_tokens.expires_at",
        "agents.last_given_at", "envelopes.received_at", "deliveries.created_at", "lanes.ready_at", "ended.key_dead_at",
    }  # fmt: skip
    assert stayed == {
        "messages.at", "threads.since", "ended.ended_at", "ended.created_at", "choices.at", "done.done_at",
        "guests.created_at",
    }  # fmt: skip
    await bench.intake()
    said = select(messages.c.at).where(messages.c.text == "waits")
    assert await bench.store.read(lambda c: c.execute(said).scalar()) == clock.at


def times(connection):
    """Stored times of an open conversation, and of one that has ended (`ended`), by table and column."""
    rows = {
        "conversations": select(conversations).where(conversations.c.status == "open"),
        "ended": select(
            conversations.c.ended_at, conversations.c.created_at, conversations.c.key_dead_at
        ).where(conversations.c.status == "ended"),
        "done": select(envelopes.c.done_at).where(envelopes.c.key == "e1"),
        "envelopes": select(envelopes).where(envelopes.c.done_at.is_(None)),
        "deliveries": select(deliveries).where(deliveries.c.state == "open"),
        "lanes": select(lanes).where(lanes.c.stage == "hear"),
        "guests": select(guests_table).where(guests_table.c.id == "g-ada"),
        **{table.name: select(table) for table in (messages, threads, hints, guest_tokens, agents, choices)},
    }
    found = {}
    for name, query in rows.items():
        row = connection.execute(query).mappings().first()
        found |= {
            f"{name}.{column}": value
            for column, value in row.items()
            if isinstance(value, float) and (column in ("at", "since") or column.endswith(("_at", "_since")))
        }
    return found


async def test_what_goes_by_the_old_time_and_by_the_new_never_shares_a_transaction(bench, clock):
    """However much is submitted around it in one turn, moving stands between what came before it and after."""
    order = []

    def note(connection, items):
        order.append(items)
        return items

    def moved(connection, items):
        order.append("moved")
        return upkeep.rebase(connection, items)

    moved.alone = True
    waits = [bench.store.do(note, n) for n in (1, 2)]
    waits.append(bench.store.do_later(note, 3, within=60))
    waits.append(bench.store.do(moved, upkeep.Jump(60, clock.at)))
    waits.append(bench.store.do_later(note, 4, within=0))
    waits += [bench.store.do(note, n) for n in (5, 6)]
    await asyncio.gather(*waits)
    assert sorted(order[0]) == [1, 2, 3]
    assert order[1] == "moved"
    assert sorted(order[2]) == [4, 5, 6]


async def test_two_schedulers_make_one_envelope(bench, clock):
    """A conversation that is due is put once, however many ask."""
    from bridge.domain.conversation.model import SourceRules

    bench.rules = SourceRules(idle_seconds=100)
    await bench.accept("e1")
    await bench.intake()
    clock.at = NOW + 75
    made = [await bench.store.do(upkeep.put_due, upkeep.Tick(clock.at)) for _ in range(3)]
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
    assert await bench.store.do(upkeep.find_stranded, upkeep.Tick(clock.at)) == 1
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
    from bridge.store.lanes import FreeAll, free_all

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
