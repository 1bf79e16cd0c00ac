"""Reduces words to their stems, by the Snowball stemmers of the shipped languages."""

from __future__ import annotations

from functools import lru_cache

import snowballstemmer

from bridge.domain.first_line.phrases import base

_ALGORITHMS = {"en": "english", "es": "spanish", "de": "german", "fr": "french", "ar": "arabic"}


@lru_cache(maxsize=20_000)
def stem(word: str, language: str) -> str:
    """Returns the stem of a normalised word; the word itself in a language without a stemmer."""
    algorithm = _ALGORITHMS.get(base(language))
    if algorithm is None or any(character.isdigit() for character in word):
        return word
    # A stemmer of its own each time: it keeps its word in itself, and threads may ask at once.
    return str(snowballstemmer.stemmer(algorithm).stemWord(word))
