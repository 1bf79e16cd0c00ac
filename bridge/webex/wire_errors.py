"""A status that is no success becomes a typed error.

Source: https://developer.webex.com/docs/basics (status codes, Retry-After, file scanning). A 429 was seen
with `Content-Type: text/html`, and gateways answer 5xx without JSON: no body is ever assumed to be JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from bridge.domain.errors import (
    Doubtful,
    Gone,
    NoDirect,
    NotFound,
    Refused,
    Scanning,
    Throttled,
    Unauthorized,
    Unscannable,
    WebexError,
)

DEFAULT_RETRY_AFTER = 15.0  # what Cisco's SDKs take when the header is missing
LONGEST_RETRY_AFTER = 86400.0
LONGEST_REASON = 300

# Answers of something between us and Webex: they say nothing about what Webex did or would do.
_IN_BETWEEN = frozenset({407, 408, 421, 425, 499})
_PLAIN: dict[int, type[WebexError]] = {401: Unauthorized, 404: NotFound, 410: Gone, 428: Unscannable}

_NO_DIRECT = "failed to get one on one conversation"
_NUMBER = re.compile(r"\+?\d+(\.\d+)?", re.ASCII)
_SECRET_LIKE = re.compile(
    r"(?i)bearer\s+\S+|[A-Za-z0-9._~+=-]{40,}"
)  # an id is lost too; a token never shows
_NOT_TRACKING = re.compile(r"[^A-Za-z0-9_.:-]")


def parse_retry_after(value: str | None, now: float) -> float:
    """Seconds to wait: from seconds or an HTTP date; absent, negative or nonsense 15, 0 or past 1, never over 24 h."""
    if value is None:
        return DEFAULT_RETRY_AFTER
    value = value.strip()
    wait = float(value) if _NUMBER.fullmatch(value) else _until(value, now)
    if wait is None or wait == float("inf"):
        return DEFAULT_RETRY_AFTER
    return min(max(wait, 1.0), LONGEST_RETRY_AFTER)


def _until(value: str, now: float) -> float | None:
    try:
        when = parsedate_to_datetime(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def error_from(
    status: int, headers: Mapping[str, str], body: bytes, now: float, *, secrets: Iterable[str] = ()
) -> WebexError:
    """The error that `status` means. `now`: epoch seconds, for a Retry-After date.

    `secrets`: what the call carried (tokens, client secret); cut out of the reason should Webex echo it.
    """
    details = _details(body)
    reason = _reason(status, details, secrets)
    tracking = _tracking_id(headers, details)
    if status in (429, 423):
        wait = parse_retry_after(header(headers, "Retry-After"), now)
        kind = Throttled if status == 429 else Scanning
        return kind(reason, retry_after=wait, tracking_id=tracking)
    # Seen in public code for a 1:1 that is not there, and for a person who cannot be written to (facts 13, on 4.2);
    # with which status was recorded nowhere.
    if 400 <= status < 500 and _NO_DIRECT in reason.casefold():
        return NoDirect(reason, status=status, tracking_id=tracking)
    if status in _PLAIN:
        return _PLAIN[status](reason, status=status, tracking_id=tracking)
    definite = 400 <= status < 500 and status not in _IN_BETWEEN
    return (Refused if definite else Doubtful)(reason, status=status, tracking_id=tracking)


def header(headers: Mapping[str, str], name: str) -> str | None:
    """The header `name` of any mapping, whatever its case."""
    found = headers.get(name)
    if found is not None:
        return found
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def plain_sentence(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` fit for a log line: no secret, no control character, no line break, at most 300 characters."""
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _SECRET_LIKE.sub("***", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def _details(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _reason(status: int, details: dict[str, Any], secrets: Iterable[str]) -> str:
    errors = details.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    said: list[str] = []
    for value in (details.get("message"), first.get("description"), details.get("error_description")):
        if isinstance(value, str) and value.strip() and value not in said:
            said.append(value)
    reason = plain_sentence(": ".join(said), secrets)
    return reason or _phrase(status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"an answer with the odd status {status}"


def _tracking_id(headers: Mapping[str, str], details: dict[str, Any]) -> str | None:
    value = header(headers, "TrackingID") or details.get("trackingId")
    return (_NOT_TRACKING.sub("", value)[:100] or None) if isinstance(value, str) else None
