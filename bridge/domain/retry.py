"""When to try again: a value, not a loop. `jitter` is a random number, 0 <= jitter < 1."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.domain.errors import Doubtful, Refused, Scanning, Throttled, WebexError

MOST_DAYS = 3
_FIRST, _MOST = 1.0, 60.0
_CALLBACK_WAITS = (1.0, 5.0, 15.0, 60.0)
_MINT_PARK_MOST = 60.0


@dataclass(frozen=True, slots=True)
class Again:
    """Try at `at`; `doubt`: the failed attempt may have had its effect, so look before repeating it."""

    at: float
    doubt: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    reason: str


def after_failure(
    error: WebexError, *, attempt: int, created_at: float, now: float, jitter: float
) -> Again | GiveUp:
    """What a failed call to Webex means for its delivery. `attempt` counts from 1."""
    if isinstance(error, Refused):
        return GiveUp(str(error))
    if now - created_at > MOST_DAYS * 86400:
        return GiveUp(f"not delivered within {MOST_DAYS} days; last: {error}")
    if isinstance(error, Throttled | Scanning):
        return Again(now + error.retry_after, doubt=False)
    return Again(now + backoff(attempt, jitter), doubt=isinstance(error, Doubtful))


def backoff(attempt: int, jitter: float) -> float:
    """1, 2, 4 ... 60 seconds, each spread over half its length so that many do not come back together."""
    wait = min(_MOST, _FIRST * 2.0 ** min(attempt - 1, 10))
    return float(wait * (0.75 + 0.5 * jitter))


def callback_wait(attempt: int, jitter: float) -> float:
    """Contract 7: 1 s, 5 s, 15 s, 1 min, then growing waits (up to 3 h)."""
    if attempt <= len(_CALLBACK_WAITS):
        return _CALLBACK_WAITS[attempt - 1]
    wait = min(3 * 3600.0, 60.0 * 2.0 ** (attempt - len(_CALLBACK_WAITS)))
    return float(wait * (0.85 + 0.3 * jitter))


def mint_parks(error: Throttled, now: float) -> tuple[float, float]:
    """A 429 on minting: (until when all minting is parked, until when this subject is)."""
    return now + min(error.retry_after, _MINT_PARK_MOST), now + error.retry_after
