"""The only reader of the clock and of chance."""

from __future__ import annotations

import random
import time

from bridge.ports import Clock

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's clock. Epoch seconds; a jump of it is survived, see docs/operating.md."""

    def now(self) -> float:
        """The time of day: epoch seconds, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment; never jumps. For how long things take, not for when they are.

        Where the system can, time in which the machine slept counts too: tokens grow old meanwhile.
        """
        return time.clock_gettime(_STEADY)

    def chance(self) -> float:
        """A random number, 0 <= x < 1, to spread retries and re-issues."""
        return random.random()  # noqa: S311 - spreads load, guards nothing


class ServiceClock:
    """The time by which a service works: the machine's steady clock, put ahead so as to agree with a leading one.

    Where the leading clock is set, this one jumps only when it is told, between two things that the service does.
    """

    def __init__(self, machine: Clock) -> None:
        self.machine = machine
        self._ahead = machine.now() - machine.monotonic()

    def now(self) -> float:
        return self.machine.monotonic() + self._ahead

    def monotonic(self) -> float:
        return self.machine.monotonic()

    def chance(self) -> float:
        return self.machine.chance()

    def off(self, leading: float, before: float, after: float) -> float:
        """How far this clock must move to agree with the leading one, which showed `leading` at some moment between
        `before` and `after` of the steady one: 0 where it may agree already."""
        if leading - after <= self._ahead <= leading - before:
            return 0.0
        return leading - (before + after) / 2 - self._ahead

    def move(self, seconds: float) -> None:
        self._ahead += seconds
