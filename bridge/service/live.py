"""The configuration in force, as the parts need it. A changed file makes a new Live; the old one is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jmespath

from bridge.domain.conversation.model import SourceRules
from bridge.domain.duty.roster import Roster
from bridge.domain.signing import decode_secret
from bridge.service.calendars import with_calendars
from bridge.service.policy import Policy
from bridge.stages.receiver import Target
from bridge.store.guests import Budget
from config.load import Loaded
from config.models import Callback, Source
from config.senders import sending_of
from config.texts import Texts
from handlers.sources import SourceView


@dataclass(slots=True)
class Live:
    """Everything that is derived from one valid configuration."""

    loaded: Loaded
    roster: Roster
    policy: Policy
    sources: dict[str, SourceView]
    targets: dict[str, Target]
    problems: tuple[str, ...] = ()

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
        policy=_policy(loaded, roster),
        sources={
            name: _view(name, source, config.namespace(name)) for name, source in config.sources.items()
        },
        targets={
            name: target_of(source.callback) for name, source in config.sources.items() if source.callback
        },
        problems=tuple(problems),
    )


def target_of(callback: Callback) -> Target:
    """Makes the receiver of a source from its configuration."""
    return Target(
        callback.url,
        tuple(decode_secret(secret.get_secret_value()) for secret in callback.every_secret),
        callback.allow_private,
        {name: secret.get_secret_value() for name, secret in callback.headers.items()},
    )


def _policy(loaded: Loaded, roster: Roster) -> Policy:
    mask = tuple(loaded.config.privacy.mask)
    sources = {
        name: SourceRules(source.idle_minutes * 60, source.callback is not None, mask)
        for name, source in loaded.config.sources.items()
    }
    return Policy(roster, Texts(loaded.config.messages), sources, SourceRules(mask=mask))


def _view(name: str, source: Source, namespace: str) -> SourceView:
    sending, handshake = sending_of(source), source.auth.handshake
    return SourceView(
        name=name,
        of_pages=source.auth.scheme == "page",
        scheme=sending.scheme,
        answer=source.answer,
        body=sending.body,
        json_fields=source.json_fields,
        at=_compiled(source.auth.at),
        id=_compiled(sending.id),
        nothing=_compiled(sending.nothing),
        verify_token=handshake.verify_token.get_secret_value().encode() if handshake else None,
        namespace=namespace,
        rename=source.rename,
        rate_per_minute=source.rate_per_minute,
        origins=frozenset(source.origins),
        share_guest_token=source.share_guest_token,
        max_file_bytes=int(source.files.max_mb * 1024 * 1024),
        file_types=tuple(source.files.types),
        map={key: jmespath.compile(expression) for key, expression in source.map.items()},
    )


def _compiled(expression: str | None) -> Any:
    return jmespath.compile(expression) if expression else None
