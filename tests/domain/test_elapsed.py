"""How long ago something was, on a clock that was set meanwhile."""

from __future__ import annotations

import pytest

from bridge.domain.elapsed import long_ago

NOW = 1_000_000.0
HOUR = 3600.0


def test_a_clock_that_was_never_set() -> None:
    """Then it is a subtraction."""
    assert long_ago(NOW, 100) == NOW - 100


@pytest.mark.parametrize(
    ("jumps", "age", "stamp"),
    [
        ([(NOW - 10, HOUR)], 5, NOW - 5),
        ([(NOW - 10, HOUR)], 15, NOW - 15 - HOUR),
        ([(NOW - 10, -HOUR)], 5, NOW - 5),
        # Before it was set back the clock showed times that it shows again now: the earlier ones are meant.
        ([(NOW - 10, -HOUR)], 15, NOW - 10),
        ([(NOW - 10, -HOUR)], 10 + 2 * HOUR, NOW - 10 - HOUR),
        ([(NOW - 20 - HOUR, 60), (NOW - 10, HOUR)], 40, NOW - 40 - HOUR - 60),
        ([(NOW - 20 - HOUR, 60), (NOW - 10, HOUR)], 15, NOW - 15 - HOUR),
        # There and back again, ten seconds each: who was here before is here again.
        ([(NOW - 20 + HOUR, HOUR), (NOW - 10, -HOUR)], 30, NOW - 30),
    ],
)
def test_what_was_written_down_before_a_jump(
    jumps: list[tuple[float, float]], age: float, stamp: float
) -> None:
    """Its stamp is off by as much as the clock was set since."""
    assert long_ago(NOW, age, jumps) == stamp
