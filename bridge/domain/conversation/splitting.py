"""Long text becomes several messages: Webex takes 7439 bytes before encryption and 10000 after.

Source: https://developer.webex.com/docs/api/v1/messages/create-a-message (text: maximum 7439 bytes).
"""

from __future__ import annotations

import re

from bridge.domain.visible import cut_before

MOST_BYTES = 7439
_BREAKS = re.compile(r"\s+")


def split_text(text: str, most: int = MOST_BYTES) -> list[str]:
    """`text` in parts below `most` UTF-8 bytes, at word boundaries; a longer word between what reads as characters.

    The parts joined give the text again but for the white space at the cuts.
    """
    parts: list[str] = []
    rest = text
    while len(rest.encode()) >= most:
        cut = _longest_prefix(rest, most - 1)
        boundary = max((gap.start() for gap in _BREAKS.finditer(rest, 0, cut + 1)), default=0)
        head = rest[: boundary or cut]
        rest = rest[len(head) :].lstrip() if boundary else rest[cut:]
        if head.strip():
            parts.append(head.rstrip())
    if rest.strip() or not parts:
        parts.append(rest)
    return parts


def _longest_prefix(text: str, most: int) -> int:
    """How many characters of `text` fit in `most` bytes, whole to the eye."""
    return cut_before(text, len(text.encode()[:most].decode(errors="ignore")))
