"""Standard Webhooks: signing and checking. Source: https://github.com/standard-webhooks/standard-webhooks.

Our own lines and not the `standardwebhooks` package's, which raises three kinds of errors on malformed
headers and has a fixed tolerance; tests check the one against the other.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"


class BadSignature(Exception):
    """The call is not proved to come from the source. The text is for our log, never for the caller.

    `reason`: `signature`, `timestamp` (signed at another time than now) or `replay` (the body is old).
    """

    def __init__(self, text: str, reason: Literal["signature", "timestamp", "replay"] = "signature") -> None:
        super().__init__(text)
        self.reason = reason


def decode_secret(secret: str) -> bytes:
    """The bytes of a `whsec_<base64>` secret. Raises ValueError where it is not one."""
    if not secret.startswith(PREFIX):
        raise ValueError("a secret starts with whsec_")
    raw = secret[len(PREFIX) :]
    try:
        return b64decode(raw + "=" * (-len(raw) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("after whsec_ stands base64") from error


def sign(secret: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature` for one secret."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(_mac(secret, signed)).decode()


def verify(
    secrets: Iterable[bytes],
    webhook_id: str | None,
    timestamp: str | None,
    signatures: str | None,
    body: bytes,
    now: float,
) -> str:
    """The webhook-id of a call that one of `secrets` signed. Raises BadSignature for everything else."""
    if not webhook_id or not timestamp or not signatures:
        given = {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signatures}
        raise BadSignature(f"no header {next(name for name, value in given.items() if not value)}")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature("webhook-timestamp is not a number of seconds", "timestamp")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature(f"clock off by {int(timestamp) - now:+.0f} s", "timestamp")
    # Headers come with surrogate escapes for bytes that are not UTF-8; those sign nothing.
    try:
        signed = f"{webhook_id}.{timestamp}.".encode() + body
        made = [
            part.partition(",")[2].encode("ascii") for part in signatures.split(" ")[:16] if part[:3] == "v1,"
        ]
    except UnicodeEncodeError as error:
        raise BadSignature("a webhook header is not text") from error
    for secret in secrets:
        expected = b64encode(_mac(secret, signed))
        if any(hmac.compare_digest(expected, one) for one in made):
            return webhook_id
    raise BadSignature("no secret of this source made this signature")


def _mac(secret: bytes, signed: bytes) -> bytes:
    keyed = _keyed(secret).copy()
    keyed.update(signed)
    return keyed.digest()


@lru_cache(maxsize=256)
def _keyed(secret: bytes) -> hmac.HMAC:
    """The work on the secret is half of an HMAC's cost, which counts at the door."""
    return hmac.new(secret, digestmod="sha256")
