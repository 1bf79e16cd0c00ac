"""The configuration in force where decisions are made, which may be another process than the service's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from bridge.domain.conversation.desk import AgentState, Desk
from bridge.domain.conversation.model import Conversation, SourceRules
from bridge.store.overrides import Overrides


class Policy(Protocol):
    """The configuration in force, as decisions need it. It goes to the process that writes: it must pickle."""

    def desk(self, states: dict[str, AgentState], queued: Counter[str], overrides: Overrides) -> Desk:
        """`queued`: how many wait, by team."""

    def rules(self, source: str) -> SourceRules: ...

    def say(self, now: float, key: str, conversation: Conversation, **values: Any) -> str:
        """The customer's text."""

    def leads(self, team: str | None) -> Sequence[str]:
        """The e-mails of a team's leads."""

    def new_id(self) -> str: ...


_policies: dict[str, Policy] = {}


@dataclass(frozen=True, slots=True)
class Adopted:
    """From now on the rounds of `owner` are decided by `policy`."""

    owner: str
    policy: Policy


def adopt(_: Connection, adopted: Sequence[Adopted]) -> list[None]:
    """Kept where rounds are worked, for it is large and seldom changes."""
    _policies.update({one.owner: one.policy for one in adopted})
    return [None] * len(adopted)


def policy_of(owner: str) -> Policy:
    return _policies[owner]
