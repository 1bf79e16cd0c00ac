"""What one thing that happened leads to."""

from __future__ import annotations

import itertools
import json

import pytest

from bridge.domain.decide import Facts, decide, idle_end, look_again
from bridge.domain.desk import AgentState, Desk, DutyBook
from bridge.domain.model import Conversation, Envelope, Said, SourceRules
from bridge.domain.roster import Agent, Roster, Route, Team

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

    def __init__(self, *, now=NOW, rules=None, states=(), **team):
        self.desk = Desk(DutyBook(roster(**team)), {state.key: state for state in states})
        self.now = now
        self.rules = rules or SourceRules(idle_seconds=300, callback=True)
        self.history: list[Said] = []
        self._ids = itertools.count()

    def facts(self):
        return Facts(
            now=self.now,
            desk=self.desk,
            rules=self.rules,
            say=lambda key, _conversation, **values: f"<{key}>",
            history=self.history,
            new_id=lambda: f"id{next(self._ids)}",
        )

    def decide(self, kind, body, before):
        return decide(Envelope(1, "k", "in:cust", kind, before.id, body, self.now), before, self.facts())


def said(message="hello", **more):
    return {"ids": ["m1"], "at": NOW, "message": message, **more}


def heard(text, **more):
    return {"text": text, "html": None, "message_id": "w1", "agent_email": "amy@example.com", "in_time": True, **more}


def opened(table: Table, **values) -> Conversation:
    plan = table.decide("requested", said(), conversation(**values))
    assert plan.conversation.status == "open"
    return plan.conversation


def test_a_new_customer_goes_to_an_agent_with_their_words_and_nothing_else():
    """The first message is sent as it is; what the bridge knows besides never goes into their mouth."""
    plan = Table().decide("requested", said("My order"), conversation(store="S12", topic="returns"))
    assert (plan.conversation.status, plan.conversation.agent_email) == ("open", "amy@example.com")
    assert [(send.seq, send.text, send.last) for send in plan.sends] == [(1, "My order", True)]
    assert [news.type for news in plan.news] == ["message.created", "conversation.opened"]
    assert plan.chosen[0].agent == "amy"


def test_without_a_word_nothing_is_sent():
    """A conversation without a message yet has an agent, and costs no delivery."""
    plan = Table().decide("requested", {"ids": [], "at": NOW}, conversation())
    assert plan.conversation.status == "open"
    assert plan.sends == []


def test_the_given_conversation_is_not_touched():
    """A decision works on a copy: what it was given is as it was."""
    before = conversation()
    Table().decide("requested", said(), before)
    assert before.status == "new" and before.last_seq == 0


def test_two_customers_do_not_get_the_same_last_place():
    """Within one round the desk counts what it gave: Bo has one place."""
    table = Table(states=[AgentState("amy", refused="no", refused_until=NOW + 99)])
    first = table.decide("requested", said(), conversation())
    second = table.decide("requested", said(), conversation(id="c2", customer="c2"))
    assert first.conversation.agent == "bo"
    assert second.conversation.status == "queued"
    assert second.said[-1].text == "<queued>"


def test_a_closed_team_says_when_it_opens():
    """Nobody on duty because the team is closed: told `closed`, with the time."""
    from bridge.domain.roster import Window

    plan = Table(hours=(Window(frozenset({0}), 540, 1020),)).decide("requested", said(), conversation())
    assert plan.conversation.status == "queued"
    assert plan.conversation.opens_at > NOW
    assert [one.text for one in plan.said if one.author == "system"] == ["<closed>"]


def test_who_waits_is_told_once():
    """Looking again changes nothing and says nothing while nothing changed."""
    table = Table(states=[AgentState(key, refused="no", refused_until=NOW + 99) for key in ("amy", "bo")])
    waiting = table.decide("requested", said(), conversation()).conversation
    assert look_again(waiting, table.facts()) is None


def test_a_waiting_customer_gets_everything_said_so_far_to_the_agent():
    """When somebody is free, all words go, in order."""
    table = Table(states=[AgentState(key, refused="no", refused_until=NOW + 99) for key in ("amy", "bo")])
    waiting = table.decide("requested", said("one"), conversation()).conversation
    table.desk.states["amy"] = AgentState("amy")
    table.history = [Said(1, "m1", "customer", "one", NOW), Said(3, "m2", "customer", "two", NOW)]
    plan = look_again(waiting, table.facts())
    assert [send.text for send in plan.sends] == ["one", "two"]


