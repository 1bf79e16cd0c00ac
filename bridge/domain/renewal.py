"""When a guest token is good enough to use, when it is re-issued, and when it becomes alarming."""

from __future__ import annotations

_MARGIN_MOST = 30.0
_MARGIN_SHARE = 0.1
LONGEST_GUESS = 64799.0  # the life in every sample of Webex's: assumed for a mint whose answer was lost


def margin(expires_in: float) -> float:
    """Seconds before its end in which a token is left alone: a tenth of its life, at most half a minute."""
    return min(_MARGIN_MOST, _MARGIN_SHARE * expires_in)


def reissue_at(issued_at: float, expires_in: float, share: float, jitter: float) -> float:
    """When a token in use is re-issued: after `share` of its life, spread over half of what is left then,
    so that many guests minted together do not fall due together."""
    return issued_at + expires_in * (share + (1 - share) * 0.5 * jitter)


def retry_reissue_at(failures: int, expires_at: float, now: float, jitter: float) -> float:
    """When a failed re-issue is tried again: sooner than a message would be, for the end comes nearer."""
    wait = min(30.0, 1.0 * 2.0 ** min(failures - 1, 5), max(0.5, (expires_at - now) / 4))
    return now + wait * (0.75 + 0.5 * jitter)


def in_last_tenth(issued_at: float, expires_at: float, now: float) -> bool:
    """True when a token still in use should long have been re-issued: time to alarm somebody."""
    return now >= expires_at - 0.1 * (expires_at - issued_at)
