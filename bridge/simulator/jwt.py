"""The JWT of the legacy Guest Issuer (HS256 and nothing else). https://developer.webex.com/docs/guest-issuer"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64decode, urlsafe_b64decode
from hashlib import sha256
from typing import Any

_SUBJECT = re.compile(r"[A-Za-z0-9-]{1,255}")


class BadJwt(ValueError):
    """Says why a JWT is refused."""


def verify(word: str, issuer: str, secret: str, now: float) -> tuple[str, str]:
    """The subject and display name of a guest's JWT. `secret`: base64; `exp` may be a number or a string."""
    head, _, signature = word.rpartition(".")
    header, _, payload = head.partition(".")
    expected = hmac.new(b64decode(secret), head.encode(), sha256).digest()
    if not hmac.compare_digest(expected, _decoded(signature)):
        raise BadJwt("The JWT's signature is wrong.")
    if _parsed(header).get("alg") != "HS256":
        raise BadJwt("The JWT's algorithm is not HS256.")
    return _claims(_parsed(payload), issuer, now)


def _claims(claims: dict[str, Any], issuer: str, now: float) -> tuple[str, str]:
    subject, name = claims.get("sub"), claims.get("name", "")
    if claims.get("iss") != issuer:
        raise BadJwt("The JWT's issuer is unknown.")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise BadJwt("The JWT's sub must be letters, digits and hyphens.")
    try:
        lapsed = float(claims["exp"]) <= now
    except (KeyError, TypeError, ValueError):
        raise BadJwt("The JWT has no exp.") from None
    if lapsed:
        raise BadJwt("The JWT has expired.")
    return subject, name if isinstance(name, str) and name.strip() else subject


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
    except ValueError:
        raise BadJwt("The JWT is malformed.") from None


def _parsed(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise BadJwt("The JWT is malformed.") from None
    if not isinstance(value, dict):
        raise BadJwt("The JWT is malformed.")
    return value
