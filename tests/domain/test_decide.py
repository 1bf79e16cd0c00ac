"""What customers' words, waiting, idleness and ends lead to."""

from __future__ import annotations

import json

from bridge.domain.conversation.decide import look_again
from bridge.domain.conversation.desk import AgentState
from bridge.domain.conversation.model import Said, SourceRules
from bridge.domain.conversation.timers import idle_end
from tests.domain.decisions import NOW, Table, conversation, heard, opened, said


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
    assert before.status == "new"
    assert before.last_seq == 0


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
    from bridge.domain.duty.roster import Window

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


def test_the_customer_reads_the_warning_before_an_idle_end():
    """With the minutes that are left, once."""
    table = Table(rules=SourceRules(idle_seconds=300))
    before = opened(table)
    table.now = NOW + 240
    plan = table.decide("due", {}, before)
    assert [(one.author, one.text) for one in plan.said] == [("system", "<idle_warning>")]
    table.now += 1
    assert table.decide("due", {}, plan.conversation).said == []


def test_idle_is_warned_of_and_then_ends():
    """First a warning, then the end; a word in between starts anew."""
    table = Table(rules=SourceRules(idle_seconds=100))
    current = opened(table)
    assert current.due_at == NOW + 75
    table.now = NOW + 75
    warned = table.decide("due", {}, current).conversation
    assert warned.warned_at == table.now
    assert warned.due_at == NOW + 100
    awake = table.decide("said", {**said("still here"), "at": NOW + 80}, warned).conversation
    assert awake.warned_at is None
    assert idle_end(awake, table.rules) == NOW + 180
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
    assert again.conversation == over
    assert again.news == []
    assert table.desk.states["amy"].open == 0
    assert json.loads(over.tried) == []
