"""Steps that several decisions share: placing, moving and ending a conversation, telling the customer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.domain.conversation.desk import Placed
from bridge.domain.conversation.facts import Delivered, Facts
from bridge.domain.conversation.masking import mask
from bridge.domain.conversation.model import Chosen, Conversation, News, Note, Plan, Said, Send, SourceRules
from bridge.domain.conversation.splitting import split_text

KEPT_READABLE_SECONDS = (
    600  # after an end by the agent or the source the customer may still read (contract 7)
)
_END_TEXTS = {"agent": "ended_by_agent", "idle": "ended_idle"}


def settle_place(plan: Plan, facts: Facts) -> None:
    """Gives a waiting conversation to an agent where there is one, else queues it and tells the customer."""
    conversation = plan.conversation
    place = facts.desk.place_again(
        conversation, facts.now, excluding=json.loads(conversation.tried), never=facts.refused_by
    )
    conversation.team = place.team
    if place.agent is not None and facts.desk.must_queue(place.team):
        wait(plan, facts)  # behind the others; when they were looked at, in this round, it is told or served
        return
    plan.chosen.append(Chosen(place.team, place.agent, place.reason, place.passed_over))
    if place.agent is None:
        queue(plan, facts, place)
    else:
        give(plan, facts, place)


def give(plan: Plan, facts: Facts, place: Placed, handed: Mapping[str, Any] | None = None) -> None:
    """`handed`: from whom and why, where the conversation was somebody else's."""
    conversation, now = plan.conversation, facts.now
    assert place.agent is not None
    if conversation.status == "queued":
        facts.desk.left(conversation.team)
    conversation.status, conversation.agent, conversation.agent_email = "open", place.agent, place.email
    conversation.given_at, conversation.agent_at, conversation.asked_at = now, None, None
    first = conversation.opened_at is None
    conversation.opened_at = conversation.opened_at or now
    conversation.owed_at = now if conversation.customer_at is not None else None
    conversation.told, conversation.opens_at = None, None
    facts.desk.given(place.agent, now)
    moved = conversation.tried != "[]"  # so this person, maybe by another name, may have had it before
    got = facts.delivered(place.email or "") if moved else Delivered()
    for said in [*facts.history, *(one for one in plan.said if one.author == "customer")]:
        plan.sends.extend(_missing(sends_for(said, facts.rules), got))
    plan.notes.append(
        Note("card", place.email, {"waited": round(now - conversation.created_at), **(handed or {})})
    )
    plan.news.append(News("conversation.opened", {"agent": {"name": place.name}}))
    plan.log.append(
        (
            "conversation.opened",
            {"agent": place.agent, "team": place.team, "reason": place.reason}
            | ({"waited": round(now - conversation.created_at, 3)} if first else {}),
        )
    )


def _missing(sends: Sequence[Send], got: Delivered) -> list[Send]:
    """What of one message an agent has not got, or may not have got."""
    return [
        replace(send, doubt=(send.seq, send.part) in got.doubtful)
        for send in sends
        if send.seq not in got.seqs and (send.seq, send.part) not in got.parts
    ]


def wait(plan: Plan, facts: Facts) -> None:
    """A place in the queue; who had an agent before keeps the one from then."""
    conversation = plan.conversation
    if conversation.status == "queued":
        return
    facts.desk.joined(conversation.team or "")
    conversation.status, conversation.told, conversation.alerted_at = "queued", None, None
    conversation.queued_at = conversation.queued_at or facts.now


def queue(plan: Plan, facts: Facts, place: Placed) -> None:
    """Waits, and the customer is told so: once, and again when what they were told is no longer true."""
    conversation = plan.conversation
    wait(plan, facts)
    told = told_of(place)
    if (conversation.told, conversation.opens_at) == told:
        return
    conversation.told, conversation.opens_at = told
    tell(plan, facts, told[0], opens_at=place.opens_at, team=place.team, position=place.position)
    plan.news.append(News("conversation.queued", {"opensAt": place.opens_at}))
    plan.log.append(("conversation.queued", {"team": place.team, "reason": place.reason}))


def told_of(place: Placed) -> tuple[str, float | None]:
    return "closed" if place.closed else "queued", place.opens_at


def move(plan: Plan, facts: Facts, place: Placed, why: str) -> None:
    """From one agent to the next, with everything the customer has said; the former one is told."""
    former, name = plan.conversation.agent_email, place.name
    handed = {"from": facts.desk.agent_name(plan.conversation.agent), "why": why}
    take_back(plan, facts)
    plan.chosen.append(Chosen(place.team, place.agent, place.reason, place.passed_over))
    tell(plan, facts, "no_answer" if why == "no answer" else "moved", agent=name, team=place.team)
    give(plan, facts, place, handed)
    plan.notes.append(Note("moved", former, {"to": name, "why": why}))
    plan.log.append(("conversation.transferred", {"agent": place.agent, "why": why}))


