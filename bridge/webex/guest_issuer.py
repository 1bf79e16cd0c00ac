"""Guests from a legacy Guest Issuer: an HS256 JWT, exchanged at POST /jwt/login.

Source: https://developer.webex.com/docs/guest-issuer. The JWT is written here with hmac, because the SDK pins
a PyJWT of 2018.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re

from bridge.domain.errors import (
    BridgeError,
    CredentialsDead,
    Refused,
    Unauthorized,
    WebexError,
)
from bridge.domain.throttling import GUEST_ISSUER, OwnedToken
from bridge.ports import Clock, CredentialReport, MintedGuest
from bridge.webex.client import WebexClient
from bridge.webex.verdict import Verdict

JWT_LIFE = 3600  # seconds; the JWT's own, the guest's token lives as long as Webex says
PROBE = "bridge-check"  # the one guest as whom the secret is tried at the start
MAPPED = "h-"

_PLAIN = re.compile(r"[A-Za-z0-9-]+")


class GuestIssuerMinter:
    """bridge.ports.Minter with a Guest Issuer's id and base64 secret. An odd secret: BridgeError."""

    def __init__(self, client: WebexClient, clock: Clock, issuer_id: str, secret_b64: str) -> None:
        self._client, self._clock, self._issuer_id = client, clock, issuer_id
        self._key = decode_secret(secret_b64)
        self._verdict = Verdict(clock)
        self._obtained = False
        self._trouble: str | None = None

    async def prepare(self) -> None:
        """Logs a fixed guest in, once: there is no other way to learn whether Webex takes the secret."""
        if self._obtained:
            return
        try:
            await self.mint(PROBE, PROBE)
            self._trouble = None
        except WebexError as exc:
            self._trouble = str(exc)
            raise

    async def keep_fresh(self) -> None:
        """Nothing: a JWT is made for each use."""

    async def mint(self, subject: str, display_name: str) -> MintedGuest:
        self._verdict.check()
        error: WebexError
        try:
            jwt = OwnedToken(self._jwt(subject, display_name), GUEST_ISSUER)
            minted = await self._client.jwt_login(jwt)
        except (Unauthorized, Refused) as exc:
            error = self._refused(exc)
        else:
            self._verdict.succeeded()
            self._obtained = True
            return minted
        raise error

    async def guest_count(self) -> int | None:
        return None

    async def close(self, seconds: float) -> None:
        """Nothing is under way that must be written down."""

    def report(self) -> CredentialReport:
        dead, trouble = self._verdict.dead, self._verdict.reason or self._trouble
        told = dead or not self._obtained
        what = "Webex refuses the Guest Issuer" if dead else "The Guest Issuer could not be tried"
        return CredentialReport(self._obtained, dead, (f"{what}: {trouble}",) if told and trouble else ())

    def _refused(self, exc: WebexError) -> WebexError:
        """A JWT that is not taken is answered with 401, 403 or 404; any other 4xx is about this one guest."""
        if exc.status not in (401, 403, 404):
            return exc
        dead = CredentialsDead(exc.reason, status=exc.status, tracking_id=exc.tracking_id)
        self._verdict.failed(dead)
        return dead

    def _jwt(self, subject: str, display_name: str) -> str:
        claims = {
            "sub": jwt_subject(subject),
            "name": display_name,
            "iss": self._issuer_id,
            "exp": str(int(self._clock.now()) + JWT_LIFE),  # a string, as in the page's sample
        }
        signed = f"{_part({'typ': 'JWT', 'alg': 'HS256'})}.{_part(claims)}"
        digest = hmac.new(self._key, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_base64url(digest)}"


def jwt_subject(subject: str) -> str:
    """A JWT `sub` (letters, digits, hyphens) for any subject: the same each time, and never one for two.

    A subject that itself looks like a mapped one is mapped too, so that nobody can claim another's.
    """
    if _PLAIN.fullmatch(subject) and not subject.startswith(MAPPED):
        return subject
    return MAPPED + hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()


def decode_secret(secret_b64: str) -> bytes:
    """The key in a base64 secret, padded or not, url-safe or not. Raises BridgeError."""
    text = "".join(secret_b64.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise BridgeError("the Guest Issuer's secret is not base64 (WEBEX_GUEST_ISSUER_SECRET)")
    return key


def _part(value: dict[str, str]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
