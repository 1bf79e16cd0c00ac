"""What an agent does in the 1:1, what the bot is asked for, and what Webex refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unicodedata import category

from bridge.domain.facts import Facts
from bridge.domain.model import Held, Note, Plan, Revision, Said
from bridge.domain.steps import (
    end,
    message_news,
    next_seq,
    overtaken,
    settle_place,
    take_back,
    tell,
    transfer,
)

DONE = "/done"


def heard(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """An agent wrote in the 1:1. Only plain words of the present agent, in time, reach the customer."""
    conversation, text = plan.conversation, body["text"]
    words, command = _parted(text)
    present = conversation.agent_email == body["agent_email"]
    away = body.get("away", False)
    if not body["in_time"] or away or conversation.status != "open" or not present:
        plan.held.append(Held("late", text, body["agent_email"]))
        plan.log.append(("reply.held", {"why": "late"}))
        why = "over"
        if conversation.status == "open" and body["in_time"]:
            why = "away" if present else "moved"
        plan.notes.append(Note("late", body["agent_email"], {"why": why}))
    else:
        if words or not command:  # files go with the words; those of a lone command are for nobody
            _reply(words, None if command else body.get("html"), plan, facts, body)
        if command:
            _command(command, plan, facts, body)
    for reason in body.get("refused_files", ()):
        if words or not command:
            tell(plan, facts, "file_refused")
        plan.notes.append(Note("file-refused", body["agent_email"], {"reason": reason}))


def _parted(text: str) -> tuple[str, str]:
    """The words for the customer and the command, which goes from the first line with a slash to the end."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        shown = _visible(line)
        if shown.startswith(("/", "\uff0f")):
            command = "\n".join(["/" + shown[1:], *lines[index + 1 :]]).strip()
            return "\n".join(lines[:index]).strip(), command
    return text, ""


def _visible(line: str) -> str:
    """Without what stands before the first character that can be seen."""
    for index, character in enumerate(line):
        if not (character.isspace() or category(character) == "Cf" or character in "\u034f\u180e"):
            return line[index:]
    return ""


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
    plan.log.append(("reply.heard", {"agent": conversation.agent}))
    conversation.agent_at, conversation.asked_at, conversation.owed_at = facts.now, None, None
    conversation.warned_at = None


def _command(command: str, plan: Plan, facts: Facts, body: Mapping[str, Any]) -> None:
    """Whatever starts with a slash is never relayed, known or not."""
    first, _, more = command.partition("\n")
    word, _, rest = first.partition(" ")
    word, rest, email = word.lower(), rest.strip(), body["agent_email"]
    if word == "/note" and (note := f"{rest}\n{more}".strip()):
        plan.held.append(Held("note", note, email))
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


def revised(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """An edit or a deletion of words already relayed; a command that is edited in is not relayed either."""
    words, command = _parted(body["text"])
    if command:
        plan.held.append(Held("unknown-command", command, body["agent_email"]))
        plan.notes.append(Note("unknown-command", body["agent_email"], {"edited": True}))
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
    if plan.conversation.status == "open" and plan.conversation.agent == body["agent"]:
        plan.notes.append(Note("moved", plan.conversation.agent_email, {"to": None, "why": "refused"}))
        take_back(plan, facts)
        settle_place(plan, facts)


def transferred(body: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    if not overtaken(body, plan):
        transfer(plan, facts, body["to"], body["by"], hand_over=body.get("hand_over", False))
