"""How agents' answers come: by a webhook for each guest, or polled; for one guest or for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

REFUSED = "refused"  # what stands in the store for the webhook of a guest who gets none: this one is polled
PROBE_SECONDS = 600.0
_SEVERAL = 5  # different guests, one after another: then it is not about one of them


class Replies:
    """Whether agents' answers come by webhook or are polled, as configured and as Webex allows.

    `refused_at`: since when Webex gives no guest a webhook, as far as is known; None where it does. One refusal
    says little: Webex's own webhook engine fails for one guest and not for others (webex-facts 5.1).
    """

    def __init__(self, target: str | None, secret: str, wish: Callable[[], str]) -> None:
        self.target = target
        self.secret = secret
        self._wish = wish
        self.refused_at: float | None = None
        self._refused: set[str] = set()

    @property
    def polled(self) -> bool:
        return self._unwanted or self.refused_at is not None

    def polls(self, webhook: str | None) -> bool:
        """Whether the threads of a guest with this webhook (None: it has none) are polled."""
        return self.polled or webhook != self.fingerprint

    @property
    def fingerprint(self) -> str | None:
        """Changes with the address or the secret: webhooks made for another one are made anew."""
        return None if self.polled else self._fingerprint

    def probe_due(self, now: float) -> bool:
        """Whether it is time to ask Webex again whether guests may have webhooks."""
        return self.refused_at is not None and not self._unwanted and now >= self.refused_at + PROBE_SECONDS

    def wanted(self, now: float) -> str | None:
        """The fingerprint of what a guest's webhook should be now; None where none is to be asked for."""
        return self._fingerprint if self.probe_due(now) else self.fingerprint

    def refuse(self, guest_id: str, status: int | None, now: float) -> bool:
        """Notes that this guest got no webhook. True where from now on all guests are polled for it."""
        self._refused.add(guest_id)
        if self.refused_at is None and status != 403 and len(self._refused) < _SEVERAL:
            return False
        self.refused_at = now
        return True

    def allow(self) -> bool:
        """Notes that a guest got its webhook. True where all were polled until now."""
        was, self.refused_at = self.refused_at, None
        self._refused.clear()
        return was is not None

    @property
    def _unwanted(self) -> bool:
        return self.target is None or self._wish() == "poll"

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(f"{self.target}\n{self.secret}".encode()).hexdigest()[:16]
