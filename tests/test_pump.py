"""A pump that stops: what is claimed too late is not begun."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bridge.clock import SystemClock
from bridge.stages.leases import Leases
from bridge.stages.pump import Pump


@dataclass(frozen=True)
class Job:
    lane: str
    number: int


class Stage:
    """Its claims give what `give` is told; its work never ends by itself."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.claims: list[asyncio.Future[Sequence[Job]]] = []
        self.pump: Pump[Job] = Pump("say", self._claim, self._work, 8, Leases(SystemClock(), 3600))

    def _claim(self, _room: int) -> asyncio.Future[Sequence[Job]]:
        self.claims.append(asyncio.get_running_loop().create_future())
        return self.claims[-1]

    async def _work(self, job: Job) -> None:
        self.began.append(job.number)
        await asyncio.Event().wait()

    async def give(self, *jobs: Job) -> None:
        self.claims[-1].set_result(jobs)
        await passed()


async def passed() -> None:
    """Everything that was ready has had its turn."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def stage() -> Stage:
    stage = Stage()
    stage.pump.wake()
    return stage


async def test_a_claim_that_comes_back_after_the_stop(stage: Stage) -> None:
    """A call that left now would be cut off with its connection, and not be in doubt for long enough."""
    await stage.pump.stop(0)
    await stage.give(Job("say:ada", 1))
    assert stage.began == []


async def test_work_that_waited_for_what_the_stop_has_cut_off(stage: Stage) -> None:
    """The lane's next work is not begun when the former one is cancelled."""
    await stage.give(Job("say:ada", 1))
    stage.pump.wake()
    await stage.give(Job("say:ada", 2))
    await stage.pump.stop(0)
    await passed()
    assert stage.began == [1]
