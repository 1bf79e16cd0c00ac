"""Hiding what must not leave for Webex: card numbers, e-mail addresses, telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CARD = re.compile(r"(?<![\d])(?:\d[ -]?){12,18}\d(?![\d])")
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]{1,64}@[^\s@<>\"'(),;:]{1,190}\.[^\W\d_]{2,}")
_PHONE = re.compile(r"(?<![\w.+])\+?(?:\(?\d{1,4}\)?[ ./-]?){2,6}\d{2,4}(?!\w)")


def mask(text: str, kinds: Iterable[str]) -> str:
    """`text` with each `card-number`, `email` or `phone` asked for replaced by dots, last digits kept."""
    for kind in kinds:
        text = _MASKS[kind](text)
    return text


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _luhn(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _mask_card(match: re.Match[str]) -> str:
    digits = _digits(match[0])
    return f"•••• {digits[-4:]}" if 13 <= len(digits) <= 19 and _luhn(digits) else match[0]


def _mask_phone(match: re.Match[str]) -> str:
    digits = _digits(match[0])
    return f"•••{digits[-2:]}" if 7 <= len(digits) <= 15 else match[0]


_MASKS = {
    "card-number": lambda text: _CARD.sub(_mask_card, text),
    "email": lambda text: _EMAIL.sub("•••@•••", text),
    "phone": lambda text: _PHONE.sub(_mask_phone, text),
}
