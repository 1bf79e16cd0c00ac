"""A loop of the service that ends is logged, named and begun again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog

from bridge.clock import SystemClock
from bridge.service import supervision
from bridge.service.supervision import Loops
from bridge.service.ticks import Ticks
from bridge.stages.intake import Intake
from bridge.stages.leases import Leases
from bridge.stages.pump import Pump
from bridge.store.deciding import Outcome, Round
from bridge.store.engine.committer import StoreUnavailable
from tests.harness import ShiftedClock, eventually


@pytest.fixture
async def loops(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Loops]:
    monkeypatch.setattr(supervision, "backoff", lambda *_: 0.0)
    loops = Loops(lambda: 0.5)
    yield loops
    await loops.stop(60)


async def cancelled_inside() -> None:
    """What it waited for was cancelled; nobody meant the loop."""
    inner = asyncio.get_running_loop().create_future()
    inner.cancel()
    await inner


async def broken() -> None:
    raise ZeroDivisionError


async def unavailable() -> None:
    raise StoreUnavailable("the database is gone")


@pytest.mark.parametrize(
    ("fault", "event", "why"),
    [
        (broken, "task.crashed", "ZeroDivisionError"),
        (cancelled_inside, "task.crashed", "CancelledError"),
        (unavailable, "task.failed", "the database is gone"),
    ],
)
async def test_a_loop_that_ends_is_begun_again(loops: Loops, fault, event: str, why: str) -> None:
    """Whatever it ended of; its name and the reason are known until it has come through."""
    goes_on = asyncio.Event()
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            await fault()
        await goes_on.wait()

    with structlog.testing.capture_logs() as lines:
        loops.keep("say", run)
        await eventually(lambda: runs == 3, within=60)
    assert [(line["event"], line["task"]) for line in lines] == [(event, "say")] * 2
    assert loops.ended == {"say": why}
    goes_on.set()
    await eventually(lambda: loops.ended == {}, within=60)


async def test_a_loop_that_lasts_is_well(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds, though it never ends."""
    monkeypatch.setattr(supervision, "_WELL_SECONDS", 0.01)
    once = [broken]

    async def run() -> None:
        if once:
            await once.pop()()
        await asyncio.Event().wait()

    loops.keep("say", run)
    await eventually(lambda: not once, within=60)
    await eventually(lambda: loops.ended == {}, within=60)


async def test_a_stop_ends_every_loop(loops: Loops) -> None:
    """Also one that is about to be begun again."""
    loops.keep("a", asyncio.Event().wait)
    loops.keep("b", broken)
    await eventually(lambda: "b" in loops.ended, within=60)
    await loops.stop(60)
    assert all(task.done() for task in loops._tasks)


class Job:
    lane = "say:1"


@pytest.mark.parametrize("fault", ["raises", "cancelled", "at once"])
async def test_a_claim_that_fails_does_not_end_its_stage(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it fails, also before anything could be awaited: the next one comes, and whoever woke is not hurt."""
    monkeypatch.setattr("bridge.stages.pump._TROUBLE_SECONDS", 0.01)
    faults, worked = [fault], asyncio.Event()

    def claim(_: int) -> asyncio.Future[list[Job]]:
        future = asyncio.get_running_loop().create_future()
        how = faults.pop() if faults else None
        if how == "at once":
            raise ZeroDivisionError
        if how == "raises":
            future.set_exception(ZeroDivisionError())
        elif how == "cancelled":
            future.cancel()
        else:
            future.set_result([] if worked.is_set() else [Job()])
        return future

    async def work(_: Job) -> None:
        worked.set()

    pump: Pump[Job] = Pump("say", claim, work, 4, Leases(SystemClock(), 10))
    with structlog.testing.capture_logs() as lines:
        pump.wake()
        await asyncio.wait_for(worked.wait(), 60)
    await pump.stop(60)
    assert "claim.crashed" in [line["event"] for line in lines]


@pytest.mark.parametrize("fault", ["cancelled", "told"])
async def test_a_round_that_fails_does_not_end_intake(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do those who hear of it and fail themselves."""
    monkeypatch.setattr("bridge.stages.intake._TROUBLE_SECONDS", 0.01)
    rounds: list[str | None] = [None, fault]

    class Store:
        def do(self, *_: object) -> asyncio.Future[Outcome]:
            future = asyncio.get_running_loop().create_future()
            if rounds.pop() == "cancelled":
                future.cancel()
            else:
                future.set_result(Outcome(more=bool(rounds)))
            return future

    def told(_: Outcome) -> None:
        if rounds and fault == "told":
            raise ZeroDivisionError

    intake = Intake(Store(), lambda: Round(0.0, "p1"), set, told)  # type: ignore[arg-type]
    intake.wake()
    await eventually(lambda: not rounds, within=60)
    intake.stop()


async def test_a_stop_gives_claim_and_work_one_time_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each of them the whole of it."""
    waited: list[float] = []
    real = asyncio.wait

    async def wait(things, *, timeout: float, **more: object):
        waited.append(timeout)
        return await real(things, timeout=0)

    hangs: asyncio.Future[list[Job]] = asyncio.get_running_loop().create_future()
    claims = [hangs, asyncio.get_running_loop().create_future()]
    claims[1].set_result([Job()])

    async def work(_: Job) -> None:
        await asyncio.Event().wait()

    clock = SystemClock()
    pump: Pump[Job] = Pump("say", lambda _: claims.pop() if claims else hangs, work, 4, Leases(clock, 10))
    pump.wake()
    await eventually(lambda: pump.lanes, within=60)
    pump.wake()
    monkeypatch.setattr("bridge.stages.pump.asyncio.wait", wait)
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now + sum(waited))
    await pump.stop(7.0)
    assert waited == [7.0, 1.0]


async def test_periodic_jobs_that_fare_ill_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails, until it succeeds; one that hangs; one that does not come any more."""
    monkeypatch.setattr("bridge.service.ticks._LATE_SECONDS", 0.0)

    async def nothing() -> None:
        return None

    ticks = Ticks(ShiftedClock(), nothing)
    fails = [True]

    async def odd() -> None:
        if fails[0]:
            raise ZeroDivisionError

    ticks.every(0.02, "odd", odd, first_after=0)
    ticks.every(3600, "hangs", asyncio.Event().wait, first_after=0, patience=0.0)
    ticks.start()
    try:
        await eventually(lambda: any("odd failed: ZeroDivisionError" in one for one in ticks.troubles()), 60)
        fails[0] = False
        await eventually(lambda: not any("odd failed" in one for one in ticks.troubles()), 60)
        await eventually(lambda: any("hangs has not ended" in one for one in ticks.troubles()), 60)
    finally:
        ticks.stop()
    await eventually(lambda: any("odd does not run any more" in one for one in ticks.troubles()), 60)