def test_an_agents_reply_reaches_the_customer():
    """A plain reply of the present agent becomes an item and news with the agent's name."""
    table = Table()
    plan = table.decide("heard", heard("Hi!"), opened(table))
    assert [(one.author, one.text, one.webex_id) for one in plan.said] == [("agent", "Hi!", "w1")]
    assert plan.news[0].data["name"] == "Amy"


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({}, {"in_time": False}),
        ({}, {"agent_email": "bo@example.com"}),
        ({"status": "ended"}, {}),
        ({"status": "queued", "agent": None, "agent_email": None}, {}),
    ],
)
def test_late_words_are_held(changed, body):
    """From before, from a former agent, after the end: kept, shown to nobody, and the agent is told."""
    table = Table()
    before = opened(table)
    for name, value in changed.items():
        setattr(before, name, value)
    plan = table.decide("heard", heard("late words", **body), before)
    assert plan.said == [] and plan.news == []
    assert [one.kind for one in plan.held] == ["late"]
    assert plan.notes[0].kind == "late"


@pytest.mark.parametrize("text", ["/doen", "/", "/note", "/transfer", "/help me", "  /x", "/done now", "/DONE!"])
def test_what_begins_with_a_slash_is_never_relayed(text):
    """Known or not, a command is not a reply; the agent is asked what was meant."""
    table = Table()
    plan = table.decide("heard", heard(text), opened(table))
    assert plan.said == []
    assert plan.conversation.status == "open"
    assert plan.held[0].kind == "unknown-command"
    assert plan.notes[0].kind == "unknown-command"


@pytest.mark.parametrize("text", ["/done", " /Done \n", "/DONE"])
def test_done_ends_it(text):
    """The agent's /done alone ends the conversation; the customer may still read for ten minutes."""
    table = Table()
    plan = table.decide("heard", heard(text), opened(table))
    assert plan.conversation.status == "ended" and plan.conversation.end_reason == "agent"
    assert plan.conversation.key_dead_at == NOW + 600
    assert [one.text for one in plan.said] == ["<ended_by_agent>"]
    assert table.desk.states["amy"].open == 0


def test_a_note_is_kept_and_never_leaves():
    """/note stays with the conversation."""
    table = Table()
    plan = table.decide("heard", heard("/note customer is upset"), opened(table))
    assert [(one.kind, one.text) for one in plan.held] == [("note", "customer is upset")]
    assert plan.said == [] and plan.news == []


def test_an_edit_into_a_command_changes_nothing():
    """A former reply edited into something with a slash stays as the customer has it."""
    table = Table()
    plan = table.decide("revised", heard("/secret"), opened(table))
    assert plan.revisions == [] and plan.held


def test_a_transfer_carries_everything_and_tells_everybody():
    """The new agent gets the words, the customer and the former agent are told."""
    table = Table()
    before = opened(table)
    table.history = [Said(1, "m1", "customer", "hello", NOW)]
    plan = table.decide("heard", heard("/transfer bo"), before)
    assert plan.conversation.agent == "bo"
    assert plan.drop_sends
    assert [send.text for send in plan.sends] == ["hello"]
    assert [one.text for one in plan.said] == ["<moved>"]
    assert {(note.kind, note.to) for note in plan.notes} == {("card", "bo@example.com"), ("moved", "amy@example.com")}


@pytest.mark.parametrize("to", ["nobody", "amy", "cy-typo", "bo"])
def test_a_transfer_that_cannot_be_is_explained(to):
    """Unknown, the same, or full: the conversation stays and the agent hears why."""
    table = Table(states=[AgentState("bo", open=1)])
    before = opened(table)
    plan = table.decide("heard", heard(f"/transfer {to}"), before)
    assert plan.conversation.agent == "amy"
    assert [note.kind for note in plan.notes] == ["not-transferred"]


def test_a_refused_agent_is_replaced():
    """Webex lets no guest write to Amy: Bo gets everything, Amy gets nobody for an hour."""
    table = Table()
    before = opened(table)
    table.history = [Said(1, "m1", "customer", "hello", NOW)]
    plan = table.decide("agent-refused", {"agent": "amy", "reason": "403"}, before)
    assert plan.conversation.agent == "bo"
    assert [send.text for send in plan.sends] == ["hello"]
    assert table.desk.states["amy"].load(NOW).refused == "403"
    assert table.desk.states["amy"].open == 0


