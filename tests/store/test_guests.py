"""Who may mint, and what is due, on both databases."""

from bridge.store import guests, tokens
from bridge.store.guests import Wanted
from bridge.store.tokens import Due, MintFailed, Revoked
from tests.store.conftest import BUDGET, NOW


async def first(bench, subject="ada"):
    await bench.accept(f"e-{subject}", subject)
    await bench.intake()
    return next(work for work in await bench.claim() if work.guest.customer == subject)


async def want(bench, guest="g-ada"):
    return await bench.store.do(guests.want, Wanted(guest, BUDGET, bench.clock.at))


async def due(bench):
    return await bench.store.do(tokens.take_due, Due(bench.clock.at, BUDGET, 100))


async def test_one_caller_at_a_time_may_mint(bench, clock):
    """While one mints, others wait a moment; when it never comes back they may, after half a minute."""
    work = await first(bench)
    assert work.guest.grant_at == NOW
    other = await want(bench)
    assert other.guest is None
    assert NOW < other.wait_until < NOW + 1
    clock.at += 30
    assert (await want(bench)).guest.grant_at == clock.at


async def test_a_live_token_is_reused(bench, clock):
    """With enough life left nobody mints; in its last tenth it is not used any more."""
    work = await first(bench)
    await bench.mint(work, life=100)
    clock.at = NOW + 89
    assert (await want(bench)).guest.grant_at is None
    clock.at = NOW + 90.1
    assert (await want(bench)).guest.grant_at == clock.at


async def test_the_budget_counts_every_token_that_lives(bench, clock):
    """Three live ones are the limit: the next is minted when the first has lapsed; a lost mint counts."""
    work = await first(bench)
    await bench.mint(work, life=100)
    await bench.store.do(tokens.revoke, Revoked("g-ada", NOW))
    clock.at = NOW + 1
    second = await want(bench)
    await bench.store.do(tokens.mint_failed, MintFailed("g-ada", second.guest.grant_at, False, NOW))
    clock.at = NOW + 2
    third = await want(bench)
    await bench.store.do(tokens.mint_failed, MintFailed("g-ada", third.guest.grant_at, False, NOW))
    full = await want(bench)
    assert full.guest is None
    assert full.wait_until == NOW + 100
    clock.at = NOW + 100.5
    assert (await want(bench)).guest is not None


async def test_a_mint_that_certainly_made_nothing_does_not_count(bench):
    """A refused connection is no token."""
    await first(bench)
    for _ in range(10):
        await bench.store.do(tokens.mint_failed, MintFailed("g-ada", NOW, True, NOW))
        assert (await want(bench)).guest is not None


async def test_parks_survive_and_are_exact(bench, clock):
    """A 429 on minting: everybody waits its minute, the subject its hour."""
    await first(bench)
    failed = MintFailed("g-ada", NOW, True, NOW, park_guest_until=NOW + 3600, park_all_until=NOW + 60)
    await bench.store.do(tokens.mint_failed, failed)
    await bench.accept("e-bob", "bob")
    await bench.intake()
    assert await bench.claim() == []
    clock.at = NOW + 60
    assert [work.guest.customer for work in await bench.claim()] == ["bob"]
    assert (await want(bench)).wait_until == NOW + 3600


async def test_only_open_conversations_are_due(bench, clock):
    """At its time a token in use is taken once; after the end of the conversation, never."""
    work = await first(bench)
    await bench.mint(work, life=100)
    clock.at = NOW + 79.9
    assert await due(bench) == []
    clock.at = NOW + 80
    (guest,) = await due(bench)
    assert guest.grant_at == clock.at
    assert await due(bench) == []
    await bench.accept("end", kind="ended")
    await bench.intake()
    clock.at = NOW + 500
    assert await due(bench) == []


async def test_a_returning_customer_is_due_at_the_tokens_true_time(bench, clock):
    """A second visit on a token that lives: looked at at once, re-issued at its share."""
    work = await first(bench)
    await bench.mint(work, life=100)
    await bench.accept("end", kind="ended")
    await bench.intake()
    clock.at = NOW + 10
    await bench.accept("again")
    await bench.intake()
    assert await due(bench) == []
    assert await bench.store.read(tokens.next_due) == NOW + 80


async def test_a_new_name_is_minted_even_with_a_live_token(bench):
    """Webex learns of a rename by a new token."""
    work = await first(bench)
    await bench.mint(work)
    await bench.accept("e2", name="Ada L.", rename="rename")
    assert (await want(bench)).guest.grant_at is not None
