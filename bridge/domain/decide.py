"""`decide(envelope, facts) -> Plan`: what one thing that happened leads to. Pure; taken once, never retried.

If a retry asked again, a shift change between two attempts could send one customer's words to two agents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.domain.desk import Desk, Placed, TeamRules
from bridge.domain.masking import mask
from bridge.domain.model import (
    Chosen,
    Conversation,
    Envelope,
    Held,
    News,
    Note,
    Plan,
    Revision,
    Said,
    Send,
    SourceRules,
)
from bridge.domain.splitting import split_text

KEPT_READABLE_SECONDS = (
    600  # after an end by the agent or the source the customer may still read (contract 7)
)
DONE = "/done"
_END_TEXTS = {"agent": "ended_by_agent", "idle": "ended_idle"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What of the customer's words an agent has got. `pending`: the rest is still on its way."""

    seqs: frozenset[int] = frozenset()
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store and the configuration know that a decision needs."""

    now: float
    desk: Desk
    rules: SourceRules
    say: Callable[..., str]  # (text key, language, **values) -> the customer's text
    history: Sequence[Said]  # the customer's own words so far, oldest first
    new_id: Callable[[], str]
    delivered: Callable[[str], Delivered] = lambda _: (
        Delivered()
    )  # to this agent (an e-mail), of this customer


def decide(envelope: Envelope, conversation: Conversation, facts: Facts) -> Plan:
    """The plan for one envelope of `conversation` as it stands."""
    plan = Plan(conversation=replace(conversation))
    _KINDS[envelope.kind](envelope.body, plan, facts)
    return _with_due(plan, facts)


def _with_due(plan: Plan, facts: Facts) -> Plan:
    rules = facts.desk.rules(plan.conversation)
    plan.conversation.due_at = next_due(plan.conversation, facts.rules, rules)
    return plan


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


# --- what happens to a conversation -----------------------------------------------------------------


def _requested(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    _customer_said(body, plan, facts)
    if plan.conversation.status == "new":
        settle_place(plan, facts)


def _customer_said(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    conversation = plan.conversation
    if body.get("displayName") and conversation.status != "ended":
        conversation.display_name = body["displayName"]
    parts = ([{"text": body["message"]}] if body.get("message") else []) + [
        {"file": file} for file in body.get("files", ())
    ]
    for index, part in enumerate(parts):
        said = Said(
            seq=_next_seq(conversation),
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


def _ended(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    if not _overtaken(body, plan):
        end(plan, facts, body["reason"])


def _overtaken(body: Mapping[str, Any], plan: Plan) -> bool:
    """Whether somebody asked this (`by`, by the bot) of a conversation that its `agent` has lost meanwhile."""
    if body.get("agent", plan.conversation.agent) == plan.conversation.agent:
        return False
    if plan.conversation.status != "ended":
        plan.notes.append(Note("late", body["by"], {"why": "moved", "asked": True}))
    return True


def _heard(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """An agent wrote in the 1:1. Only a plain reply of the present agent, in time, reaches the customer."""
    conversation, text = plan.conversation, body["text"]
    command = text.strip()
    if (
        not body["in_time"]
        or conversation.status != "open"
        or conversation.agent_email != body["agent_email"]
    ):
        plan.held.append(Held("late", text, body["agent_email"]))
        plan.log.append(("reply.held", {"why": "late"}))
        why = "moved" if conversation.status == "open" and body["in_time"] else "over"
        plan.notes.append(Note("late", body["agent_email"], {"why": why}))
    elif command.startswith("/"):
        _command(command, plan, facts, body)
    else:
        said = Said(
            seq=_next_seq(conversation),
            id=facts.new_id(),
            author="agent",
            text=text,
            html=body.get("html"),
            files=tuple(body.get("files", ())),
            at=facts.now,
            agent=conversation.agent,
            webex_id=body["message_id"],
        )
        plan.said.append(said)
        plan.news.append(message_news(said, facts.desk.agent_name(conversation.agent)))
        plan.log.append(("reply.heard", {"agent": conversation.agent}))
        conversation.agent_at, conversation.asked_at, conversation.owed_at = facts.now, None, None
        conversation.warned_at = None
    for reason in body.get("refused_files", ()):
        tell(plan, facts, "file_refused")
        plan.notes.append(Note("file-refused", body["agent_email"], {"reason": reason}))


def _command(command: str, plan: Plan, facts: Facts, body: Mapping[str, Any]) -> None:
    """Whatever starts with a slash is never relayed, known or not."""
    word, _, rest = command.partition(" ")
    word, rest, email = word.lower(), rest.strip(), body["agent_email"]
    if word == "/note" and rest:
        plan.held.append(Held("note", rest, email))
        plan.log.append(("reply.held", {"why": "note"}))
        return
    known = (word in (DONE, "/help") and not rest) or (word == "/transfer" and rest)
    plan.held.append(Held("command" if known else "unknown-command", command, email))
    if word == DONE and not rest:
        end(plan, facts, "agent")
    elif word == "/transfer" and rest:
        transfer(plan, facts, rest, email)
    elif word == "/help" and not rest:
        plan.notes.append(Note("help", email))
    else:
        plan.notes.append(Note("unknown-command", email, {"word": word[:40]}))
        plan.log.append(("reply.held", {"why": "unknown command"}))


def _revised(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """An edit or a deletion of words already relayed; an edit into a command is not relayed either."""
    text = body["text"]
    if text.strip().startswith("/"):
        plan.held.append(Held("unknown-command", text, body["agent_email"]))
        plan.notes.append(Note("unknown-command", body["agent_email"], {"edited": True}))
        return
    if plan.conversation.status != "ended":
        plan.revisions.append(Revision(body["message_id"], text, body.get("html")))
        plan.log.append(("reply.revised", {"agent": plan.conversation.agent}))


def _agent_refused(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """Webex will not let guests write to this agent: out of rotation, and the customer goes to the next."""
    facts.desk.refused(body["agent"], body["reason"], facts.now)
    plan.log.append(("agent.refused", {"agent": body["agent"], "reason": body["reason"]}))
    plan.notes.append(Note("refused", None, {"agent": body["agent"], "reason": body["reason"]}))
    if plan.conversation.status == "open" and plan.conversation.agent == body["agent"]:
        plan.notes.append(Note("moved", plan.conversation.agent_email, {"to": None, "why": "refused"}))
        take_back(plan, facts)
        settle_place(plan, facts)


def _delivery_failed(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    plan.news.append(News("message.failed", {"messageId": body["message_id"], "reason": body["reason"]}))
    if plan.conversation.status != "ended":
        tell(plan, facts, "not_delivered")


def _due(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
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


def _transferred(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    if not _overtaken(body, plan):
        transfer(plan, facts, body["to"], body["by"], hand_over=body.get("hand_over", False))


def _due_idle(plan: Plan, facts: Facts) -> None:
    conversation, rules = plan.conversation, facts.rules
    if conversation.status != "open" or not rules.idle_seconds:
        return
    if facts.now >= idle_end(conversation, rules):
        end(plan, facts, "idle")
    elif facts.now >= idle_end(conversation, rules) - warning_seconds(rules) and not conversation.warned_at:
        conversation.warned_at = facts.now
        plan.log.append(("conversation.warned", {}))


_KINDS: dict[str, Callable[[Mapping[str, Any], Plan, Facts], None]] = {
    "requested": _requested,
    "said": _customer_said,
    "ended": _ended,
    "heard": _heard,
    "revised": _revised,
    "agent-refused": _agent_refused,
    "delivery-failed": _delivery_failed,
    "transfer": _transferred,
    "due": _due,
}


# --- steps that several of them share ----------------------------------------------------------------


def settle_place(plan: Plan, facts: Facts) -> None:
    """Gives a waiting conversation to an agent where there is one, else queues it and tells the customer."""
    conversation = plan.conversation
    place = facts.desk.place_again(conversation, facts.now, excluding=json.loads(conversation.tried))
    conversation.team = place.team
    if place.agent is not None and facts.desk.must_queue(place.team):
        _wait(plan, facts)  # behind the others; when they were looked at, in this round, it is told or served
        return
    plan.chosen.append(Chosen(place.team, place.agent, place.reason, place.passed_over))
    if place.agent is None:
        _queue(plan, facts, place)
    else:
        _give(plan, facts, place)


def _give(plan: Plan, facts: Facts, place: Placed, handed: Mapping[str, Any] | None = None) -> None:
    """`handed`: from whom and why, where the conversation was somebody else's."""
    conversation, now = plan.conversation, facts.now
    assert place.agent is not None
    if conversation.status == "queued":
        facts.desk.left(conversation.team)
    conversation.status, conversation.agent, conversation.agent_email = "open", place.agent, place.email
    conversation.given_at, conversation.agent_at, conversation.asked_at = now, None, None
    conversation.opened_at = conversation.opened_at or now
    conversation.owed_at = now if conversation.customer_at is not None else None
    conversation.told, conversation.opens_at = None, None
    facts.desk.given(place.agent, now)
    had_it = place.agent in json.loads(conversation.tried)
    got = facts.delivered(place.email or "").seqs if had_it else frozenset()
    for said in [*facts.history, *(one for one in plan.said if one.author == "customer")]:
        if said.seq not in got:
            plan.sends.extend(sends_for(said, facts.rules))
    plan.notes.append(
        Note("card", place.email, {"waited": round(now - conversation.created_at), **(handed or {})})
    )
    plan.news.append(News("conversation.opened", {"agent": {"name": place.name}}))
    plan.log.append(
        ("conversation.opened", {"agent": place.agent, "team": place.team, "reason": place.reason})
    )


