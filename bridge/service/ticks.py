"""APScheduler is the clock that wakes us; what is due stands in the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bridge.clock import SystemClock
from bridge.domain.errors import crash
from bridge.ports import Clock
from bridge.store.engine.committer import StoreUnavailable

Job = Callable[[], Awaitable[object]]

JUMP_SECONDS = 5.0  # a clock that was set by less is followed without more ado
_REISSUE = "token.reissue"
_REISSUE_FLOOR = 5.0  # another process may have died with its timers: look this often anyway
_LONG_SECONDS = 120.0  # a run that takes longer hangs; those that may take long in good order say so
_SWEEP_SECONDS = 900.0  # many tokens at the pace that Webex allows
_LATE_SECONDS = 60.0


@dataclass(slots=True)
class _Runs:
    """How a periodic job fares, in seconds of the loop's clock. `next_by`: it is late if it has not begun by then."""

    every: float
    patience: float
    next_by: float
    since: float | None = None
    fault: str | None = None


class Ticks:
    """Periodic jobs, and one date job at the next re-issue: a token that lives 6 s cannot wait for a sweep."""

    def __init__(self, clock: Clock, sweep: Callable[[], Awaitable[float | None]]) -> None:
        self._clock = clock
        self._machine = SystemClock()
        self._ahead = self._machine.now() - self._machine.monotonic()
        self._sweep = sweep
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._next: float | None = None
        self._sweeping = asyncio.Lock()
        self._jobs: dict[str, _Runs] = {}
        self._log = structlog.get_logger()

    def every(
        self,
        seconds: float,
        name: str,
        job: Job,
        *,
        first_after: float | None = None,
        patience: float = _LONG_SECONDS,
    ) -> None:
        """Runs `job` every so many seconds; its failure is logged and does not stop the next run.

        `patience`: after so many seconds a run is taken to hang.
        """
        wait = seconds if first_after is None else first_after
        begins = asyncio.get_running_loop().time() + wait
        self._jobs[name] = _Runs(seconds, patience, begins + _LATE_SECONDS)
        self._scheduler.add_job(
            self._guarded(name, job),
            "interval",
            seconds=seconds,
            id=name,
            next_run_time=self._in(wait),
        )

    def start(self) -> None:
        self.every(_REISSUE_FLOOR, "token.sweep", self.reissue, first_after=0, patience=_SWEEP_SECONDS)
        self._scheduler.start()

    def troubles(self) -> list[str]:
        """What of the periodic jobs is not well, in words for an operator."""
        now = asyncio.get_running_loop().time()
        found = []
        for name, runs in self._jobs.items():
            if runs.since is not None:
                if now - runs.since > runs.patience:
                    found.append(f"the periodic job {name} has not ended for {now - runs.since:.0f} seconds")
            elif now > runs.next_by:
                found.append(f"the periodic job {name} does not run any more")
            elif runs.fault:
                found.append(f"the periodic job {name} failed: {runs.fault}")
        return found

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def reissue_at(self, moment: float | None) -> None:
        """Wakes the re-issue at `moment`, unless it wakes earlier anyway."""
        if moment is None or (
            self._next is not None and self._next <= moment and self._next > self._clock.now()
        ):
            return
        self._next = moment
        self._scheduler.add_job(
            self._guarded(_REISSUE, self.reissue),
            "date",
            run_date=self._in(max(0.0, moment - self._clock.now())),
            id=_REISSUE,
            replace_existing=True,
        )

    def look_anew(self) -> None:
        """The service's own clock was set: when the next token is due is found out at once."""
        self._next = None
        self.reissue_at(self._clock.now())

    async def reissue(self) -> None:
        if self._sweeping.locked():
            return
        async with self._sweeping:
            self._next = None
            with contextlib.suppress(JobLookupError):  # it is the one that runs now, or there is none
                self._scheduler.remove_job(_REISSUE)
            self.reissue_at(await self._sweep())

    def follow_machine(self) -> None:
        """Where the machine's time of day was set, what was to happen in a minute still happens in a minute."""
        ahead = self._machine.now() - self._machine.monotonic()
        seconds, self._ahead = ahead - self._ahead, ahead
        if abs(seconds) < JUMP_SECONDS:
            return
        for job in self._scheduler.get_jobs():
            if job.next_run_time is not None:
                job.modify(next_run_time=job.next_run_time + timedelta(seconds=seconds))

    def _guarded(self, name: str, job: Job) -> Job:
        async def run() -> None:
            runs = self._jobs.get(name)
            loop = asyncio.get_running_loop()
            fault = None
            if runs:
                runs.since = loop.time()
            try:
                await job()
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    return  # a clean stop, which APScheduler would log as the job's fault
                fault = type(error).__name__
                self._log.error("tick.crashed", tick=name, **crash(error))
            except StoreUnavailable as error:
                self._log.warning("tick.failed", tick=name, reason=str(error))
            except Exception as error:  # noqa: BLE001 - a fault in one job must not end the others
                fault = type(error).__name__
                self._log.error("tick.crashed", tick=name, **crash(error))
            finally:
                if runs:
                    runs.since, runs.fault = None, fault
                    runs.next_by = loop.time() + runs.every + _LATE_SECONDS

        return run

    def _in(self, seconds: float) -> datetime:
        """That moment by the machine's own time of day, which is APScheduler's, whatever clock the service has."""
        return datetime.fromtimestamp(self._machine.now() + seconds, UTC)
