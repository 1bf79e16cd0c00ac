"""Finds the answer to a question among those a shop wrote down, or none. Nothing is made up.

Phrases are ranked by Okapi BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
equation 3.15; the weight of a word never negative, as in Lucene's BM25Similarity). A rank says nothing about how well
the best phrase fits, so it is held against what the question and the phrase would score by themselves.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.domain.first_line.answers import Answer
from bridge.domain.first_line.phrases import base, near, only_asks, telling
from bridge.domain.first_line.stems import stem

BOUND = 0.62  # less sure than this says nothing; bench/parts/first_line.py measures it
APART = 0.08  # two answers nearer to each other than this: neither
_K1, _B = 1.2, 0.75  # the usual values; phrases are about equally long
_SHORTEST_TYPO = 5  # of shorter words, another letter makes another word


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found. `answer` is None below the bound; `sure` is from 0 to 1; `nearest` is told either way."""

    answer: Answer | None
    nearest: Answer | None
    sure: float
    phrase: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Phrase:
    answer: int
    text: str
    stems: frozenset[str]


class Index:
    """The answers of one language, ready to be asked."""

    def __init__(self, answers: Sequence[Answer], language: str) -> None:
        self.language = language
        self._answers = answers
        self._words: dict[str, str] = {}
        self._light: set[str] = set()
        self._phrases = [
            _Phrase(index, phrase, frozenset(self._learn(phrase)))
            for index, answer in enumerate(answers)
            for phrase in answer.phrases
        ]
        self._within: dict[str, set[int]] = defaultdict(set)
        for phrase in self._phrases:
            for known in phrase.stems:
                self._within[known].add(phrase.answer)
        self._length = sum(len(one.stems) for one in self._phrases) / max(1, len(self._phrases))

    def ask(self, question: str) -> Found:
        """Returns the answer that fits, or how near the nearest came."""
        stems, notes = self._read(question)
        ranked: dict[int, tuple[float, str, frozenset[str]]] = {}
        for phrase in self._phrases:
            sure = self._sure(stems, phrase)
            if sure > ranked.get(phrase.answer, (0.0, "", frozenset()))[0]:
                ranked[phrase.answer] = (sure, phrase.text, stems & phrase.stems)
        order = sorted(ranked, key=lambda index: (-ranked[index][0], index))
        if not order:
            return Found(None, None, 0.0, "", (*notes, "no word of it is in any phrase"))
        sure, text, shared = ranked[order[0]]
        why = [*notes, f"it shares {', '.join(sorted(shared))} with {text!r}"]
        second = ranked[order[1]][0] if len(order) > 1 else 0.0
        given = sure >= BOUND
        if not given:
            why.append(f"{sure:.2f} is below the bound, {BOUND}")
        elif sure - second < APART:
            given = False
            why.append(f"{self._answers[order[1]].key} fits nearly as well ({second:.2f})")
        nearest = self._answers[order[0]]
        return Found(nearest if given else None, nearest, round(sure, 3), text, tuple(why))

    def _learn(self, phrase: str) -> Iterable[str]:
        for word in telling(phrase, self.language):
            known = self._words[word] = stem(word, self.language)
            if only_asks(word, self.language):
                self._light.add(known)
            yield known

    def _read(self, question: str) -> tuple[frozenset[str], list[str]]:
        """The stems of a question, with a typo of one letter mended where only one word can be meant."""
        stems, notes = set(), []
        for word in telling(question, self.language):
            found = stem(word, self.language)
            if only_asks(word, self.language):
                self._light.add(found)
            if found not in self._within and len(word) >= _SHORTEST_TYPO:
                meant = {
                    known for other, known in self._words.items() if len(other) > 3 and near(word, other)
                }
                if len(meant) == 1:
                    found = meant.pop()
                    notes.append(f"{word!r} is taken for {found!r}")
            stems.add(found)
        return frozenset(stems), notes

    def _sure(self, stems: frozenset[str], phrase: _Phrase) -> float:
        """Half: how alike question and phrase are. Half: how much of the question this answer's phrases know."""
        shared = stems & phrase.stems
        if not any(known not in self._light for known in shared):
            return 0.0
        alike = (
            2 * self._score(shared, phrase) / (self._score(stems, phrase) + self._score(phrase.stems, phrase))
        )
        known = frozenset(one for one in stems if phrase.answer in self._within.get(one, ()))
        sure = (alike + self._score(known, phrase) / self._score(stems, phrase)) / 2
        return sure if len(known) > 1 or self._names(known, phrase) else sure / 2

    def _names(self, known: frozenset[str], phrase: _Phrase) -> bool:
        """True where a single word names the thing: it is a whole phrase, or stands in two phrases of the answer.

        'Store' in 'parking at the store' is no question about parking.
        """
        if phrase.stems - self._light <= known:
            return True
        return sum(known <= other.stems for other in self._phrases if other.answer == phrase.answer) > 1

    def _score(self, stems: frozenset[str], phrase: _Phrase) -> float:
        length = 1 - _B + _B * len(phrase.stems) / self._length
        return sum(self._weight(one) * (_K1 + 1) / (1 + _K1 * length) for one in sorted(stems))

    def _weight(self, known: str) -> float:
        count, total = len(self._within.get(known, ())), len(self._answers)
        # A word of one answer among few must weigh enough to be missed when it is not there.
        weight = math.log(1 + (total - count + 0.5) / (count + 0.5)) if count else math.log(2 + 2 * total)
        return weight / 3 if known in self._light else weight


def ask(answers: Sequence[Answer], question: str, language: str | None = None) -> Found:
    """Returns the surest answer to a question.

    With a language (es-MX: es where there is no es-MX), only answers in it are looked at; without one, all of them.
    """
    held = {answer.language for answer in answers}
    if language is None:
        chosen = sorted(held)
    else:
        chosen = (
            [language] if language in held else sorted(one for one in held if base(one) == base(language))
        )
    found = [Index([a for a in answers if a.language == one], one).ask(question) for one in chosen]
    if not found:
        return Found(None, None, 0.0, "", ("there is no answer in this language",))
    return max(found, key=lambda one: (one.answer is not None, one.sure))
