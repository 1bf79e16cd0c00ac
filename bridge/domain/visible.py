"""What of a text can be seen, and where it may be cut without spoiling a character."""

from __future__ import annotations

import unicodedata

# Letters and symbols that are drawn as nothing, whatever their category says.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5")
# Not assigned, and never will be to anything that is drawn (Default_Ignorable_Code_Point, noncharacters).
_NEVER_DRAWN = (
    range(0x2065, 0x2066),
    range(0xFDD0, 0xFDF0),
    range(0xFFF0, 0xFFF9),
    range(0xFFFE, 0x10000),
    range(0xE0000, 0xE1000),
)
_JOINER = "\u200d"
_REGIONAL = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)


def is_visible(text: str) -> bool:
    """True if anything of a text is seen on paper: not if it is white space, format characters and their like alone."""
    return any(_is_seen(one) for one in text)


def _is_seen(one: str) -> bool:
    category = unicodedata.category(one)
    # An emoji that is younger than this Python, or a character of a font of the customer's own.
    if category in ("Cn", "Co"):
        return not any(ord(one) in some for some in _NEVER_DRAWN)
    return category[0] not in "CZM" and one not in _BLANKS


def cut_before(text: str, most: int) -> int:
    """Returns where to cut: at most `most` characters, never inside what is read as one (an accent, an emoji family).

    The part of UAX #29's rules that a cut meets in practice. A cluster that is longer than that is cut all the same.
    """
    cut = most
    while 0 < cut < len(text) and _joined(text, cut):
        cut -= 1
    return cut or most


def _joined(text: str, cut: int) -> bool:
    """Whether the characters before and after `cut` are read as one."""
    before, after = text[cut - 1], text[cut]
    if after == _JOINER or before == _JOINER or before + after == "\r\n":
        return True
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or ord(after) in _SKIN_TONES or ord(after) in _TAGS:
        return True
    if ord(after) in _REGIONAL and ord(before) in _REGIONAL:
        flags = 0
        while flags < cut and ord(text[cut - 1 - flags]) in _REGIONAL:
            flags += 1
        return flags % 2 == 1
    return False
