"""Development only: one licensed person's own token stands in for every guest.

Source: https://developer.webex.com/docs/getting-your-personal-access-token (it lives 12 hours)
"""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.domain.errors import BridgeError, CredentialsDead, Unauthorized, WebexError
from bridge.ports import Clock, CredentialReport, MintedGuest, Vault
from bridge.webex.client import WebexClient
from bridge.webex.grant import fingerprint
from bridge.webex.wire import Person

LIFE = 12 * 3600.0


class PersonalTokenMinter:
    """bridge.ports.Minter that lends the person's own token. Raises BridgeError unless in development.

    Nobody can ask Webex when the token was made, so its 12 hours count from when any run first saw it.
    """

    def __init__(
        self, client: WebexClient, vault: Vault, clock: Clock, token: str, *, environment: str
    ) -> None:
        if environment != "development":
            raise BridgeError("a personal access token is for development only: set BRIDGE_ENV=development")
        self._client, self._vault, self._clock, self._token = client, vault, clock, token
        self._ends: float | None = None
        self._person: Person | None = None
        self._dead: str | None = None
        self._trouble: str | None = None

    async def prepare(self) -> None:
        """Asks Webex once whose token it is."""
        try:
            await self._lent()
            self._trouble = None
        except WebexError as exc:
            self._trouble = str(exc)
            raise

    async def keep_fresh(self) -> None:
        """Nothing can be refreshed."""

    async def mint(self, subject: str, display_name: str) -> MintedGuest:
        person, left = await self._lent()
        return MintedGuest(self._token, left, person.id, person.emails[0] if person.emails else None)

    async def guest_count(self) -> int | None:
        return None

    async def close(self, seconds: float) -> None:
        """Nothing is under way that must be written down."""

    def report(self) -> CredentialReport:
        warning = "Development only: one person's own token stands in for every guest"
        if self._ends is not None:
            warning += f"; it ends on {datetime.fromtimestamp(self._ends, UTC).isoformat(timespec='minutes')}"
        over = self._over()
        problem = over or (self._trouble if self._person is None else None)
        reasons = (problem, warning + ".") if problem else (warning + ".",)
        return CredentialReport(ready=self._person is not None, dead=over is not None, reasons=reasons)

    async def _lent(self) -> tuple[Person, float]:
        """Whose token it is, and the seconds it has left."""
        if self._ends is None:
            self._ends = await self._first_seen() + LIFE
        over = self._over()
        if over:
            raise CredentialsDead(over)
        if self._person is None:
            self._person = await self._whose()
        return self._person, self._ends - self._clock.now()

    async def _whose(self) -> Person:
        try:
            return await self._client.me(self._token)
        except Unauthorized as exc:
            self._dead = "Webex refuses the personal access token: get a new one from developer.webex.com."
            dead = CredentialsDead(self._dead, status=exc.status, tracking_id=exc.tracking_id)
        raise dead

    def _over(self) -> str | None:
        if self._dead is None and self._ends is not None and self._clock.now() >= self._ends:
            return (
                "The 12 hours of the personal access token are over: get a new one from developer.webex.com."
            )
        return self._dead

    async def _first_seen(self) -> float:
        name = f"personal_token.first_seen.{(fingerprint(self._token) or '')[:16]}"
        try:
            return float(await self._vault.read(name) or "")
        except ValueError:
            await self._vault.write(name, repr(now := self._clock.now()))
            return now
