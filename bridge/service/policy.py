"""The configuration in force, as far as decisions need it. A value: it is sent to the process that decides."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bridge.domain.conversation.desk import AgentState, Desk, DutyBook
from bridge.domain.conversation.model import Conversation, SourceRules
from bridge.domain.duty.roster import Roster
from bridge.domain.duty.wording import opening_time
from bridge.store.overrides import Overrides
from config.texts import Texts


@dataclass(slots=True)
class Policy:
    """bridge.store.policies.Policy. `other_sources`: the rules of a source that is no longer configured."""

    roster: Roster
    texts: Texts
    sources: Mapping[str, SourceRules]
    other_sources: SourceRules
    _book: DutyBook = field(init=False)

    def __post_init__(self) -> None:
        self._book = DutyBook(self.roster)

    def desk(self, states: dict[str, AgentState], queued: Counter[str], overrides: Overrides) -> Desk:
        """The desk of one round; changed overrides make a new book."""
        if (overrides.agents, overrides.paused) != (self._book.overrides, self._book.paused):
            self._book = DutyBook(self.roster, overrides.agents, overrides.paused)
        return Desk(self._book, states, queued)

    def rules(self, source: str) -> SourceRules:
        return self.sources.get(source, self.other_sources)

    def say(self, now: float, key: str, conversation: Conversation, **values: Any) -> str:
        """The customer's text, in their language, with times in the team's zone."""
        if "opens_at" in values:
            team = self.roster.teams.get(conversation.team or "")
            zone = team.timezone if team else "UTC"
            values["opens_at"] = partial(opening_time, values["opens_at"], zone, now)
        return self.texts.get(key, conversation.language, **values)  # type: ignore[arg-type]

    def leads(self, team: str | None) -> tuple[str, ...]:
        """Whom alerts of a team go to; of no team: to all leads."""
        known = self.roster.teams.get(team or "")
        return (
            known.leads
            if known
            else tuple(dict.fromkeys(lead for one in self.roster.teams.values() for lead in one.leads))
        )

    def new_id(self) -> str:
        """For a message: unguessable, without meaning."""
        return secrets.token_hex(12)
