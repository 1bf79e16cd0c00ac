"""Identifiers and times as Webex writes them."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from uuid import uuid4


def make_id(kind: str, key: str | None = None) -> str:
    """Unpadded base64 of `ciscospark://us/<KIND>/<key>`; a fresh UUID where no key is given."""
    return b64encode(f"ciscospark://us/{kind}/{key or uuid4()}".encode()).decode().rstrip("=")


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
