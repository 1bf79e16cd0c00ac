"""A desk, the facts around it, and short ways to say what happened."""

from __future__ import annotations

import itertools

from bridge.domain.conversation.decide import decide
from bridge.domain.conversation.desk import Desk, DutyBook
from bridge.domain.conversation.facts import SHOWN, Facts
from bridge.domain.conversation.model import Conversation, Envelope, Said, SourceRules
from bridge.domain.duty.roster import Agent, Roster, Route, Team

NOW = 1_795_300_000.0  # a Sunday


def roster(**team) -> Roster:
    agents = {key: Agent(key, f"{key}@example.com", key.title()) for key in ("amy", "bo", "cy")}
    agents["bo"] = Agent("bo", "bo@example.com", "Bo", capacity=1)
    front = Team("front", "Europe/London", ("amy", "bo"), **team)
    back = Team("back", "Europe/London", ("cy",))
    return Roster(agents, {"front": front, "back": back}, (Route("front"),))


def conversation(**values) -> Conversation:
    base = Conversation("c1", "kiosk", "cust", "ada", "Ada", "g1", "new", 1, NOW - 5)
    for name, value in values.items():
        setattr(base, name, value)
    return base


class Table:
    """A desk and the facts around it."""

    def __init__(self, *, now=NOW, rules=None, states=(), fate=SHOWN, **team):
        self.desk = Desk(DutyBook(roster(**team)), {state.key: state for state in states})
        self.now = now
        self.rules = rules or SourceRules(idle_seconds=300, callback=True)
        self.history: list[Said] = []
        self.fate = fate
        self._ids = itertools.count()

    def facts(self):
        return Facts(
            now=self.now,
            desk=self.desk,
            rules=self.rules,
            say=lambda key, _conversation, **values: f"<{key}>",
            history=self.history,
            new_id=lambda: f"id{next(self._ids)}",
            fate=lambda _message: self.fate,
        )

    def decide(self, kind, body, before):
        return decide(Envelope(1, "k", "in:cust", kind, before.id, body, self.now), before, self.facts())


def said(message="hello", **more):
    return {"ids": ["m1"], "at": NOW, "message": message, **more}


def heard(text, **more):
    return {
        "text": text,
        "html": None,
        "message_id": "w1",
        "agent_email": "amy@example.com",
        "in_time": True,
        **more,
    }


def opened(table: Table, **values) -> Conversation:
    plan = table.decide("requested", said(), conversation(**values))
    assert plan.conversation.status == "open"
    return plan.conversation