def test_a_silent_agent_loses_the_conversation_to_the_next_then_the_overflow_then_the_lead_hears():
    """No answer in time: Bo, then Cy of the overflow, then nobody is left and the leads are told."""
    table = Table(answer_within_seconds=10, overflow=("back",), overflow_after_seconds=999)
    current = opened(table)
    order, alerts = [current.agent], []
    for _ in range(4):
        assert current.due_at == table.now + 10 or not order
        table.now += 10
        plan = table.decide("due", {}, current)
        current = plan.conversation
        order.append(current.agent)
        alerts += [note.kind for note in plan.notes if note.to is None]
    assert order == ["amy", "bo", "cy", "cy", "cy"]
    assert alerts == ["no-answer", "no-answer"]


def test_an_answer_stops_the_timer():
    """One word of the agent is an answer."""
    table = Table(answer_within_seconds=10, rules=SourceRules(idle_seconds=0))
    current = table.decide("heard", heard("Hi"), opened(table)).conversation
    assert current.due_at is None


def test_the_lead_hears_of_a_long_wait_once():
    """Waiting longer than alert_after_seconds is told once."""
    refused = [AgentState(key, refused="no", refused_until=NOW + 9999) for key in ("amy", "bo")]
    table = Table(states=refused, alert_after_seconds=60)
    waiting = table.decide("requested", said(), conversation()).conversation
    assert waiting.due_at == NOW + 60
    table.now += 60
    plan = table.decide("due", {}, waiting)
    assert [(note.kind, note.to) for note in plan.notes] == [("waiting", None)]
    assert plan.conversation.due_at is None


def test_idle_is_warned_of_and_then_ends():
    """First a warning, then the end; a word in between starts anew."""
    table = Table(rules=SourceRules(idle_seconds=100))
    current = opened(table)
    assert current.due_at == NOW + 75
    table.now = NOW + 75
    warned = table.decide("due", {}, current).conversation
    assert warned.warned_at == table.now and warned.due_at == NOW + 100
    awake = table.decide("said", {**said("still here"), "at": NOW + 80}, warned).conversation
    assert awake.warned_at is None and idle_end(awake, table.rules) == NOW + 180
    table.now = NOW + 100
    ended = table.decide("due", {}, warned).conversation
    assert (ended.status, ended.end_reason, ended.key_dead_at) == ("ended", "idle", NOW + 100)


def test_who_waits_in_line_is_not_idle():
    """Waiting silently for an agent is no reason to be sent away."""
    table = Table(states=[AgentState(key, refused="no", refused_until=NOW + 1e9) for key in ("amy", "bo")])
    waiting = table.decide("requested", said(), conversation()).conversation
    table.now += 100_000
    assert table.decide("due", {}, waiting).conversation.status == "queued"


def test_words_accepted_just_before_the_agents_end_still_reach_them():
    """They were acknowledged: the agent gets them, though the conversation is over."""
    table = Table()
    over = table.decide("heard", heard("/done"), opened(table)).conversation
    plan = table.decide("said", said("one more thing"), over)
    assert [send.text for send in plan.sends] == ["one more thing"]


def test_words_for_nobody_fail_visibly():
    """Ended while still waiting: what was said is marked as failed, not forgotten."""
    table = Table(states=[AgentState(key, refused="no", refused_until=NOW + 99) for key in ("amy", "bo")])
    waiting = table.decide("requested", said(), conversation()).conversation
    plan = table.decide("ended", {"reason": "source"}, waiting)
    assert plan.undelivered
    later = table.decide("said", said("hello?"), plan.conversation)
    assert later.said[0].delivery == "failed"
    assert "message.failed" in [news.type for news in later.news]


def test_long_words_and_files_become_several_sends():
    """A text over the limit is split, a file goes alone, and only the last one is the last."""
    table = Table()
    body = said("word " * 3000, files=[{"id": "f1", "name": "a.pdf"}], ids=["m1", "m2"])
    plan = table.decide("requested", body, conversation())
    assert [send.last for send in plan.sends] == [False, False, True, True]
    assert plan.sends[-1].file["id"] == "f1"


def test_what_is_masked_leaves_masked():
    """The customer's page keeps the words, Webex gets dots."""
    table = Table(rules=SourceRules(mask=("card-number",)))
    plan = table.decide("requested", said("4111 1111 1111 1111"), conversation())
    assert plan.sends[0].text == "•••• 1111"
    assert plan.said[0].text == "4111 1111 1111 1111"


def test_every_end_frees_the_agent_once():
    """Ending twice changes nothing."""
    table = Table()
    over = table.decide("ended", {"reason": "customer"}, opened(table)).conversation
    again = table.decide("ended", {"reason": "source"}, over)
    assert again.conversation == over and again.news == []
    assert table.desk.states["amy"].open == 0
    assert json.loads(over.tried) == []
