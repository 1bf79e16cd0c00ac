"""Tokens as they are lent, on both databases."""

from __future__ import annotations

import pytest

from bridge.ports import MintedGuest
from bridge.stages.tokens import NotNow, Tokens
from bridge.store.tokens import MintFailed, mint_failed, next_due
from tests.store.conftest import BUDGET, NOW


class Mint:
    """Mints at once."""

    def __init__(self):
        self.asked = []

    async def mint(self, subject, display_name):
        self.asked.append((subject, display_name))
        return MintedGuest(f"token {len(self.asked)}", 100.0, "person", "guest@example.com")


async def lent_to(bench, tokens):
    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.claim()
    return await tokens.lend(work.guest)


async def test_a_token_just_minted_is_used_at_once(bench, clock):
    """The first words need no second look at the store, and cost one mint."""
    tokens = Tokens(bench.store, Mint(), clock, lambda: BUDGET, lambda *_: None)
    lent = await lent_to(bench, tokens)
    assert tokens.still(lent) == "token 1"
    again = await tokens.borrow(lent.guest.id)
    assert again.value == "token 1"


async def test_a_token_is_not_used_in_its_last_moments(bench, clock):
    """Lent long before it is used, it is asked for again instead."""
    tokens = Tokens(bench.store, Mint(), clock, lambda: BUDGET, lambda *_: None)
    lent = await lent_to(bench, tokens)
    clock.at = NOW + 90.5
    with pytest.raises(NotNow):
        tokens.still(lent)
    assert (await tokens.borrow(lent.guest.id)).value == "token 2"


async def test_what_is_due_is_re_issued_and_the_next_time_told(bench, clock):
    """A sweep mints what is due and nothing else."""
    minter = Mint()
    tokens = Tokens(bench.store, minter, clock, lambda: BUDGET, lambda *_: None)
    await lent_to(bench, tokens)
    clock.at = NOW + 70
    due = await tokens.sweep()
    assert NOW + 80 <= due <= NOW + 90
    assert len(minter.asked) == 1
    clock.at = due
    assert await tokens.sweep() > due
    assert len(minter.asked) == 2
    assert await bench.store.read(next_due) > clock.at


@pytest.mark.parametrize(("age", "mints"), [(0.1, 1), (1.0, 0)])
async def test_a_leave_that_came_late_is_looked_over(bench, clock, age, mints):
    """Another process was told to wait after this one's leave was given: a stale leave is given back."""
    minter = Mint()
    tokens = Tokens(bench.store, minter, clock, lambda: BUDGET, lambda *_: None)
    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.claim()
    failed = MintFailed("another", NOW, certain=True, retry_at=NOW + 30, park_all_until=NOW + 30)
    await bench.store.do(mint_failed, failed)
    clock.at = NOW + age
    if mints:
        await tokens.lend(work.guest)
    else:
        with pytest.raises(NotNow) as later:
            await tokens.lend(work.guest)
        assert later.value.at == pytest.approx(NOW + 30)
    assert len(minter.asked) == mints
