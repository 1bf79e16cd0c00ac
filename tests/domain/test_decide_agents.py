"""What agents' words, silence and transfers lead to."""

from __future__ import annotations

import pytest

from bridge.domain.conversation.desk import AgentState
from bridge.domain.conversation.model import Said, SourceRules
from tests.domain.decisions import NOW, Table, conversation, heard, opened, said


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
        ({}, {"away": True}),
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
    assert plan.said == []
    assert plan.news == []
    assert [one.kind for one in plan.held] == ["late"]
    assert plan.notes[0].kind == "late"


@pytest.mark.parametrize(
    "text", ["/doen", "/", "/note", "/transfer", "/help me", "  /x", "/done now", "/DONE!"]
)
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
    assert plan.conversation.status == "ended"
    assert plan.conversation.end_reason == "agent"
    assert plan.conversation.key_dead_at == NOW + 600
    assert [one.text for one in plan.said] == ["<ended_by_agent>"]
    assert table.desk.states["amy"].open == 0


@pytest.mark.parametrize(
    ("text", "words", "held"),
    [
        ("thanks, bye\n/done", "thanks, bye", ("command", "/done")),
        ("hello\r\n  /note she is upset\nvery", "hello", ("note", "she is upset\nvery")),
        ("look:\n/etc/hosts\nthere", "look:", ("unknown-command", "/etc/hosts\nthere")),
        ("hello\n\u200b /note quiet", "hello", ("note", "quiet")),
        ("hello\n\uff0fnote quiet", "hello", ("note", "quiet")),
    ],
)
def test_from_a_line_with_a_slash_on_nothing_is_relayed(text, words, held):
    """What stands before it reaches the customer, as plain text; the rest is a command."""
    table = Table()
    plan = table.decide("heard", heard(text, html=f"<p>{text}</p>"), opened(table))
    assert [(one.text, one.html) for one in plan.said if one.author == "agent"] == [(words, None)]
    assert [(one.kind, one.text) for one in plan.held] == [held]
    assert (plan.conversation.status == "ended") == (held == ("command", "/done"))


@pytest.mark.parametrize(
    "text",
    [
        "\u200b/note x",
        "\ufeff/note x",
        "\uff0fnote x",
        "\u200e/note x",
        "\u00ad/note x",
        "\u180e\u034f \u2066/note x",
    ],
)
def test_a_slash_that_hides_is_a_slash(text):
    """Behind what has no width, or a wide one."""
    table = Table()
    plan = table.decide("heard", heard(text), opened(table))
    assert plan.said == []
    assert [(one.kind, one.text) for one in plan.held] == [("note", "x")]


def test_a_file_of_a_lone_command_is_for_nobody():
    """As with a note to oneself; what goes with words goes with them, and a bad file of a note is no news."""
    table = Table()
    plan = table.decide(
        "heard", heard("/note see", files=[{"id": "f"}], refused_files=["infected"]), opened(table)
    )
    assert plan.said == []
    assert [one.kind for one in plan.held] == ["note"]
    table = Table()
    plan = table.decide("heard", heard("look\n/note see", files=[{"id": "f"}]), opened(table))
    assert [(one.text, one.files) for one in plan.said] == [("look", ({"id": "f"},))]


@pytest.mark.parametrize("text", ["/done\n-- \nAmy", "bye\n/done\nthanks"])
def test_done_above_a_signature_ends_it(text):
    """A command is its line; what follows a /done is held."""
    table = Table()
    plan = table.decide("heard", heard(text), opened(table))
    assert plan.conversation.status == "ended"
    assert [one.kind for one in plan.held] == ["command"]


def test_an_edit_that_adds_a_command_keeps_it_back():
    """The words before it are the customer's, the line with the slash is not."""
    table = Table()
    plan = table.decide("revised", heard("hello\n/note x"), opened(table))
    assert [(one.text, one.html) for one in plan.revisions] == [("hello", None)]
    assert [one.text for one in plan.held] == ["/note x"]


@pytest.mark.parametrize("fate", ["unknown-command", "command", "note", "unread"])
def test_an_edit_of_what_was_only_held_is_heard_as_new(fate):
    """The customer has nothing of it yet: words are relayed at the time of the edit, commands are done."""
    table = Table(fate=fate)
    plan = table.decide("revised", heard("your refund is on its way"), opened(table))
    assert [(one.author, one.text, one.webex_id) for one in plan.said] == [
        ("agent", "your refund is on its way", "w1")
    ]
    assert (plan.notes, plan.revisions, plan.held) == ([], [], [])
    table = Table(fate=fate)
    plan = table.decide("revised", heard("/done"), opened(table))
    assert plan.conversation.status == "ended"


