"""What can go wrong with Webex, as a tree ordered by what the caller does next.

Sources: https://developer.webex.com/docs/basics (status codes, Retry-After, file scanning).
"""

from __future__ import annotations

import traceback
from typing import Any


class BridgeError(Exception):
    """The root of every error that this project raises on purpose."""


class WebexError(BridgeError):
    """A call to Webex did not give what was asked.

    `status` is the HTTP status or None where there was no answer; `tracking_id` is Webex's own id of the
    call, the one thing its support asks for. `reason` is Webex's sentence, never a token or a message's text.
    """

    def __init__(self, reason: str, *, status: int | None = None, tracking_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.tracking_id = tracking_id

    def __str__(self) -> str:
        status = f"{self.status} " if self.status else ""
        tracking = f" (tracking id {self.tracking_id})" if self.tracking_id else ""
        return f"{status}{self.reason}{tracking}"


class Throttled(WebexError):
    """429: park the work for `retry_after` seconds (already normalised: absent or nonsense 15, 0 means 1)."""

    def __init__(self, reason: str, *, retry_after: float, tracking_id: str | None = None) -> None:
        super().__init__(reason, status=429, tracking_id=tracking_id)
        self.retry_after = retry_after


class Parked(Throttled):
    """Nothing was asked: the `Retry-After` of an earlier 429 is not over."""

    def __init__(self, *, retry_after: float) -> None:
        super().__init__("Webex has us wait, so it was not asked", retry_after=retry_after)


class Unauthorized(WebexError):
    """401: the token is not (or no longer) valid; nothing was done. Re-issue, then repeat."""


class Lapsed(Unauthorized):
    """The token's life was over before the call left: nothing was asked."""

    def __init__(self) -> None:
        super().__init__("the token lapsed before the call left")


class Refused(WebexError):
    """A definite 'no' (4xx): nothing was done, and the same call will be refused again."""


class NotFound(Refused):
    """404: the person, room or message does not exist for this token."""


class NoDirect(Refused):
    """There is no 1:1 with this person, and none can be had: whatever the status, its text says so."""


class Gone(Refused):
    """410 on a file: found to be infected; final."""


class Unscannable(Refused):
    """428 on a file: Webex could not scan it; it is given out only with `allow=unscannable`."""


class Scanning(WebexError):
    """423 on a file: still being scanned; ask again after `retry_after` seconds."""

    def __init__(self, reason: str, *, retry_after: float, tracking_id: str | None = None) -> None:
        super().__init__(reason, status=423, tracking_id=tracking_id)
        self.retry_after = retry_after


class Unavailable(WebexError):
    """Webex could not be reached: nothing was done for certain. Try again later."""


class Doubtful(WebexError):
    """The answer is missing or is a 5xx: it may have been done. Look before repeating it."""


class CredentialsDead(WebexError):
    """What we mint guests with is refused for good: tell the operator, do not hammer."""


def crash(error: BaseException) -> dict[str, Any]:
    """Fields for an error that nobody foresaw: its kind and where. Its text may quote what a customer said."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    # One that came from the writer's process brings its frames along.
    return {"error": type(error).__name__, "where": [*getattr(error, "where", ()), *where]}
