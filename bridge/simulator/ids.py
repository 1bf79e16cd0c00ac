"""Identifiers and times as Webex writes them."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REGIONAL: Final = {
    "MESSAGE",
    "ROOM",
    "CONTENT",
}  # all others say `us` (webex-js-sdk, common/src/uuid-utils.js)


def make_id(kind: str, key: str | None = None, region: str = "us") -> str:
    """Unpadded base64url of `ciscospark://<region>/<KIND>/<key>`; a fresh UUID where no key is given.

    Only messages, rooms and contents live in a `region`.
    """
    where = region if kind in _REGIONAL else "us"
    return urlsafe_b64encode(f"ciscospark://{where}/{kind}/{key or uuid4()}".encode()).decode().rstrip("=")


def key_of(made: str) -> str:
    """What `make_id` was given as its key, such as a UUID. ValueError where it is no id."""
    plain = urlsafe_b64decode(made + "=" * (-len(made) % 4)).decode()
    parts = plain.split("/", 4)
    if len(parts) != 5 or parts[0] != "ciscospark:" or parts[1] or not parts[4]:
        raise ValueError("this is no id of Webex's")
    return parts[4]


def candidates(kind: str, given: str, region: str) -> tuple[str, ...]:
    """The ids that may be meant: the one that was given, or those of a raw UUID. ValueError where it is neither."""
    if _UUID.fullmatch(given):
        return make_id(kind, given.lower(), region), make_id(kind, given.lower())
    key_of(given)
    return (given.rstrip("="),)


def iso(at: float) -> str:
    """Epoch seconds as `2015-10-18T14:26:16.000Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_iso(text: str) -> float | None:
    """Epoch seconds of an ISO 8601 time; UTC where it names no zone; None where it is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def tracking_id() -> str:
    """The id of one call, which Webex puts in a header of every answer."""
    return f"ROUTER_{uuid4()}".upper()
