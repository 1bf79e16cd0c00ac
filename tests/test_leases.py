"""A request leaves only while its task's lease holds on the clock that never jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bridge.stages.leases import LeaseLost, Leases
from tests.harness import ShiftedClock
from tests.webex.server import serving


class Door:
    """Counts what comes in."""

    def __init__(self) -> None:
        self.requests = 0
        self.leases = Leases(ShiftedClock(), 10)

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        return web.Response()

    def freeze(self, seconds: float) -> None:
        clock = self.leases._clock
        assert isinstance(clock, ShiftedClock)
        clock.shift += seconds


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def call(door: Door) -> AsyncIterator[object]:
    async with (
        serving(door.answer) as url,
        aiohttp.ClientSession(request_class=door.leases.request_class()) as session,
    ):

        async def post() -> None:
            async with session.post(url, data=b"words") as answer:
                assert answer.status == 200

        yield post


async def test_a_request_of_a_lapsed_lease_never_leaves(door, call):
    """Nine of ten seconds are for calls; a confirmation moves the end on, from when it was asked for."""
    lease = door.leases.begun("say:guest", door.leases.moment())
    with door.leases.held_by_this_task(lease):
        door.freeze(8)
        await call()
        asked_at = door.leases.moment()
        door.freeze(8)
        with pytest.raises(LeaseLost):
            await call()
        lease.move_on(asked_at + door.leases.seconds)
        await call()
    assert door.requests == 2


async def test_a_lease_that_was_claimed_anew_is_lost_for_good(door, call):
    """Whatever is confirmed later is confirmed to whoever has it now."""
    lease = door.leases.begun("say:guest", door.leases.moment())
    lease.lose()
    lease.move_on(door.leases.moment() + 100)
    with door.leases.held_by_this_task(lease), pytest.raises(LeaseLost):
        await call()
    assert door.requests == 0


async def test_what_works_without_a_lease_needs_none(door, call):
    """Nor does a task that was started by one with a lease: it works for everybody."""
    await call()
    with door.leases.held_by_this_task(door.leases.begun("say:guest", door.leases.moment() - 60)):
        await asyncio.create_task(call())
    await call()
    assert door.requests == 3
