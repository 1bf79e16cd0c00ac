"""`first_line`: what a chatbot may say before a person is asked."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from config.fields import Key, Language, Listed, Secret, Text, fault
from config.model_base import Model

LONGEST = 4000
Words = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class MenuItem(Model):
    """One button: it says a topic, gives an answer, or leads to a person."""

    label: dict[Language, Text] = Field(min_length=1)
    """What stands on the button, by language."""
    topic: Text | None = None
    """The topic of the conversation from then on; its questions in `ask` come first."""
    answer: Key | None = None
    """An answer, by its name in `answers`."""
    person: bool = False
    """Whether the button leads to a person."""

    @model_validator(mode="after")
    def _does_one_thing(self) -> MenuItem:
        if (self.topic is not None) + (self.answer is not None) + self.person != 1:
            raise fault("a button does one thing", "topic: returns, answer: hours, or person: true.")
        return self


class Question(Model):
    """Something asked before a person is, for the agent to know."""

    id: Key
    """The name under which the customer's word stands in the context."""
    question: dict[Language, Words] = Field(min_length=1)
    """The question, by language."""
    pattern: str | None = Field(default=None, max_length=200)
    """A regular expression that the whole word must fit."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except (re.error, RecursionError, OverflowError):
            raise fault("this is no regular expression", '"[0-9]{4,8}"') from None
        return value


class FirstAnswer(Model):
    """An answer to what is always asked."""

    when: dict[Language, Annotated[tuple[Text, ...], Listed]] = Field(default_factory=dict)
    """Phrases that ask for it, by language; none: only a button gives it."""
    text: dict[Language, Words] = Field(min_length=1)
    """The answer, by language."""


class Answerer(Model):
    """Your own bot or model, asked where nothing here answers."""

    url: Text
    """Its https address."""
    secret: Secret
    """What the questions to it are signed with."""
    timeout_seconds: float = Field(default=5, gt=0, le=30)
    """How long an answer may take before a person is asked instead."""
    allow_private: bool = False
    """Whether it may stand inside a private network."""


class FirstLine(Model):
    """A chatbot before the person; any of its parts alone is enough."""

    greeting: dict[Language, Words] = Field(default_factory=dict)
    """What it says first, by language."""
    menu: tuple[MenuItem, ...] = Field(default=(), max_length=12)
    """Buttons, in order."""
    ask: dict[Text, tuple[Question, ...]] = Field(default_factory=dict)
    """What is asked first, by topic."""
    answers: dict[Key, FirstAnswer] = Field(default_factory=dict)
    """Answers, by a short name of your choice."""
    files: Annotated[tuple[str, ...], Listed] = ()
    """Markdown files of answers beside this file: faq.md in English, faq.es.md in Spanish."""
    answerer: Answerer | None = None
    """Your own bot or model."""
