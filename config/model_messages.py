"""What the customer reads: the closed set of texts, and the placeholders that each may hold."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from config.fields import fault
from config.model_base import Model
from config.problems import suggest

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LONGEST = 2000


PLACEHOLDERS: dict[str, tuple[str, ...]] = {
    "queued": ("position", "team"),
    "closed": ("opens_at", "team"),
    "moved": ("agent", "team"),
    "no_answer": ("team",),
    "idle_warning": ("minutes",),
    "ended": (),
    "ended_by_agent": ("agent",),
    "ended_idle": (),
    "not_delivered": (),
    "file_refused": ("file",),
    "not_shown": (),
}
GONE = frozenset({"opened", "file_too_large"})  # were never said; config/effects.py says what is said instead


class Messages(Model):
    """The texts of one language; what is left out keeps the text that ships in config/texts.yaml."""

    queued: str | None = Field(default=None, max_length=LONGEST)
    """Everybody is busy and the customer waits. `{position}` in the queue counts from 1; `{team}`."""
    closed: str | None = Field(default=None, max_length=LONGEST)
    """The team is closed and the message waits. `{opens_at}` is in the team's zone; `{team}`."""
    moved: str | None = Field(default=None, max_length=LONGEST)
    """Another agent has the conversation now. `{agent}` is the new agent's name; `{team}`."""
    no_answer: str | None = Field(default=None, max_length=LONGEST)
    """The agent did not answer in time and somebody else is being asked. `{team}`."""
    idle_warning: str | None = Field(default=None, max_length=LONGEST)
    """The conversation is about to end because the customer is silent. `{minutes}` are left."""
    ended: str | None = Field(default=None, max_length=LONGEST)
    """The customer or the source ended the conversation."""
    ended_by_agent: str | None = Field(default=None, max_length=LONGEST)
    """The agent ended the conversation. `{agent}` is the agent's name."""
    ended_idle: str | None = Field(default=None, max_length=LONGEST)
    """The conversation ended because the customer was silent."""
    not_delivered: str | None = Field(default=None, max_length=LONGEST)
    """A message of the customer could not be handed to any agent."""
    file_refused: str | None = Field(default=None, max_length=LONGEST)
    """A file of the agent's could not be passed on: infected, or Webex does not give it. `{file}` is its name."""
    not_shown: str | None = Field(default=None, max_length=LONGEST)
    """A message of the agent's could not be passed on, for Webex does not give its words."""

    @model_validator(mode="before")
    @classmethod
    def _without_what_is_gone(cls, value: Any) -> Any:
        """A file of an older version still loads, with a warning."""
        return (
            {key: text for key, text in value.items() if key not in GONE}
            if isinstance(value, dict)
            else value
        )

    @field_validator("*")
    @classmethod
    def _known_placeholders(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or info.field_name is None:
            return value
        if not value.strip():
            raise fault("this must be a text")
        known = PLACEHOLDERS[info.field_name]
        for name in PLACEHOLDER.findall(value):
            if name not in known:
                close = suggest(name, known)
                remedy = f"{{{close}}}" if close in known else "the text without it."
                raise fault(f"{{{name[:40]}}} means nothing in this text", remedy)
        return value.strip()
