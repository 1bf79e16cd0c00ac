"""Leases, fences and order of the outbox, on both databases."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bridge.domain.deadlines import call_limit
from bridge.store import bot, hooks, outbox, settling
from bridge.store.hooks import HookClaim, HookDone
from bridge.store.operator import dead_letters
from bridge.store.settling import Settled
from bridge.store.tables import deliveries
from tests.store.conftest import BUDGET, LEASE, NOW


async def queue(bench, *texts, subject="ada"):
    for index, text in enumerate(texts):
        await bench.accept(f"{subject}-{index}", subject, text=text)
    await bench.intake()


async def test_a_lane_is_worked_in_order_one_at_a_time(bench):
    """Only the oldest is given out; the next comes with the settling of the one before."""
    await queue(bench, "one", "two", "three")
    (work,) = await bench.take()
    assert await bench.take("p2") == []
    seen = [work.payload]
    while work := (await bench.settle(work)).work:
        seen.append(work.payload)
    assert ["one" in seen[0], "two" in seen[1], "three" in seen[2]] == [True] * 3
    assert await bench.take() == []


async def test_different_customers_do_not_wait_for_each_other(bench):
    """Every lane gives one delivery at once."""
    for subject in ("a", "b", "c"):
        await queue(bench, "x", "y", subject=subject)
    assert len(await bench.take()) == 3


async def test_a_lease_holds_until_its_end_and_not_longer(bench, clock):
    """A moment before its end nobody else gets the lane, at its end somebody does, with the doubt noted."""
    await queue(bench, "one")
    (first,) = await bench.take("p1")
    assert (first.attempt, first.doubt) == (1, False)
    clock.at = NOW + LEASE - 0.001
    assert await bench.take("p2") == []
    clock.at = NOW + LEASE
    (second,) = await bench.take("p2")
    assert (second.attempt, second.doubt, second.quiet_until) == (2, True, NOW + LEASE + 20.0)


async def test_a_worker_that_lost_its_lease_changes_nothing(bench, clock):
    """What it settles is told to be lost, and the new owner's work stands."""
    await queue(bench, "one", "two")
    (first,) = await bench.take("p1")
    clock.at = NOW + LEASE
    (second,) = await bench.take("p2")
    assert (await bench.settle(first)).lost
    after = await bench.settle(second)
    assert not after.lost
    assert "two" in after.work.payload


async def test_a_late_settle_of_the_same_process_is_fenced_by_the_attempt(bench, clock):
    """The same process got the lane again: the attempt, not only the owner, must be the present one."""
    await queue(bench, "one")
    (stale,) = await bench.take("p1")
    clock.at = NOW + LEASE
    (fresh,) = await bench.take("p1")
    assert (await bench.settle(stale)).lost
    assert not (await bench.settle(fresh)).lost


async def test_a_parked_lane_holds_back_its_own_customer_only(bench, clock):
    """Until its time nothing of it is given out, new words neither; the others go on."""
    await queue(bench, "one", subject="a")
    await queue(bench, "one", subject="b")
    works = {work.guest.customer: work for work in await bench.take()}
    await bench.settle(works["a"], "again", again_at=NOW + 60)
    await bench.settle(works["b"])
    await bench.accept("a-more", "a", text="two")
    await bench.intake()
    assert await bench.take() == []
    clock.at = NOW + 60
    (work,) = await bench.take()
    assert "one" in work.payload
    assert work.attempt == 2


async def test_what_was_not_attempted_does_not_count(bench):
    """Put off for want of a token: the attempt is not counted, and there is no doubt."""
    await queue(bench, "one")
    (work,) = await bench.take()
    await bench.settle(work, "again", again_at=NOW, counted=False)
    (again,) = await bench.take()
    assert (again.attempt, again.doubt) == (1, False)


async def test_what_was_not_begun_is_given_back(bench):
    """The process stops before the lane's next one: whoever claims it need not doubt, and need not wait."""
    await queue(bench, "one", "two")
    (work,) = await bench.take()
    following = (await bench.settle(work)).work
    await bench.store.do(settling.unclaim, settling.Unused(following, NOW))
    (again,) = await bench.take("p2")
    assert "two" in again.payload
    assert (again.attempt, again.doubt, again.quiet_until) == (1, False, 0)


