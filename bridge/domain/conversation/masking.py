"""Hiding what must not leave for Webex: card numbers, e-mail addresses, telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from bridge.domain.conversation.card_numbers import mask_cards
from bridge.domain.conversation.model import Conversation, Said

CARD, PHONE, EMAIL = "card-number", "phone", "email"
Masks = Callable[[str], Sequence[str]]  # what is hidden of the words of a source's customers
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]{1,64}@[^\s@<>\"'(),;:]{1,190}\.[^\W\d_]{2,}")
_BETWEEN = (
    r"[ \u00a0\u2007\u2009\u202f./\u2010-\u2015-]?"  # blanks that do not break, and dashes of all lengths
)
_PHONE = re.compile(rf"(?<![\w.+])\+?(?:\(?\d{{1,4}}\)?{_BETWEEN}){{2,6}}\d{{2,4}}(?!\w)")


def mask(text: str, kinds: Iterable[str]) -> str:
    """`text` with each `card-number`, `email` or `phone` asked for replaced by dots, last digits kept."""
    wanted = frozenset(kinds)
    for kind, hide in _MASKS.items():  # cards first: a telephone number may look like a piece of one
        if kind in wanted:
            text = hide(text)
    return text


def masked(conversation: Conversation, kinds: Sequence[str]) -> Conversation:
    """A copy as it may be told to Webex: name, store and topic. Its `context` is masked value by value."""
    if not kinds:
        return conversation
    shown = conversation.copy()
    shown.display_name = mask(shown.display_name, kinds)
    shown.store, shown.topic, shown.language = (
        one and mask(one, kinds) for one in (shown.store, shown.topic, shown.language)
    )
    return shown


def masked_words(said: Iterable[Said], kinds: Sequence[str]) -> list[Said]:
    """Copies as they may be told to Webex: texts and the names of files."""
    return [
        replace(
            one,
            text=mask(one.text, kinds),
            files=tuple({**file, "name": mask(str(file.get("name", "file")), kinds)} for file in one.files),
        )
        for one in said
    ]


def _mask_phone(match: re.Match[str]) -> str:
    digits = "".join(char for char in match[0] if char.isdigit())
    return f"•••{digits[-2:]}" if 7 <= len(digits) <= 15 else match[0]


_MASKS: dict[str, Callable[[str], str]] = {
    CARD: mask_cards,
    EMAIL: lambda text: _EMAIL.sub("•••@•••", text),
    PHONE: lambda text: _PHONE.sub(_mask_phone, text),
}
