"""Is a webhook call really from Webex?

Source: https://developer.webex.com/docs/api/guides/webhooks (X-Spark-Signature: hex HMAC-SHA1 over the body)
`X-Webex-Signature` (`SHA-256=<hex>, SHA-512=<hex>`) is known from other people's code only, so it is read
leniently and counts only where the documented header is missing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from bridge.webex.wire_errors import header

_HEX = re.compile(r"[0-9a-fA-F]+")
_STRENGTHS = ("sha512", "sha256")  # strongest first


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether `headers` sign the raw `body` with `secret`. Unsigned, malformed, or an empty secret: False."""
    spark = header(headers, "X-Spark-Signature")
    if spark is not None:
        return spark_signature_matches(spark, body, secret)
    newer = header(headers, "X-Webex-Signature")
    return newer is not None and webex_signature_matches(newer, body, secret)


def spark_signature_matches(value: str, body: bytes, secret: str) -> bool:
    """`value`: 40 hex digits, the HMAC-SHA1 of the raw body."""
    return _matches("sha1", value.strip(), body, secret)


def webex_signature_matches(value: str, body: bytes, secret: str) -> bool:
    """`value`: `SHA-256=<hex>, SHA-512=<hex>` in any order and case; the strongest one must match."""
    offered: dict[str, str] = {}
    for part in value.split(","):
        algorithm, _, digest = part.partition("=")
        offered[algorithm.strip().lower().replace("-", "")] = digest.strip()
    strongest = next((name for name in _STRENGTHS if name in offered), None)
    return strongest is not None and _matches(strongest, offered[strongest], body, secret)


def _matches(algorithm: str, value: str, body: bytes, secret: str) -> bool:
    if not secret or not _HEX.fullmatch(value):
        return False
    key = secret.encode("utf-8", "surrogatepass")
    expected = hmac.new(key, body, getattr(hashlib, algorithm)).hexdigest()
    return hmac.compare_digest(expected, value.lower())
