"""What the parts may ask of one another, with what each must guarantee. No implementation is named here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Epoch seconds, UTC."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    def chance(self) -> float:
        """0 <= x < 1."""


class Vault(Protocol):
    """Named secrets, encrypted at rest, shared by every process on the same database."""

    async def read(self, name: str) -> str | None:
        """The newest value that was written, by any process."""

    async def write(self, name: str, value: str) -> None:
        """On disk when this returns."""

    async def acquire(self, name: str, seconds: float) -> bool:
        """True for one caller among all processes until `seconds` passed or `release`."""

    async def release(self, name: str) -> None:
        """Gives `name` up; nothing happens where this process does not hold it."""


@dataclass(frozen=True, slots=True)
class MintedGuest:
    """What a minter gives. `person_id` and `email` are None where the flow does not tell them (legacy JWT).

    `expires_in` counts seconds from the moment the call was made.
    """

    token: str = field(repr=False)
    expires_in: float
    person_id: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """How the credential that mints guests fares, for /readyz.

    `ready`: one was obtained. `dead`: refused for good. `reasons`: sentences for an operator, problems first.
    """

    ready: bool
    dead: bool = False
    reasons: tuple[str, ...] = ()


class Minter(Protocol):
    """Who may mint guests: a Service App, a legacy Guest Issuer, or (development) a person's own token."""

    async def prepare(self) -> None:
        """Obtains or checks the credential. Raises WebexError; safe to call again."""

    async def keep_fresh(self) -> None:
        """Called every minute or so: refreshes what is due, checks nothing that is not."""

    async def mint(self, subject: str, display_name: str) -> MintedGuest:
        """A new token for the guest of `subject`, created or renamed on the way.

        Raises Throttled, Unavailable, Doubtful, Refused, CredentialsDead.
        """

    async def guest_count(self) -> int | None:
        """How many guests Webex counts; None where the flow cannot tell."""

    def report(self) -> CredentialReport:
        """The present state; no I/O."""

    async def close(self, seconds: float) -> None:
        """At a stop: what is under way and must be written down comes to its end, within so many seconds."""
