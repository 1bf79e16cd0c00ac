"""What an agent does in the 1:1, what the bot is asked for, and what Webex refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.domain.conversation.facts import SHOWN, Facts
from bridge.domain.conversation.model import GivenUp, Held, News, Note, Plan, Revision, Said
from bridge.domain.conversation.steps import (
    end,
    message_news,
    next_seq,
    overtaken,
    settle_place,
    take_back,
    tell,
    transfer,
)
from bridge.domain.conversation.thread_words import DONE, HELP, NOTE, TRANSFER, Command, parted


def heard(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """An agent wrote in the 1:1. Only plain words of the present agent, in time, reach the customer."""
    conversation, text, email = plan.conversation, body["text"], body["agent_email"]
    words, command = parted(text)
    present = conversation.agent_email == email
    away = body.get("away", False)
    if not body["in_time"] or away or conversation.status != "open" or not present:
        plan.held.append(Held("late", text, email, body["message_id"]))
        plan.log.append(("reply.held", {"why": "late"}))
        why = "over"
        if conversation.status == "open" and body["in_time"]:
            why = "away" if present else "moved"
        plan.notes.append(Note("late", email, {"why": why}))
    elif body.get("unread"):
        _unread(body, plan, facts)
    elif body.get("card"):
        _card(body, plan)
    else:
        if not command and _nothing_left(words, body):
            _answered(plan, facts)
        elif words or not command:  # files go with the words; those of a lone command are for nobody
            _reply(words, None if command else body.get("html"), plan, facts, body)
        if command:
            _command(command, plan, facts, body, None if words else body["message_id"])
        _refused_files(body, plan, facts, shown=bool(words or not command))


def _nothing_left(words: str, body: Mapping[str, Any]) -> bool:
    """Whether files were all of it, and none can be given: an empty message tells the customer nothing."""
    return bool(body.get("refused_files")) and not (words or body.get("files"))


def _refused_files(body: Mapping[str, Any], plan: Plan, facts: Facts, *, shown: bool) -> None:
    for refused in body.get("refused_files", ()):
        # Older versions kept the reason alone.
        file = {"reason": refused} if isinstance(refused, str) else refused
        if shown:
            tell(plan, facts, "file_refused", file=file.get("name"))
        plan.notes.append(Note("file-refused", body["agent_email"], file))


def _unread(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """Webex lists the message and does not give its words: both sides are told, and what follows is heard."""
    plan.held.append(Held("unread", "", body["agent_email"], body["message_id"]))
    plan.log.append(("reply.held", {"why": "unread"}))
    tell(plan, facts, "not_shown")
    plan.notes.append(Note("unread", body["agent_email"]))


def _card(body: Mapping[str, Any], plan: Plan) -> None:
    """A card alone says nothing on a customer's page: it is no answer, and its sender is told."""
    plan.held.append(Held("card", "", body["agent_email"], body["message_id"]))
    plan.log.append(("reply.held", {"why": "card"}))
    plan.notes.append(Note("card-held", body["agent_email"]))


def _reply(text: str, html: str | None, plan: Plan, facts: Facts, body: Mapping[str, Any]) -> None:
    conversation = plan.conversation
    said = Said(
        seq=next_seq(conversation),
        id=facts.new_id(),
        author="agent",
        text=text,
        html=html,
        files=tuple(body.get("files", ())),
        at=facts.now,
        agent=conversation.agent,
        webex_id=body["message_id"],
    )
    plan.said.append(said)
    plan.news.append(message_news(said, facts.desk.agent_name(conversation.agent)))
    _answered(plan, facts)


def _answered(plan: Plan, facts: Facts) -> None:
    conversation = plan.conversation
    first = conversation.agent_at is None and conversation.tried == "[]"
    after = {"after": round(facts.now - conversation.created_at, 3)} if first else {}
    plan.log.append(("reply.heard", {"agent": conversation.agent, **after}))
    conversation.agent_at, conversation.asked_at, conversation.owed_at = facts.now, None, None
    conversation.warned_at = None


def _command(command: Command, plan: Plan, facts: Facts, body: Mapping[str, Any], only: str | None) -> None:
    """Whatever starts with a slash is never relayed, known or not. `only`: the message, if it is nothing else."""
    email = body["agent_email"]
    if not command.known:
        plan.held.append(Held("unknown-command", command.text, email, only))
        plan.notes.append(Note("unknown-command", email, {"word": command.word[:40]}))
        plan.log.append(("reply.held", {"why": "unknown command"}))
        return
    if command.word == NOTE:
        plan.held.append(Held("note", command.note, email, only))
        plan.log.append(("reply.held", {"why": "note"}))
        return
    plan.held.append(Held("command", command.text, email, only))
    if command.word == DONE:
        end(plan, facts, "agent")
    elif command.word == TRANSFER:
        transfer(plan, facts, command.rest, email)
    elif command.word == HELP:
        plan.notes.append(Note("help", email))


def revised(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """An edit or a deletion. What the customer has is changed; what was only held is heard as if it were new."""
    fate = facts.fate(body["message_id"])
    if fate == SHOWN:
        _revise(body, plan)
    elif fate is not None:
        # What came too late still does: the edit is no later than the words that it mends.
        heard({**body, "away": body.get("away", False) or fate == "late"}, plan, facts)


def _revise(body: Mapping[str, Any], plan: Plan) -> None:
    """A command that is edited into words that were relayed is held, not done and not relayed."""
    words, command = parted(body["text"])
    if command:
        plan.held.append(Held("unknown-command", command.text, body["agent_email"]))
        fields = {"edited": True, "words": bool(words)}
        plan.notes.append(Note("unknown-command", body["agent_email"], fields))
        if not words:
            return
    if plan.conversation.status != "ended":
        html = None if command else body.get("html")
        plan.revisions.append(Revision(body["message_id"], words, html))
        plan.log.append(("reply.revised", {"agent": plan.conversation.agent}))


def agent_refused(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """Webex will not let this guest write to the agent: the customer goes to the next. `blamed`: it was not the
    only guest, so the agent is out of rotation."""
    what, blamed = {"agent": body["agent"], "reason": body["reason"]}, body.get("blamed", True)
    if blamed:
        facts.desk.refused(body["agent"], body["reason"], facts.now)
    plan.log.append(("agent.refused" if blamed else "customer.refused", what))
    plan.notes.append(Note("refused", None, {**what, "blamed": blamed}))
    if plan.conversation.status == "ended" and plan.conversation.agent == body["agent"]:
        _give_up(body, plan, facts)
    if plan.conversation.status == "open" and plan.conversation.agent == body["agent"]:
        plan.notes.append(Note("moved", plan.conversation.agent_email, {"to": None, "why": "refused"}))
        take_back(plan, facts)
        settle_place(plan, facts)


def _give_up(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """The conversation is over, so nobody else gets these words: they failed, and are kept as a dead letter."""
    if "delivery" not in body:  # an older version did not say which
        return
    plan.given_up.append(GivenUp(body["delivery"], body["seq"], body["reason"]))
    failed = {said.seq for said in facts.history if said.delivery == "failed"}
    if body["seq"] not in failed:  # once, of however many parts
        plan.news.append(News("message.failed", {"messageId": body["message_id"], "reason": body["reason"]}))
    plan.log.append(("delivery.given_up", {"delivery": body["delivery"], "reason": body["reason"]}))


def transferred(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    if not overtaken(body, plan):
        transfer(plan, facts, body["to"], body["by"], hand_over=body.get("hand_over", False))
