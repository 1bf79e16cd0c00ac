"""What is kept of a Service App's credential between runs. Pure: `now` is an argument, epoch seconds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from bridge.webex.wire import AccessGrant

RENEW_BELOW = 0.2  # share of its life left below which an access token is renewed
ENDING = 14 * 86400.0


@dataclass(frozen=True, slots=True)
class Grant:
    """Access and refresh token with their ends (epoch seconds; None: unknown).

    `seed`: fingerprint of the environment's token from which all this came.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    issued: float
    ends: float | None
    refresh_ends: float | None
    seed: str | None

    def lapsed(self, now: float) -> bool:
        """The access token is of no more use."""
        return self.ends is not None and now >= self.ends

    def due(self, now: float) -> bool:
        """Less than a fifth of its life is left."""
        return self.ends is not None and self.ends - now < RENEW_BELOW * (self.ends - self.issued)

    def refresh_token_ends_soon(self, now: float) -> bool:
        """Within 14 days nobody but an administrator can renew it."""
        return self.refresh_ends is not None and self.refresh_ends - now <= ENDING

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def read_grant(text: str | None) -> Grant | None:
    """What `to_json` wrote; None where there is nothing or nothing that can be read."""
    try:
        fields = json.loads(text or "")
        grant = Grant(**fields)
    except (ValueError, TypeError):
        return None
    numbers = (grant.issued, grant.ends, grant.refresh_ends)
    if not isinstance(grant.access_token, str) or not all(isinstance(n, int | float | None) for n in numbers):
        return None
    return grant


def grant_from(answer: AccessGrant, asked: float, used: str, before: Grant | None, seed: str | None) -> Grant:
    """The grant after an answer of POST /access_token asked at `asked` with the refresh token `used`.

    Webex may return the same refresh token, a new one, or none; its end is what the answer says, else,
    for the same token, what was known before.
    """
    refresh_token = answer.refresh_token or used
    refresh_ends = None if answer.refresh_expires_in is None else asked + answer.refresh_expires_in
    if refresh_ends is None and before is not None and before.refresh_token == refresh_token:
        refresh_ends = before.refresh_ends
    return Grant(answer.access_token, refresh_token, asked, asked + answer.expires_in, refresh_ends, seed)


def fingerprint(token: str | None) -> str | None:
    """Tells two tokens apart without keeping either."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest() if token else None
