"""What a first line answers, and what it leaves to a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.parts.first_line import LANGUAGES, outcomes, read
from bridge.domain.first_line.answers import Answer
from bridge.domain.first_line.matching import BOUND, ask
from bridge.domain.first_line.phrases import near, normalised

HOURS = Answer("hours", "en", ("when are you open", "opening hours", "closing time"), "9 to 5")
RETURNS = Answer(
    "returns", "en", ("how do I return something", "send an item back", "refund"), "Bring it back"
)
SHOP = [HOURS, RETURNS]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("when do you close", "hours"),
        ("OPENING HOURS?!", "hours"),
        ("opning hours", "hours"),
        ("can I retrun something", "returns"),
        ("I'd like a refund, please", "returns"),
        ("do you repair bicycles", None),
        ("item", None),
        ("the item", None),
        ("I don't want a refund", None),
        ("when", None),
        ("when are you", None),
        ("hours of labour on a refund for bicycles", None),
        ("", None),
    ],
)
def test_what_is_answered(question: str, answer: str | None) -> None:
    """Stems, one wrong letter and other words of grammar are no hindrance; what is not meant gets nothing."""
    found = ask(SHOP, question)
    assert (found.answer.key if found.answer else None) == answer
    assert found.why
    assert (found.sure >= BOUND) or found.answer is None


def test_two_answers_that_fit_alike_are_not_guessed_between() -> None:
    """Where two answers fit equally, neither is given, and the other is named."""
    twin = Answer("garden", "en", ("opening hours",), "8 to 6")
    found = ask([*SHOP, twin], "opening hours")
    assert found.answer is None
    assert any("garden" in reason for reason in found.why)


def test_a_language_looks_only_at_its_answers() -> None:
    """es-MX finds what is written in es, and nothing in English; no language finds all."""
    horas = Answer("horas", "es", ("horario de apertura",), "9 a 5")
    assert ask([*SHOP, horas], "horario de apertura", "es-MX").answer == horas
    assert ask([*SHOP, horas], "opening hours", "es").answer is None
    assert ask([*SHOP, horas], "opening hours").answer == HOURS


@given(st.text(max_size=700))
def test_any_text_is_answered_the_same_each_time(question: str) -> None:
    """Matching takes anything and is deterministic; how sure it is stays between 0 and 1."""
    found = ask(SHOP, question)
    assert found == ask(list(SHOP), question)
    assert 0 <= found.sure <= 1


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("return", "retrun", True),
        ("return", "retur", True),
        ("retun", "return", True),
        ("return", "returm", True),
        ("return", "retrum", False),
        ("return", "return", False),
        ("park", "parking", False),
    ],
)
def test_a_typo_is_one_letter(one: str, other: str, alike: bool) -> None:
    """One letter more, less, other, or swapped with its neighbour; nothing beyond that."""
    assert near(one, other) is alike
    assert near(other, one) is alike


def test_words_are_compared_without_accents_and_forms_of_letters() -> None:
    """Spellings that people mix are one: accents, ß, Arabic letters with and without hamza."""
    assert normalised("¿Cuándo?") == ["cuando"]
    assert normalised("Schließen") == ["schliessen"]
    assert normalised("الإغلاق") == normalised("الاغلاق")


def test_the_labelled_questions_get_hardly_a_wrong_answer() -> None:
    """Of 200 questions in five languages, a third of them not answerable, under 2 % get a wrong answer."""
    answers, questions = read()
    found = outcomes(answers, questions)
    assert len(found) >= 200
    assert {language for language, *_ in found} == set(LANGUAGES)
    unanswerable = sum(label == "-" for _, label, _, _ in found)
    assert 0.3 <= unanswerable / len(found) <= 0.4
    wrong = [one for one in found if one[2] not in ("-", one[1])]
    assert len(wrong) / len(found) < 0.02, wrong
    right = sum(label == answer != "-" for _, label, answer, _ in found)
    assert right / (len(found) - unanswerable) > 0.8
