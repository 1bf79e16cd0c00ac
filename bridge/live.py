"""The configuration in force, as the parts need it. A changed file makes a new Live; the old one is dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jmespath

from bridge.calendars import with_calendars
from bridge.callbacks import Target
from bridge.domain.desk import AgentState, Desk, DutyBook
from bridge.domain.model import Conversation, SourceRules
from bridge.domain.roster import Roster
from bridge.domain.signing import decode_secret
from bridge.store.guests import Budget
from bridge.store.overrides import Overrides
from bridge.wording import opening_time
from config.load import Loaded
from config.models import Source
from config.texts import Texts
from handlers.sources import SourceView


@dataclass(slots=True)
class Live:
    """Everything that is derived from one valid configuration."""

    loaded: Loaded
    roster: Roster
    texts: Texts
    book: DutyBook
    sources: dict[str, SourceView]
    targets: dict[str, Target]
    now: Callable[[], float]
    problems: tuple[str, ...] = ()
    _rules: dict[str, SourceRules] = field(default_factory=dict)

    def desk(self, states: dict[str, AgentState], queued: Counter[str], overrides: Overrides) -> Desk:
        """The desk of one round; changed overrides make a new book."""
        if (overrides.agents, overrides.paused) != (self.book.overrides, self.book.paused):
            self.book = DutyBook(self.roster, overrides.agents, overrides.paused)
        return Desk(self.book, states, queued)

    def leads(self, team: str | None) -> tuple[str, ...]:
        """Whom alerts of a team go to; of no team: to all leads."""
        known = self.roster.teams.get(team or "")
        return (
            known.leads
            if known
            else tuple(dict.fromkeys(lead for one in self.roster.teams.values() for lead in one.leads))
        )

    def rules(self, source: str) -> SourceRules:
        known = self._rules.get(source)
        if known is None:
            configured = self.loaded.config.sources.get(source)
            mask = tuple(self.loaded.config.privacy.mask)
            known = SourceRules(mask=mask)
            if configured:
                known = SourceRules(configured.idle_minutes * 60, configured.callback is not None, mask)
            self._rules[source] = known
        return known

    def say(self, key: str, conversation: Conversation, **values: Any) -> str:
        """The customer's text, in their language, with times in the team's zone."""
        if "opens_at" in values:
            team = self.roster.teams.get(conversation.team or "")
            zone = team.timezone if team else "UTC"
            values["opens_at"] = opening_time(values["opens_at"], zone, self.now(), conversation.language)
        return self.texts.get(key, conversation.language, **values)  # type: ignore[arg-type]

    @property
    def timers(self) -> dict[str, tuple[float, ...]]:
        """After which times something happens to a conversation by itself, by team and by source."""
        teams = {
            f"teams.{key}": (team.answer_within_seconds, team.alert_after_seconds)
            for key, team in self.roster.teams.items()
        }
        sources = self.loaded.config.sources
        return teams | {f"sources.{name}": (float(one.idle_minutes),) for name, one in sources.items()}

    def budget(self) -> Budget:
        webex = self.loaded.config.webex
        return Budget(webex.token_budget, webex.reissue_at)

    def agent_name(self, agent: str | None) -> str | None:
        known = self.roster.agents.get(agent or "")
        return known.name if known else agent


def make_live(loaded: Loaded, now: Callable[[], float]) -> Live:
    """Raises RotaError where a calendar cannot be used. Reads the calendars: call it in a thread."""
    roster, problems = with_calendars(loaded.roster, datetime.fromtimestamp(now(), UTC))
    config = loaded.config
    return Live(
        loaded=loaded,
        roster=roster,
        texts=Texts(config.messages),
        book=DutyBook(roster),
        sources={
            name: _view(name, source, config.namespace(name)) for name, source in config.sources.items()
        },
        targets={
            name: Target(
                source.callback.url,
                decode_secret(source.callback.secret.get_secret_value()),
                source.callback.allow_private,
            )
            for name, source in config.sources.items()
            if source.callback
        },
        now=now,
        problems=tuple(problems),
    )


def _view(name: str, source: Source, namespace: str) -> SourceView:
    return SourceView(
        name=name,
        scheme=source.auth.scheme,
        secrets=tuple(decode_secret(secret.get_secret_value()) for secret in source.auth.secrets),
        namespace=namespace,
        rename=source.rename,
        rate_per_minute=source.rate_per_minute,
        origins=frozenset(source.origins),
        share_guest_token=source.share_guest_token,
        max_file_bytes=int(source.files.max_mb * 1024 * 1024),
        file_types=tuple(source.files.types),
        map={key: jmespath.compile(expression) for key, expression in source.map.items()},
    )
