"""Leases, fences and order of the outbox, on both databases."""

from bridge.store import outbox
from tests.store.conftest import LEASE, NOW


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
    assert (second.attempt, second.doubt, second.quiet_until) == (2, True, NOW + 10.0)


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
    await bench.store.do(outbox.unclaim, outbox.Unused(following, NOW))
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
    await bench.store.do(outbox.unclaim, outbox.Unused(following, clock.at))
    (again,) = await bench.claim("p2")
    assert again.guest.grant_at is not None


async def test_a_dead_letter_lets_the_next_ones_go(bench):
    """Given up: the customer's item is failed, intake hears of it, the lane goes on."""
    await queue(bench, "one", "two")
    (work,) = await bench.take()
    after = await bench.settle(work, "dead", error="no")
    assert "two" in after.work.payload
    assert (await bench.intake()).envelopes == 1


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
