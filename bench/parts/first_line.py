"""Questions with known answers, put to the first line: how many it answers, and how many wrongly."""

from __future__ import annotations

import time
from pathlib import Path

from bench.table import Shown, ms
from bridge.domain.first_line.answers import Answer
from bridge.domain.first_line.matching import ask

SHOP = Path(__file__).parents[1] / "first_line_shop.txt"
LANGUAGES = ("en", "es", "de", "fr", "ar")
Labelled = list[tuple[str, str, str]]  # language, the right answer's key or "-", question


def read() -> tuple[list[Answer], Labelled]:
    """The shop's answers, and the questions with their labels."""
    answers: list[Answer] = []
    questions: Labelled = []
    for line in SHOP.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        language, rest = line.split(" ", 1)
        sign = "=" if " = " in rest else ":"
        key, words = (part.strip() for part in rest.split(" = " if sign == "=" else ": ", 1))
        phrases = tuple(phrase.strip() for phrase in words.split(" | "))
        if sign == "=":
            answers.append(Answer(key, language, phrases, key))
        else:
            questions += [(language, key, phrase) for phrase in phrases]
    return answers, questions


def outcomes(answers: list[Answer], questions: Labelled) -> list[tuple[str, str, str, str]]:
    """Each question with its label and what was answered, '-' where nothing was."""
    found = []
    for language, label, question in questions:
        answer = ask(answers, question, language).answer
        found.append((language, label, answer.key if answer else "-", question))
    return found


def measure(quick: bool) -> Shown:
    answers, questions = read()
    begun = time.perf_counter()
    found = outcomes(answers, questions)
    took = (time.perf_counter() - begun) / len(found)
    shown = Shown("First line", ("language", "questions", "precision", "recall", "wrong answers"))
    for language in (*LANGUAGES, "all"):
        mine = [one for one in found if language in (one[0], "all")]
        given = [one for one in mine if one[2] != "-"]
        right = sum(label == answer for _, label, answer, _ in given)
        answerable = sum(label != "-" for _, label, _, _ in mine)
        wrong = (len(given) - right) / len(mine)
        shown.add(
            language, len(mine), f"{right / len(given):.1%}", f"{right / answerable:.1%}", f"{wrong:.1%}"
        )
    shown.note = f"{ms(took)} a question, the index made anew each time"
    return shown
