"""The whole configuration file, as the leads write it; docs/configuration.md is its reference."""

from __future__ import annotations

from pydantic import Field

from config.fields import Key, Language, UrlName
from config.model_base import Model
from config.model_first_line import FirstLine
from config.model_messages import Messages
from config.model_sources import Auth, Callback, Files, Privacy, Source, Webex
from config.model_teams import Agent, Holidays, Route, Sticky, Team, When

__all__ = [
    "Agent",
    "Auth",
    "Callback",
    "Config",
    "Files",
    "Holidays",
    "Messages",
    "Privacy",
    "Route",
    "Source",
    "Sticky",
    "Team",
    "Webex",
    "When",
]


class Config(Model):
    """The configuration of the bridge: who may send customers, who answers them, and when."""

    webex: Webex = Webex()
    """How the bridge works with Webex."""
    sources: dict[UrlName, Source] = Field(min_length=1)
    """Where events come from, by name; the name is part of the address `/v1/events/{source}`."""
    agents: dict[Key, Agent] = Field(min_length=1)
    """Who answers, by a short name of your choice."""
    teams: dict[Key, Team] = Field(min_length=1)
    """Which agents answer the same customers, by name."""
    routes: tuple[Route, ...] = Field(min_length=1)
    """Which customers go to which team; the first route that matches wins."""
    first_line: dict[Key, FirstLine] = Field(default_factory=dict)
    """Chatbots that greet and answer before a person is asked, by name."""
    messages: dict[Language, Messages] = Field(default_factory=dict)
    """What the customer reads, by language; what is left out keeps the texts that ship."""
    privacy: Privacy = Privacy()
    """What leaves for Webex, and how long things are kept."""

    def namespace(self, source: str) -> str:
        """Whose customers the subjects of `source` are. Raises KeyError for an unknown source."""
        return self.sources[source].namespace or source
