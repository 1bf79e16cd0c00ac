"""What time alone brings: no answer, a long wait, silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bridge.domain.conversation.facts import Facts
from bridge.domain.conversation.model import Note, Plan
from bridge.domain.conversation.steps import end, move, tell
from bridge.domain.conversation.timers import answer_deadline, idle_end, warning_seconds


def due(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    _due_idle(plan, facts)
    _due_answer(plan, facts)
    _due_alert(plan, facts)


def _due_answer(plan: Plan, facts: Facts) -> None:
    """The agent did not answer in time: the next one is asked, then the overflow, then the leads are told."""
    conversation = plan.conversation
    deadline = answer_deadline(conversation, facts.desk.rules(conversation))
    if deadline is None or facts.now < deadline or conversation.agent is None:
        return
    got = facts.delivered(conversation.agent_email or "")
    if got.pending and not got.seqs:  # Webex is down or throttles: they have not got a word to answer
        conversation.owed_at = facts.now
        return
    tried = [*json.loads(conversation.tried), conversation.agent]
    place = facts.desk.place(conversation, facts.now, excluding=tried, overflow_now=True)
    if place.agent is None:  # nobody else: it stays where it is, and is looked at again
        conversation.asked_at = facts.now
        plan.notes.append(Note("no-answer", None, {"agent": conversation.agent}))
        plan.log.append(("conversation.unanswered", {"agent": conversation.agent}))
        return
    move(plan, facts, place, why="no answer")


def _due_alert(plan: Plan, facts: Facts) -> None:
    conversation = plan.conversation
    after = facts.desk.rules(conversation).alert_after
    waits = conversation.status == "queued" and conversation.alerted_at is None
    if waits and after and facts.now >= (conversation.queued_at or 0) + after:
        conversation.alerted_at = facts.now
        plan.notes.append(
            Note("waiting", None, {"seconds": round(facts.now - (conversation.queued_at or 0))})
        )
        plan.log.append(("conversation.waiting", {"team": conversation.team}))


def _due_idle(plan: Plan, facts: Facts) -> None:
    conversation, rules = plan.conversation, facts.rules
    if conversation.status != "open" or not rules.idle_seconds:
        return
    if facts.now >= idle_end(conversation, rules):
        end(plan, facts, "idle")
    elif facts.now >= idle_end(conversation, rules) - warning_seconds(rules) and not conversation.warned_at:
        conversation.warned_at = facts.now
        left = idle_end(conversation, rules) - facts.now
        tell(plan, facts, "idle_warning", minutes=max(1, round(left / 60)))
        plan.log.append(("conversation.warned", {}))
