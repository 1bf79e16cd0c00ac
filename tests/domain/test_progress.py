"""What standing work means for /readyz."""

from __future__ import annotations

import pytest

from bridge.domain.progress import Stage, standing


@pytest.mark.parametrize("name", ["in", "say", "hear"])
def test_standing_work_without_which_nobody_is_talked_to_is_a_reason(name: str) -> None:
    """Half a minute is the bound, on both sides of it."""
    assert standing([Stage(name, 30.0, 31.0)]) == ([], [])
    reasons, degraded = standing([Stage(name, 31.0, 31.0)])
    assert f"({name}), for 31 seconds" in reasons[0]
    assert degraded == []


@pytest.mark.parametrize("name", ["call", "hook", "bot", "bot-in"])
def test_other_standing_work_is_only_told(name: str) -> None:
    """Customers and agents go on."""
    reasons, degraded = standing([Stage(name, 31.0, 31.0)])
    assert reasons == []
    assert "work stands still" in degraded[0]


def test_work_that_is_behind_does_not_stand_still() -> None:
    """Others of its stage are taken up meanwhile."""
    reasons, degraded = standing([Stage("say", 300.0, 1.0)])
    assert reasons == []
    assert "work is behind: customers' words (say), the oldest for 300 seconds" in degraded[0]


def test_work_that_does_not_end_is_told() -> None:
    """Longer than any call takes: it hangs."""
    assert standing([Stage("say", 0.0, 1.0, longest=600.0)]) == ([], [])
    assert "has taken 601 seconds" in standing([Stage("say", 0.0, 1.0, longest=601.0)])[1][0]