async def test_a_leave_to_mint_goes_back_with_it(bench, clock):
    """The token lapsed, so the claim gave leave to mint: not used, it keeps nobody else from minting."""
    await queue(bench, "one", "two")
    (work,) = await bench.take()
    clock.at += 9_999
    following = (await bench.settle(work)).work
    assert following.guest.grant_at is not None
    await bench.store.do(settling.unclaim, settling.Unused(following, clock.at))
    (again,) = await bench.claim("p2")
    assert again.guest.grant_at is not None


async def test_a_dead_letter_lets_the_next_ones_go(bench):
    """Given up: the customer's item is failed, intake hears of it, the lane goes on."""
    await queue(bench, "one", "two")
    (work,) = await bench.take()
    after = await bench.settle(work, "dead", error="no")
    assert "two" in after.work.payload
    assert (await bench.intake()).envelopes == 1


async def test_words_refused_after_the_end_are_given_up_as_often_as_they_are_replayed(bench):
    """An operator has them begun anew, attempts and all; refused again, they are a dead letter again."""
    await bench.accept("one")
    await bench.accept("end", kind="ended")
    await bench.intake()

    def replay(connection, items):
        return [dead_letters.replay(connection, dead_letters.dead_ids(connection), at) for at in items]

    for again in range(3):
        (work,) = await bench.take()
        assert (work.attempt, work.doubt) == (1, again > 0)
        await bench.settle(work, "agent-refused", again_at=NOW, error="403")
        await bench.intake()
        bench.clock.at += 60
        assert await bench.store.do(replay, bench.clock.at) == {work.id: dead_letters.REPLAYED}


async def test_news_that_arrives_during_a_lease_is_not_stranded(bench):
    """A row put in while its lane is being worked is found when the lane is let go."""
    await queue(bench, "one")
    (work,) = await bench.take()
    await bench.accept("late", "ada", text="two")
    await bench.intake()
    after = await bench.settle(work)
    assert "two" in after.work.payload


async def test_words_of_two_visits_stay_in_order(bench):
    """The lane is the guest's: a later conversation's words do not overtake the former one's."""
    await bench.accept("v1", text="first visit")
    await bench.accept("e1", kind="ended")
    await bench.accept("v2", text="second visit")
    await bench.intake()
    (work,) = await bench.take()
    assert "first visit" in work.payload
    assert "second visit" in (await bench.settle(work)).work.payload


async def test_callbacks_have_a_lane_of_their_own(bench):
    """A receiver that fails holds back its conversation's news, not the words to the agent."""
    await queue(bench, "one")
    news = await bench.take(stage="call")
    assert len(news) == 1
    await bench.settle(news[0], "again", again_at=NOW + 999)
    assert len(await bench.take()) == 1


@pytest.mark.parametrize("stale_first", [True, False])
async def test_a_stale_and_a_fresh_settle_in_one_batch(bench, clock, stale_first):
    """Both are of the process that has the lane: only the present attempt counts, and one worker goes on."""
    await queue(bench, "one", "two")
    (stale,) = await bench.take("p1")
    clock.at = NOW + LEASE
    (fresh,) = await bench.take("p1")
    works = (stale, fresh) if stale_first else (fresh, stale)
    after = dict(zip(works, await asyncio.gather(*map(bench.settle, works)), strict=True))
    assert after[stale] == settling.Next(lost=True)
    assert after[fresh].work.attempt == 1
    assert "two" in after[fresh].work.payload


async def test_of_two_accounts_of_one_attempt_the_first_counts(bench):
    """A stop comes when an attempt was just settled: what it says of it changes nothing."""
    await queue(bench, "one", "two")
    (work,) = await bench.take()
    done, stopped = await asyncio.gather(
        bench.settle(work), bench.settle(work, "again", again_at=NOW, doubt=True)
    )
    assert (done.lost, stopped.lost) == (False, True)
    assert "two" in done.work.payload


async def test_a_heartbeat_tells_which_lanes_are_still_ours(bench, clock):
    """What somebody else has is not kept; what is ours is, and what is called now is in doubt for longer."""
    await queue(bench, "one", subject="a")
    await queue(bench, "one", subject="b")
    works = {work.guest.customer: work for work in await bench.take("p1")}
    await bench.settle(works["b"], "again", again_at=NOW)
    await bench.take("p2")
    keys, until = frozenset(work.lane for work in works.values()), NOW + 3 + LEASE
    calling = tuple(outbox.Calling(work.lane, work.id, work.attempt, until + 20) for work in works.values())
    kept = await bench.store.do(outbox.extend, outbox.Heartbeat("p1", until, keys, calling))
    assert kept == {works["a"].lane}
    clock.at = until - 0.001
    assert [work.lane for work in await bench.take("p3")] == [works["b"].lane]
    clock.at = until
    (again,) = await bench.take("p3")
    assert (again.lane, again.quiet_until) == (works["a"].lane, until + 20)


