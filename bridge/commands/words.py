"""Small things that commands say in words."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def age(seconds: float) -> str:
    """`45 s`, `12 min`, `5 h`, `3 d`."""
    seconds = max(seconds, 0)
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def instant(moment: float) -> str:
    """`2026-11-22T10:15:00Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_line(text: str, *, strip: bool = True) -> str:
    """Without line breaks, and without what could steer a terminal."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split()) if strip else plain