@pytest.mark.parametrize("text", ["private words", "/done"])
def test_an_edit_of_what_came_too_late_is_as_late(text):
    """Written while somebody else had the customer: for nobody, and nothing is done."""
    table = Table(fate="late")
    plan = table.decide("revised", heard(text), opened(table))
    assert (plan.said, plan.conversation.status) == ([], "open")
    assert [one.kind for one in plan.held] == ["late"]
    assert [(note.kind, note.fields["why"]) for note in plan.notes] == [("late", "away")]


def test_an_edit_of_what_nothing_is_known_of_does_nothing():
    """Its visit was forgotten."""
    table = Table(fate=None)
    plan = table.decide("revised", heard("hello"), opened(table))
    assert (plan.said, plan.held, plan.notes, plan.revisions) == ([], [], [], [])


def test_words_that_webex_does_not_give_are_told_to_both_sides():
    """Not shown, kept as such, and what follows is heard."""
    table = Table()
    plan = table.decide("heard", heard("", unread=True), opened(table))
    assert [(one.author, one.text) for one in plan.said] == [("system", "<not_shown>")]
    assert [(one.kind, one.webex_id) for one in plan.held] == [("unread", "w1")]
    assert [(note.kind, note.to) for note in plan.notes] == [("unread", "amy@example.com")]


def test_a_refusal_after_the_end_gives_the_words_up():
    """Nobody else is to get them; the source hears which they were."""
    table = Table()
    ended = table.decide("ended", {"reason": "source"}, opened(table)).conversation
    body = {"agent": "amy", "reason": "403", "delivery": 7, "seq": 1, "message_id": "m1"}
    plan = table.decide("agent-refused", body, ended)
    assert [(one.delivery, one.seq, one.reason) for one in plan.given_up] == [(7, 1, "403")]
    assert [(news.type, news.data["messageId"]) for news in plan.news] == [("message.failed", "m1")]
    assert table.desk.states["amy"].load(NOW).refused == "403"


def test_another_part_of_words_that_were_given_up_is_no_news():
    """The source hears once of a message; each of its parts is a dead letter."""
    table = Table()
    ended = table.decide("ended", {"reason": "source"}, opened(table)).conversation
    table.history = [Said(1, "m1", "customer", "long", NOW, delivery="failed")]
    body = {"agent": "amy", "reason": "403", "delivery": 8, "seq": 1, "message_id": "m1"}
    plan = table.decide("agent-refused", body, ended)
    assert ([one.delivery for one in plan.given_up], plan.news) == ([8], [])


def test_refused_files_without_words_are_an_answer_and_no_message():
    """The customer is told of the file, and the agent owes nothing any more."""
    table = Table()
    body = heard("", refused_files=[{"reason": "refused", "name": "form.pdf"}])
    plan = table.decide("heard", body, opened(table))
    assert [(one.author, one.text) for one in plan.said] == [("system", "<file_refused>")]
    assert plan.conversation.agent_at == NOW


def test_a_note_is_kept_and_never_leaves():
    """/note stays with the conversation."""
    table = Table()
    plan = table.decide("heard", heard("/note customer is upset"), opened(table))
    assert [(one.kind, one.text) for one in plan.held] == [("note", "customer is upset")]
    assert plan.said == []
    assert plan.news == []


def test_an_edit_into_a_command_changes_nothing():
    """A former reply edited into something with a slash stays as the customer has it."""
    table = Table()
    plan = table.decide("revised", heard("/secret"), opened(table))
    assert plan.revisions == []
    assert plan.held


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
    assert {(note.kind, note.to) for note in plan.notes} == {
        ("card", "bo@example.com"),
        ("moved", "amy@example.com"),
    }


@pytest.mark.parametrize("to", ["nobody", "amy", "cy-typo", "bo"])
def test_a_transfer_that_cannot_be_is_explained(to):
    """Unknown, the same, or full: the conversation stays and the agent hears why."""
    table = Table(states=[AgentState("bo", open=1)])
    before = opened(table)
    plan = table.decide("heard", heard(f"/transfer {to}"), before)
    assert plan.conversation.agent == "amy"
    assert [note.kind for note in plan.notes] == ["not-transferred"]


def test_a_refused_agent_is_replaced():
    """Webex lets no guest write to Amy: Bo gets everything, Amy gets nobody for an hour. One guest is not enough."""
    table = Table()
    before = opened(table)
    table.history = [Said(1, "m1", "customer", "hello", NOW)]
    for blamed, refused in ((False, None), (True, "403")):
        plan = table.decide("agent-refused", {"agent": "amy", "reason": "403", "blamed": blamed}, before)
        assert plan.conversation.agent == "bo"
        assert [send.text for send in plan.sends] == ["hello"]
        assert [note.kind for note in plan.notes] == ["refused", "moved", "card"]
        assert table.desk.states["amy"].load(NOW).refused == refused
        assert table.desk.states["amy"].open == 0
        table.desk.freed("bo")


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
