"""How long a call to Webex may take before its outcome is in doubt (contract 6.8)."""

from __future__ import annotations

CALL_SECONDS = 20.0
_MOST_SECONDS = 300.0
_SLOWEST_UPLOAD = 65536.0  # bytes a second; a slower one is given up


def call_limit(seconds: float, size: int = 0) -> float:
    """The time of a call that sends `size` bytes; `seconds` is what every call has."""
    return max(seconds, min(_MOST_SECONDS, seconds + size / _SLOWEST_UPLOAD))
