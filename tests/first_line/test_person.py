"""Which words ask for a person."""

from __future__ import annotations

import pytest

from bench.parts.first_line import read
from bridge.domain.first_line.person import asks_for_a_person


@pytest.mark.parametrize(
    "words",
    [
        "agent",
        "A real person, please!",
        "can I talk to somebody about my order",
        "I want to speak with a human",
        "quiero hablar con una persona",
        "ich möchte mit einem Menschen sprechen",
        "Mitarbeiter bitte",
        "je voudrais parler à un conseiller",
        "parler à quelqu'un",
        "أريد التحدث مع موظف",
    ],
)
def test_words_that_ask_for_a_person(words: str) -> None:
    """A person alone, or talking to one, in each shipped language."""
    assert asks_for_a_person(words)


@pytest.mark.parametrize(
    "words",
    ["", "when are you open", "one person or two?", "I don't want to talk to an agent", "cleaning agent"],
)
def test_words_that_do_not(words: str) -> None:
    """A word for people among others, and a refusal, ask for nobody."""
    assert not asks_for_a_person(words)


def test_no_question_of_the_labelled_set_is_taken_for_it() -> None:
    """What the shop answers, or does not, is not mistaken for a wish for a person."""
    assert [question for _, _, question in read()[1] if asks_for_a_person(question)] == []