async def test_a_file_may_be_on_its_way_for_minutes(bench, clock):
    """Its time grows with its size, to five minutes; nobody repeats it before that is over."""
    assert [call_limit(20, size) for size in (0, 65536 * 10, 10**9)] == [20, 30, 300]
    await queue(bench, "one")
    await bench.store.do(made_a_file, 65536 * 10)
    (work,) = await bench.take("p1")
    assert work.call_seconds == 30
    clock.at += LEASE
    (again,) = await bench.take("p2")
    assert again.quiet_until == NOW + LEASE + 30


def made_a_file(connection, sizes):
    for size in sizes:
        payload = json.dumps({"file": {"id": "f", "size": size}}, separators=(",", ":"))
        connection.execute(update(deliveries).where(deliveries.c.kind == "say").values(payload=payload))
    return [None] * len(sizes)


async def test_what_was_taken_back_in_flight_keeps_its_doubt(bench, clock):
    """Not said for certain: nothing is in doubt; perhaps said: until then. The lane waits as it would have."""
    await queue(bench, "one")
    (work,) = await bench.take()
    await bench.store.do(taken_back, None)
    after = await bench.settle(work, "again", again_at=NOW + 5, doubt=True, quiet_until=NOW + 9)
    assert after == settling.Next()
    assert await bench.store.read(doubts) == [("dropped", 1, NOW + 9)]
    await bench.accept("more", "ada", text="two")
    await bench.intake()
    assert await bench.take() == []
    clock.at = NOW + 5
    (work,) = await bench.take()
    await bench.store.do(taken_back, None)
    await bench.settle(work, "agent-refused", error="403")
    assert (await bench.store.read(doubts))[1][:2] == ("dropped", 0)


def taken_back(connection, items):
    connection.execute(update(deliveries).where(deliveries.c.state == "open").values(state="dropped"))
    return [None] * len(items)


def doubts(connection):
    d = deliveries.c
    query = select(d.state, d.doubt, d.quiet_until).where(d.kind == "say").order_by(d.id)
    return [tuple(row) for row in connection.execute(query)]


async def test_a_stale_note_takes_no_others_along(bench, clock):
    """The same process has begun it anew: what the former attempt said along with it is not settled."""
    for text in ("one", "two"):
        await bench.store.do(alert, text)
    (stale,) = await bench.take("p1", stage="bot")
    clock.at = NOW + LEASE
    (fresh,) = await bench.take("p1", stage="bot")
    merged = tuple(one.id for one in await bench.store.read(bot.waiting, stale.lane, stale.id))
    told = [bot.Told(Settled(work, "done", clock.at, LEASE), merged) for work in (stale, fresh)]
    assert (await bench.store.do(bot.told, told[0])).lost
    assert len(await bench.store.read(bot.waiting, stale.lane, stale.id)) == len(merged) == 1
    assert await bench.store.do(bot.told, told[1]) == settling.Next()


def alert(connection, texts):
    for text in texts:
        bot.put_alert(connection, "kim@example.com", text, NOW)
    return [None] * len(texts)


async def test_a_webhook_is_noted_by_whoever_still_has_its_lane(bench, clock):
    """What a worker registered after it lost its lease is looked at again by the next one."""
    await queue(bench, "one")
    (work,) = await bench.take()
    await bench.settle(work, room_id="r", webex_id="w", webex_created=1.0, webhook="new", listen_at=NOW)
    claim = HookClaim("p1", NOW, LEASE, 10, BUDGET)
    (stale,) = await bench.store.do(hooks.claim_hooks, claim)
    clock.at = NOW + LEASE
    (fresh,) = await bench.store.do(hooks.claim_hooks, replace(claim, owner="p2", now=clock.at))
    assert not await bench.store.do(hooks.settle_hooks, HookDone(stale, "old", None, clock.at))
    assert await bench.store.do(hooks.settle_hooks, HookDone(fresh, "new", None, clock.at))