def transfer(plan: Plan, facts: Facts, to: str, by: str, *, hand_over: bool = False) -> None:
    """To a person or a team on duty, as an agent or a lead (`by`, an e-mail) asks; a refusal is explained.

    `hand_over`: to whoever is next (`to` is not looked at): the button 'Not me'.
    """
    conversation = plan.conversation
    if conversation.status == "ended":
        plan.notes.append(Note("not-transferred", by, {"to": to, "why": "the conversation is over"}))
        return
    agent = conversation.agent
    tried = [*json.loads(conversation.tried), agent] if hand_over and agent else [agent] if agent else []
    place = facts.desk.place_for(conversation, facts.now, None if hand_over else to, excluding=tried)
    if place.agent is None:
        plan.notes.append(Note("not-transferred", by, {"to": to, "why": place.reason}))
    elif conversation.status == "open":
        move(plan, facts, place, why="transfer")
    else:
        plan.chosen.append(Chosen(place.team, place.agent, place.reason, place.passed_over))
        give(plan, facts, place)


def take_back(plan: Plan, facts: Facts) -> None:
    """The present agent no longer has the conversation; what was not sent yet is not sent to them."""
    conversation = plan.conversation
    if conversation.agent:
        facts.desk.freed(conversation.agent)
        conversation.tried = json.dumps([*json.loads(conversation.tried), conversation.agent])
    conversation.agent, conversation.agent_email = None, None
    plan.drop_sends = True


def end(plan: Plan, facts: Facts, reason: str) -> None:
    """`reason`: customer | agent | source | idle | replaced. What an agent was to get is still delivered."""
    conversation = plan.conversation
    if conversation.status == "ended":
        return
    if conversation.status == "open" and conversation.agent:
        facts.desk.freed(conversation.agent)
        plan.notes.append(Note("ended", conversation.agent_email, {"reason": reason}))
    else:
        plan.undelivered = True
        for said in facts.history:
            if said.delivery == "pending":
                plan.news.append(
                    News("message.failed", {"messageId": said.id, "reason": "nobody could take it"})
                )
        if conversation.status == "queued":
            facts.desk.left(conversation.team)
    if reason not in ("customer", "replaced"):
        name = facts.desk.agent_name(conversation.agent)
        tell(plan, facts, _END_TEXTS.get(reason, "ended"), agent=name)
    conversation.status, conversation.accepting = "ended", 0
    conversation.ended_at, conversation.end_reason = facts.now, reason
    readable = KEPT_READABLE_SECONDS if reason in ("agent", "source") else 0
    if conversation.key_dead_at is None:
        conversation.key_dead_at = facts.now + readable
    plan.news.append(News("conversation.ended", {"endReason": reason}))
    plan.log.append(("conversation.ended", {"reason": reason}))


def tell(plan: Plan, facts: Facts, key: str, **values: Any) -> None:
    """A `system` message: the bridge's own words to the customer, in their language."""
    said = Said(
        seq=next_seq(plan.conversation),
        id=facts.new_id(),
        author="system",
        text=facts.say(key, plan.conversation, **values),
        at=facts.now,
    )
    plan.said.append(said)
    plan.news.append(message_news(said))


def sends_for(said: Said, rules: SourceRules) -> list[Send]:
    """What one of the customer's messages becomes in Webex: parts of its text, then its files, one each."""
    sends = [Send(said.seq, part, None, False) for part in split_text(mask(said.text, rules.mask)) if part]
    sends += [Send(said.seq, None, _masked(file, rules), False) for file in said.files]
    return [replace(send, part=part, last=part == len(sends) - 1) for part, send in enumerate(sends)]


def _masked(file: Mapping[str, Any], rules: SourceRules) -> Mapping[str, Any]:
    """A file under a name that may leave for Webex. One that Webex fetches itself has none but its address."""
    return {**file, "name": mask(str(file["name"]), rules.mask)} if rules.mask and "name" in file else file


def message_news(said: Said, name: str | None = None) -> News:
    return News("message.created", {"said": said, "name": name})


def next_seq(conversation: Conversation) -> int:
    conversation.last_seq += 1
    return conversation.last_seq


def overtaken(body: Mapping[str, Any], plan: Plan) -> bool:
    """Whether somebody asked this (`by`, by the bot) of a conversation that its `agent` has lost meanwhile."""
    if body.get("agent", plan.conversation.agent) == plan.conversation.agent:
        return False
    if plan.conversation.status != "ended":
        plan.notes.append(Note("late", body["by"], {"why": "moved", "asked": True}))
    return True
