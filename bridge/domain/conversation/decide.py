"""`decide(envelope, facts) -> Plan`: what one thing that happened leads to. Pure; taken once, never retried.

If a retry asked again, a shift change between two attempts could send one customer's words to two agents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bridge.domain.conversation.facts import Facts
from bridge.domain.conversation.model import Chosen, Conversation, Envelope, Plan
from bridge.domain.conversation.on_agent import agent_refused, heard, revised, transferred
from bridge.domain.conversation.on_customer import customer_said, delivery_failed, ended, requested
from bridge.domain.conversation.on_time import due
from bridge.domain.conversation.steps import give, queue, told_of
from bridge.domain.conversation.timers import next_due


def decide(envelope: Envelope, conversation: Conversation, facts: Facts) -> Plan:
    """The plan for one envelope of `conversation` as it stands."""
    plan = Plan(conversation=conversation.copy())
    _KINDS[envelope.kind](envelope.body, plan, facts)
    return _with_due(plan, facts)


def look_again(
    conversation: Conversation, facts: Facts, ahead: Callable[[Conversation], int] = lambda _: 0
) -> Plan | None:
    """A waiting conversation when somebody may be free or the rota changed: the plan that changes something.

    `ahead`: how many wait in its team's queue in front of it.
    """
    plan = Plan(conversation=conversation.copy())
    place = facts.desk.place_again(
        conversation, facts.now, excluding=json.loads(conversation.tried), never=facts.refused_by
    )
    if place.team != conversation.team:
        facts.desk.left(conversation.team)
        facts.desk.joined(place.team)
        plan.conversation.team = place.team
    if place.agent is not None:
        plan.chosen.append(Chosen(place.team, place.agent, place.reason, place.passed_over))
        give(plan, facts, place)
    elif (conversation.told, conversation.opens_at) != told_of(place):
        queue(plan, facts, replace(place, position=ahead(plan.conversation) + 1))
    elif place.team == conversation.team:
        return None
    return _with_due(plan, facts)


def _with_due(plan: Plan, facts: Facts) -> Plan:
    rules = facts.desk.rules(plan.conversation)
    plan.conversation.due_at = next_due(plan.conversation, facts.rules, rules)
    return plan


_KINDS: dict[str, Callable[[Mapping[str, Any], Plan, Facts], None]] = {
    "requested": requested,
    "said": customer_said,
    "ended": ended,
    "heard": heard,
    "revised": revised,
    "agent-refused": agent_refused,
    "delivery-failed": delivery_failed,
    "transfer": transferred,
    "due": due,
}
