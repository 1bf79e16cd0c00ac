"""When something about a conversation must be looked at though nothing happens."""

from __future__ import annotations

from bridge.domain.conversation.desk import TeamRules
from bridge.domain.conversation.model import Conversation, SourceRules


def next_due(conversation: Conversation, rules: SourceRules, team: TeamRules) -> float | None:
    """When something about this conversation must be looked at though nothing happens, if ever."""
    moments: list[float] = []
    if conversation.status == "open" and rules.idle_seconds:
        end = idle_end(conversation, rules)
        moments.append(end if conversation.warned_at else max(end - warning_seconds(rules), 0))
    if (deadline := answer_deadline(conversation, team)) is not None:
        moments.append(deadline)
    if conversation.status == "queued" and team.alert_after and conversation.alerted_at is None:
        moments.append((conversation.queued_at or 0) + team.alert_after)
    return min(moments, default=None)


def answer_deadline(conversation: Conversation, team: TeamRules) -> float | None:
    """By when the present agent should have said something to words that they were given.

    It counts from the first of them: a customer who asks again does not wait longer for it.
    """
    begun = conversation.asked_at or conversation.owed_at
    if conversation.status != "open" or begun is None or not team.answer_within:
        return None
    return begun + team.answer_within


def idle_end(conversation: Conversation, rules: SourceRules) -> float:
    """The silence counts from the last word of either side: reading an answer takes time."""
    spoken = (
        conversation.customer_at,
        conversation.agent_at,
        conversation.opened_at,
        conversation.created_at,
    )
    return max(at for at in spoken if at is not None) + rules.idle_seconds


def warning_seconds(rules: SourceRules) -> float:
    return min(60.0, rules.idle_seconds / 4)
