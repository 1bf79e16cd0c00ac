"""A signed statement about the body in a header: a JWS whose claim `sha256` is the body's hash.

Source: docs.netlify.com, 'Payload signature'; RFC 7515. HS256 and nothing else: what the token itself says of its
algorithm is only compared.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, ClassVar

from bridge.domain.senders.request import Request, header_of, same
from bridge.domain.signing import BadSignature

_MOST = 4096  # characters; a statement about a body has some two hundred


@dataclass(frozen=True, slots=True)
class Jws:
    """`issuer`: what `iss` must be; "": anybody who has the secret."""

    secrets: tuple[bytes, ...]
    header: str
    issuer: str
    replay_safe: ClassVar[bool] = False

    def check(self, request: Request, now: float) -> str | None:
        """Returns None. Raises BadSignature."""
        claims = verify_jws(self.secrets, header_of(request, self.header))
        if self.issuer and claims.get("iss") != self.issuer:
            raise BadSignature("the statement is another issuer's")
        stated = claims.get("sha256")
        if not isinstance(stated, str) or stated.lower() != hashlib.sha256(request.body).hexdigest():
            raise BadSignature("the statement is about another body")
        return None

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes (the address, the headers) of a request with the newest secret."""
        claims = {"sha256": hashlib.sha256(body).hexdigest()} | ({"iss": self.issuer} if self.issuer else {})
        return url, {self.header: sign_jws(self.secrets[0], claims)}


def verify_jws(secrets: tuple[bytes, ...], token: bytes) -> dict[str, Any]:
    """Returns the claims of an HS256 JWS in its compact form. Raises BadSignature for everything else."""
    parts = token.split(b".")
    if len(token) > _MOST or len(parts) != 3:
        raise BadSignature("this is no JWS")
    signed = parts[0] + b"." + parts[1]
    given = _decoded(parts[2])
    if not max((same(_mac(secret, signed), [given]) for secret in secrets), default=False):
        raise BadSignature("no secret of this source made this signature")
    if _json(parts[0]).get("alg") != "HS256":
        raise BadSignature("the JWS is not HS256")
    return _json(parts[1])


def sign_jws(secret: bytes, claims: dict[str, Any]) -> str:
    """Makes an HS256 JWS in its compact form."""
    signed = b".".join(
        _encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    return (signed + b"." + _encoded(_mac(secret, signed))).decode()


def _mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, signed, "sha256")


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    try:
        return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        raise BadSignature("this is no JWS") from None


def _json(part: bytes) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise BadSignature("this is no JWS") from None
    if not isinstance(value, dict):
        raise BadSignature("this is no JWS")
    return value
