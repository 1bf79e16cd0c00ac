"""What Webex last said about a credential, and when it may be asked again."""

from __future__ import annotations

from bridge.domain.errors import CredentialsDead, Throttled, Unavailable, WebexError
from bridge.ports import Clock

DEAD_RETRY = 3600.0  # seconds; so that a revocation by mistake heals without a restart
TROUBLE_RETRY = 2.0  # seconds; many waiting customers ask once, not each for themselves


class Verdict:
    """Remembers the last refusal of one credential and answers for Webex until it is worth asking again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._error: WebexError | None = None
        self._until = 0.0
        self.dead = False

    @property
    def reason(self) -> str | None:
        """Webex's last word, None when it was a good one."""
        return str(self._error) if self._error else None

    def check(self) -> None:
        """Raises what Webex would most probably say, while it is too early to ask again."""
        left = self._until - self._clock.monotonic()
        if self._error is None or left <= 0:
            return
        reason = self._error.reason
        if self.dead:
            raise CredentialsDead(reason, status=self._error.status, tracking_id=self._error.tracking_id)
        if isinstance(self._error, Throttled):
            raise Throttled(reason, retry_after=left, tracking_id=self._error.tracking_id)
        raise Unavailable(reason, status=self._error.status, tracking_id=self._error.tracking_id)

    def failed(self, error: WebexError) -> None:
        """Webex refused, or could not be asked. Once dead, only `succeeded` revives."""
        self.dead = self.dead or isinstance(error, CredentialsDead)
        if self.dead and not isinstance(error, CredentialsDead) and self._error is not None:
            wait = _wait(error)  # keeps the reason of the death
        else:
            self._error, wait = error, _wait(error)
        self._until = self._clock.monotonic() + wait

    def succeeded(self) -> None:
        self._error, self._until, self.dead = None, 0.0, False


def _wait(error: WebexError) -> float:
    if isinstance(error, CredentialsDead):
        return DEAD_RETRY
    return error.retry_after if isinstance(error, Throttled) else TROUBLE_RETRY
