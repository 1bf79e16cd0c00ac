"""`agents`, `teams` and `routes`: who answers whom, and when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from config.fields import ClosedDays, Email, Hours, Key, Language, Listed, OpenOn, Text
from config.model_base import Model


class Agent(Model):
    """A licensed person who answers in Webex."""

    email: Email
    """The address under which Webex knows the agent."""
    name: Text | None = None
    """What customers read; default: made from the e-mail address (`amy.chen@...` is Amy Chen)."""
    skills: Annotated[tuple[Text, ...], Listed] = ()
    """The only topics this agent takes; none: any."""
    languages: Annotated[tuple[Language, ...], Listed] = ()
    """The only languages this agent takes; none: any."""
    capacity: int | None = Field(default=None, ge=1)
    """How many conversations at once; none: unlimited."""
    shifts: Annotated[tuple[Hours, ...], Listed] = ()
    """When this agent works, in the team's zone; none: the team's hours."""


class Holidays(Model):
    """Days on which a team is closed although its hours say otherwise."""

    country: str | None = None
    """A country whose public holidays close the team: its code, such as US."""
    subdivision: str | None = None
    """A state or region of it, such as IL."""
    closed: Annotated[tuple[ClosedDays, ...], Listed] = ()
    """Further dates on which the team is closed, and ranges of them, first..last."""
    open: Annotated[tuple[OpenOn, ...], Listed] = ()
    """Dated hours in which the team is open after all."""


class Sticky(Model):
    """A returning customer is given to the agent they had."""

    days: float = Field(default=30, ge=0, le=3650)
    """How many days that agent is remembered; 0: off."""
    wait_seconds: float = Field(default=60, ge=0)
    """How long a customer waits for that agent before anyone else is asked."""


class Minimum(Model):
    """How many agents must be on duty at least, who take a language or a topic."""

    at_least: int = Field(default=1, ge=1, le=1_000)
    """How many."""
    language: Language | None = None
    """Only agents who take this language count."""
    topic: Text | None = None
    """Only agents who take this topic count."""
    during: Annotated[tuple[Hours, ...], Listed] = ()
    """The hours of the week for which it is asked; none: whenever the team is open."""


class Team(Model):
    """Agents who answer the same customers, in one time zone."""

    timezone: str
    """The zone of all times here: an IANA name, such as Europe/London."""
    hours: Annotated[tuple[Hours, ...], Listed] = ()
    """When the team is open; none: always."""
    holidays: Holidays = Holidays()
    """Days on which the team is closed although its hours say otherwise."""
    agents: Annotated[tuple[Key, ...], Listed] = ()
    """The team's agents, by their names in `agents`."""
    leads: Annotated[tuple[Email, ...], Listed] = ()
    """Who is told when customers wait."""
    pick: Literal["longest-idle", "least-busy", "round-robin"] = "longest-idle"
    """Which of the agents who may take a customer gets them."""
    sticky: Sticky | None = None
    """A returning customer is given to the agent they had; off unless given."""
    answer_within_seconds: float = Field(default=0, ge=0)
    """No answer for this long: the next agent is asked, then the overflow, then the lead is told; 0: off."""
    overflow: Annotated[tuple[Key, ...], Listed] = ()
    """Teams that help out, in this order."""
    overflow_after_seconds: float = Field(default=60, ge=0)
    """How long a customer waits before the overflow is asked; 0: at once."""
    alert_after_seconds: float = Field(default=300, ge=0)
    """The leads are told about a customer who waits longer than this; 0: never."""
    coverage: Annotated[tuple[Minimum, ...], Listed] = ()
    """What `bridge coverage` and the weekly note to the leads hold the rota to; none: somebody on duty."""
    calendar: str | None = None
    """An iCal file, or a folder of them, with an event for each shift; relative to this configuration."""

    @field_validator("sticky", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        return None if value in ("off", "no", "false") else value


class When(Model):
    """What a route asks for: globs over the whole value, any of which may match."""

    source: Annotated[tuple[Text, ...], Listed] | None = Field(default=None, min_length=1)
    """Names of sources."""
    store: Annotated[tuple[Text, ...], Listed] | None = Field(default=None, min_length=1)
    """Stores, as the source names them."""
    topic: Annotated[tuple[Text, ...], Listed] | None = Field(default=None, min_length=1)
    """Topics, as the source names them."""
    language: Annotated[tuple[Text, ...], Listed] | None = Field(default=None, min_length=1)
    """Languages, as the source names them."""


class Route(Model):
    """Sends customers to a team; the first route that matches wins."""

    when: When = When()
    """What the event must have; none: every event matches."""
    team: Key
    """The team's name in `teams`."""
