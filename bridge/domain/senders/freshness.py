"""How old a body may be by its own word."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from bridge.domain.signing import BadSignature

OLDEST_SECONDS = 86400.0
_FIRST_MILLISECONDS = 1e11  # a number above this counts milliseconds: in seconds it would be the year 5138


def need_fresh(stated: Any, now: float) -> None:
    """Raises BadSignature (`replay`) unless a body says that it was made in the last day.

    `stated`: what `at` found in it: ISO 8601 (without an offset: UTC), or seconds or milliseconds since 1970.
    """
    made = _seconds(stated)
    if made is None:
        raise BadSignature("the body does not say when it was made, where `at` looks for it", "replay")
    if now - made > OLDEST_SECONDS:
        raise BadSignature(f"the body is {(now - made) / 3600:.0f} hours old", "replay")


def _seconds(stated: Any) -> float | None:
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        return None
    try:
        number = float(stated)
    except (ValueError, OverflowError):
        return _of_iso(str(stated))
    if not math.isfinite(number):
        return None
    return number / 1000 if number > _FIRST_MILLISECONDS else number


def _of_iso(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.strip()[:40])
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
