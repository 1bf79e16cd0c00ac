"""What was asked of us and how well-behaved it was: the log of calls, and broken promises in words."""

from __future__ import annotations

from collections import deque
from email.utils import parsedate_to_datetime

from bridge.simulator.model import Call
from bridge.simulator.settings import Settings

Bucket = tuple[str | None, str, str, str | None]
"""Whose token, method, route, and the subject where guests are minted: what one Retry-After is about.

Limits are shared by all that one user does, so writing, editing and deleting messages are one thing here.
"""

_MINTING_PARK = 60.0  # one subject's 429 holds back the minting of others for no longer than this


class Evidence:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.calls: deque[Call] = deque(maxlen=1_000_000)
        self.violations: deque[str] = deque(maxlen=10_000)
        self._waits: dict[Bucket, tuple[float, float]] = {}

    @property
    def waiting(self) -> bool:
        """Whether any Retry-After was given at all, which is when subjects must be read early."""
        return bool(self._waits)

    def throttled(
        self,
        owner: str | None,
        method: str,
        route: str,
        subject: str | None,
        at: float,
        retry_after: str | None,
    ) -> None:
        """A 429 was answered; from now on (and a little grace) the same call is too early."""
        seconds = seconds_of(retry_after, at)
        if seconds is None or seconds <= 0:
            return
        since = at + self._settings.retry_grace
        self._waits[_bucket(owner, method, route, subject)] = (since, at + seconds)
        if subject is not None:
            self._waits[_bucket(owner, method, route, None)] = (since, at + min(seconds, _MINTING_PARK))

    def too_early(self, owner: str | None, method: str, route: str, subject: str | None, at: float) -> bool:
        """Whether this call comes before an earlier Retry-After of its kind is over."""
        return any(self._parked(_bucket(owner, method, route, each), at) for each in {subject, None})

    def _parked(self, bucket: Bucket, at: float) -> bool:
        wait = self._waits.get(bucket)
        if wait is None:
            return False
        if at >= wait[1]:
            del self._waits[bucket]
            return False
        return at >= wait[0]

    def record(self, call: Call) -> None:
        if self._settings.keep_log:
            self.calls.append(call)
        if call.token_expired:
            self.violations.append(f"{call.method} {call.path} by {call.owner} with an expired token")
        if call.retry_violation:
            self.violations.append(
                f"{call.method} {call.path} by {call.owner} before its Retry-After was over"
            )


def _bucket(owner: str | None, method: str, route: str, subject: str | None) -> Bucket:
    sends = method != "GET" and route.startswith("/v1/messages")
    return (owner, "send", "/v1/messages", None) if sends else (owner, method, route, subject)


def seconds_of(retry_after: str | None, now: float) -> float | None:
    """Seconds that a Retry-After of any form asks to wait; None where it says nothing that can be read."""
    if retry_after is None:
        return None
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(retry_after).timestamp() - now
    except ValueError:
        return None