def _wait(plan: Plan, facts: Facts) -> None:
    """A place in the queue; who had an agent before keeps the one from then."""
    conversation = plan.conversation
    if conversation.status == "queued":
        return
    facts.desk.joined(conversation.team or "")
    conversation.status, conversation.told, conversation.alerted_at = "queued", None, None
    conversation.queued_at = conversation.queued_at or facts.now


def _queue(plan: Plan, facts: Facts, place: Placed) -> None:
    """Waits, and the customer is told so: once, and again when what they were told is no longer true."""
    conversation = plan.conversation
    _wait(plan, facts)
    told = _told(place)
    if (conversation.told, conversation.opens_at) == told:
        return
    conversation.told, conversation.opens_at = told
    tell(plan, facts, told[0], opens_at=place.opens_at, team=place.team, position=place.position)
    plan.news.append(News("conversation.queued", {"opensAt": place.opens_at}))
    plan.log.append(("conversation.queued", {"team": place.team, "reason": place.reason}))


def _told(place: Placed) -> tuple[str, float | None]:
    return "closed" if place.closed else "queued", place.opens_at


def move(plan: Plan, facts: Facts, place: Placed, why: str) -> None:
    """From one agent to the next, with everything the customer has said; the former one is told."""
    former, name = plan.conversation.agent_email, place.name
    handed = {"from": facts.desk.agent_name(plan.conversation.agent), "why": why}
    take_back(plan, facts)
    plan.chosen.append(Chosen(place.team, place.agent, place.reason, place.passed_over))
    tell(plan, facts, "no_answer" if why == "no answer" else "moved", agent=name, team=place.team)
    _give(plan, facts, place, handed)
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
        _give(plan, facts, place)


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
        seq=_next_seq(plan.conversation),
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
    sends += [Send(said.seq, None, file, False) for file in said.files]
    if sends:
        sends[-1] = replace(sends[-1], last=True)
    return sends


def message_news(said: Said, name: str | None = None) -> News:
    return News("message.created", {"said": said, "name": name})


def _next_seq(conversation: Conversation) -> int:
    conversation.last_seq += 1
    return conversation.last_seq


def look_again(
    conversation: Conversation, facts: Facts, ahead: Callable[[Conversation], int] = lambda _: 0
) -> Plan | None:
    """A waiting conversation when somebody may be free or the rota changed: the plan that changes something.

    `ahead`: how many wait in its team's queue in front of it.
    """
    plan = Plan(conversation=replace(conversation))
    place = facts.desk.place_again(conversation, facts.now, excluding=json.loads(conversation.tried))
    if place.team != conversation.team:
        facts.desk.left(conversation.team)
        facts.desk.joined(place.team)
        plan.conversation.team = place.team
    if place.agent is not None:
        plan.chosen.append(Chosen(place.team, place.agent, place.reason, place.passed_over))
        _give(plan, facts, place)
    elif (conversation.told, conversation.opens_at) != _told(place):
        _queue(plan, facts, replace(place, position=ahead(plan.conversation) + 1))
    elif place.team == conversation.team:
        return None
    return _with_due(plan, facts)
