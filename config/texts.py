"""What customers read, in their language: the texts that ship, under those of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from config.model_messages import PLACEHOLDER, Messages
from config.tree import read_tree

SHIPPED = Path(__file__).with_name("texts.yaml")
LAST_RESORT = "en"

TextKey = Literal[
    "queued",
    "closed",
    "moved",
    "no_answer",
    "idle_warning",
    "ended",
    "ended_by_agent",
    "ended_idle",
    "not_delivered",
    "file_refused",
    "not_shown",
]


def shipped() -> dict[str, Messages]:
    """The texts of config/texts.yaml, by language."""
    tree = read_tree(SHIPPED.name, SHIPPED.read_bytes())
    return {language: Messages.model_validate(texts) for language, texts in tree.data.items()}


class Texts:
    """The texts of one configuration. `config/model_messages.py` says when each is used."""

    def __init__(self, messages: Mapping[str, Messages] | None = None) -> None:
        self._own = {_fold(language): texts for language, texts in (messages or {}).items()}
        self._shipped = {_fold(language): texts for language, texts in shipped().items()}

    def get(self, key: TextKey, language: str | None, **values: object) -> str:
        """The text in `language`, else in its base language (es for es-MX), else in English.

        A sentence with a placeholder whose value is missing or None is left out, so that nobody reads
        `{opens_at}`. A value that is a function gets the language in which the text is written, so that both are
        of one. Never raises on odd values or languages; KeyError for an unknown `key`.
        """
        for written, text in self._candidates(key, language):
            told = {name: _shown(value, written) for name, value in values.items()}
            filled = _fill(text, {name: value for name, value in told.items() if value is not None})
            if filled:
                return filled
        raise KeyError(key)

    def _candidates(self, key: str, language: str | None) -> Iterator[tuple[str, str]]:
        wanted = _fold(language) if isinstance(language, str) else ""
        for candidate in dict.fromkeys((wanted, wanted.partition("-")[0], LAST_RESORT)):
            for texts in (self._own, self._shipped):
                text = getattr(texts[candidate], key, None) if candidate in texts else None
                if isinstance(text, str):
                    yield candidate, text


def _fold(language: str) -> str:
    return language.strip().replace("_", "-").lower()


def _shown(value: object, language: str) -> str | None:
    try:
        value = value(language) if callable(value) else value
        return None if value is None else str(value)
    except Exception:  # noqa: BLE001 - a customer's text is not worth failing for, whatever the value's fault
        return None


def _fill(text: str, values: Mapping[str, str]) -> str:
    def complete(part: str) -> bool:
        return all(name in values for name in PLACEHOLDER.findall(part))

    if not complete(text):
        text = " ".join(part for part in re.split(r"(?<=[.!?])\s+", text) if complete(part))
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)
