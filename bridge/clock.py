"""The only reader of the clock and of chance."""

from __future__ import annotations

import random
import time

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
