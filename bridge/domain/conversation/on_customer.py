"""What a customer, or their source, does: asks, says, ends; and words that could not be delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.domain.conversation.facts import Facts
from bridge.domain.conversation.model import News, Plan, Said
from bridge.domain.conversation.steps import (
    end,
    message_news,
    next_seq,
    overtaken,
    sends_for,
    settle_place,
    tell,
)


def requested(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    customer_said(body, plan, facts)
    if plan.conversation.status == "new":
        settle_place(plan, facts)


def customer_said(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    conversation = plan.conversation
    if body.get("displayName") and conversation.status != "ended":
        conversation.display_name = body["displayName"]
    parts = ([{"text": body["message"]}] if body.get("message") else []) + [
        {"file": file} for file in body.get("files", ())
    ]
    for index, part in enumerate(parts):
        said = Said(
            seq=next_seq(conversation),
            id=body["ids"][index] if index < len(body.get("ids", ())) else facts.new_id(),
            author="customer",
            text=part.get("text", ""),
            files=(part["file"],) if "file" in part else (),
            at=body["at"],
            delivery="pending",
        )
        if conversation.status == "ended" and not conversation.agent:
            said = replace(said, delivery="failed")
            plan.news.append(
                News("message.failed", {"messageId": said.id, "reason": "the conversation has ended"})
            )
        plan.said.append(said)
        plan.news.append(message_news(said))
        # Words accepted just before the agent's own end was read still reach that agent.
        if conversation.agent:
            plan.sends.extend(sends_for(said, facts.rules))
    if parts and conversation.status != "ended":
        conversation.customer_at = body["at"]
        conversation.warned_at = None
        if conversation.agent and conversation.agent_at is None and conversation.owed_at is None:
            conversation.owed_at = body["at"]


def ended(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    if not overtaken(body, plan):
        end(plan, facts, body["reason"])


def delivery_failed(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    plan.news.append(News("message.failed", {"messageId": body["message_id"], "reason": body["reason"]}))
    if plan.conversation.status != "ended":
        tell(plan, facts, "not_delivered")
