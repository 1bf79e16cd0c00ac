"""What a person types, and what the bot makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.bot.commands import Asker, Command, Refusal, help_text, parse
from bridge.domain.bot.times import End
from bridge.domain.duty.roster import Agent, Roster, Team

ROSTER = Roster(
    {
        "amy": Agent("amy", "amy@example.com", "Amy Chen"),
        "bo": Agent("bo", "bo@example.com", "Bo Diaz"),
        "cy": Agent("cy", "cy@example.com", "Amy Okafor"),
    },
    {"front-desk": Team("front-desk", "Europe/London", ("amy", "bo")), "back": Team("back", "UTC", ("cy",))},
    (),
)
AGENT, LEAD = Asker("amy@example.com", "amy", False), Asker("kim@example.com", None, True)
BOTH = Asker("bo@example.com", "bo", True)

KNOWN = [
    (AGENT, "help", Command("help")),
    (AGENT, "  HELP  please ", Command("help")),
    (AGENT, "/status", Command("status")),
    (AGENT, "Mine.", Command("mine")),
    (AGENT, "on", Command("on", agent="amy")),
    (AGENT, "off", Command("off", agent="amy")),
    (AGENT, "off until 14:30", Command("off", agent="amy", end=End("until", "14:30"))),
    (AGENT, "OFF FOR 30m", Command("off", agent="amy", end=End("for", "30m"))),
    (AGENT, "off amy for 2h", Command("off", agent="amy", end=End("for", "2h"))),
    (AGENT, "done", Command("done")),
    (AGENT, "done a1b2c3", Command("done", ref="A1B2C3")),
    (AGENT, "close #A1B2C3", Command("done", ref="A1B2C3")),
    (AGENT, "transfer A1B2C3 bo", Command("transfer", ref="A1B2C3", to="bo")),
    (AGENT, "transfer a1b2c3 to Bo Diaz", Command("transfer", ref="A1B2C3", to="bo")),
    (AGENT, "transfer front-desk", Command("transfer", to="front-desk")),
    (AGENT, "history a1b2c3", Command("history", ref="A1B2C3")),
    (LEAD, "board", Command("board")),
    (LEAD, "who", Command("who")),
    (LEAD, "who Front-Desk", Command("who", team="front-desk")),
    (LEAD, "roster", Command("roster")),
    (LEAD, "roster sat", Command("roster", day="sat")),
    (LEAD, "queue", Command("queue")),
    (LEAD, "off bo@example.com until 18:00", Command("off", agent="bo", end=End("until", "18:00"))),
    (LEAD, "on bo", Command("on", agent="bo")),
    (
        LEAD,
        "cover amy with bo until 17:00",
        Command("cover", agent="amy", to="bo", end=End("until", "17:00")),
    ),
    (LEAD, "cover Amy Chen by Bo Diaz for 2h", Command("cover", agent="amy", to="bo", end=End("for", "2h"))),
    (LEAD, "assign a1b2c3 bo", Command("assign", ref="A1B2C3", to="bo")),
    (LEAD, "assign a1b2c3 to bo", Command("assign", ref="A1B2C3", to="bo")),
    (LEAD, "pause front-desk", Command("pause", team="front-desk")),
    (LEAD, "pause back for 1h", Command("pause", team="back", end=End("for", "1h"))),
    (LEAD, "resume back", Command("resume", team="back")),
    (AGENT, "off 14:30", Command("off", agent="amy", end=End("until", "14:30"))),
    (AGENT, "off fri", Command("off", agent="amy", start="fri")),
    (
        LEAD,
        "cover amy with bo from 24 dec until 27 dec",
        Command("cover", agent="amy", to="bo", start="24 dec", end=End("until", "27 dec")),
    ),
    (LEAD, "plans", Command("plans")),
    (LEAD, "plans bo", Command("plans", agent="bo")),
    (AGENT, "plans", Command("plans", agent="amy")),
    (LEAD, "cancel #12", Command("cancel", number=12)),
    (LEAD, "preview", Command("preview")),
    (LEAD, "preview 18:30 store=S12", Command("preview", ask={"at": "18:30", "store": "S12"})),
    (
        LEAD,
        "preview --at 2026-11-28T18:30 --topic returns",
        Command("preview", ask={"at": "2026-11-28T18:30", "topic": "returns"}),
    ),
    (BOTH, "off", Command("off", agent="bo")),
]
REFUSED = [
    (AGENT, "", "no text"),
    (AGENT, "stauts", "Did you mean status?"),
    (AGENT, "transfre a1b2c3 bo", "Did you mean transfer?"),
    (AGENT, "board", "Only leads may say board"),
    (AGENT, "pause front-desk", "Only leads"),
    (AGENT, "off bo", "Only leads may switch somebody else off"),
    (AGENT, "off 99", "off [30m | 2pm | until 14:30"),
    (LEAD, "cancel it", "cancel <number>"),
    (AGENT, "transfer a1b2c3", "transfer <ref> <agent or team>"),
    (AGENT, "transfer a1b2c3 bob", "Nobody and no team is called bob"),
    (AGENT, "done xyz", "done <ref>"),
    (AGENT, "history " + "x" * 400, "too long"),
    (LEAD, "mine", "You are no agent"),
    (LEAD, "off", "You are no agent"),
    (LEAD, "off ammy", "Did you mean amy?"),
    (LEAD, "who front-dsk", "Did you mean front-desk?"),
    (LEAD, "pause", "pause <team>"),
    (LEAD, "cover amy until 17:00", "cover <agent> with <agent>"),
    (LEAD, "cover amy with bo", "cover <agent> with <agent>"),
    (LEAD, "cover amy with amy until 17:00", "cover for themselves"),
    (LEAD, "assign bo", "assign <ref> <agent>"),
    (LEAD, "preview colour=red", "preview ["),
    (LEAD, "boardd", "Did you mean board?"),
]


@pytest.mark.parametrize(("asker", "text", "command"), KNOWN)
def test_commands_are_understood(asker: Asker, text: str, command: Command) -> None:
    """In any case, with or without a slash, names by key, e-mail or full name."""
    assert parse(text, asker, ROSTER) == command


@pytest.mark.parametrize(("asker", "text", "part"), REFUSED)
def test_what_is_wrong_is_explained(asker: Asker, text: str, part: str) -> None:
    """A slip is answered with what would be right; nobody is told of what they may not use."""
    found = parse(text, asker, ROSTER)
    assert isinstance(found, Refusal)
    assert part in found.text


def test_help_shows_each_what_they_may_say() -> None:
    """An agent reads nothing of the leads' commands, a lead nothing of the agents'."""
    assert "cover" not in help_text(AGENT)
    assert "/note" in help_text(AGENT)
    assert "status -" not in help_text(LEAD)
    assert "cover" in help_text(BOTH)
    assert "mine" in help_text(BOTH)


def test_first_name_is_enough_where_it_is_clear() -> None:
    """Two Amys are told apart: 'amy' is a key, 'okafor' alone is nobody."""
    named = parse("off Bo", LEAD, ROSTER)
    assert isinstance(named, Command)
    assert named.agent == "bo"
    assert isinstance(parse("off okafor", LEAD, ROSTER), Refusal)


@given(st.text(max_size=400), st.sampled_from([AGENT, LEAD, BOTH]))
def test_any_text_gets_an_answer(text: str, asker: Asker) -> None:
    """Whatever somebody types is a command or a refusal with words in it, never an error."""
    found = parse(text, asker, ROSTER)
    assert isinstance(found, Command) or found.text


@given(
    st.sampled_from(["off", "transfer", "cover", "preview", "done", "who", "assign", "roster"]),
    st.lists(
        st.sampled_from(
            ["amy", "with", "until", "for", "2h", "14:30", "a1b2c3", "=", "at", "--", "back", "to"]
        ),
        max_size=8,
    ),
)
def test_any_mixture_of_the_right_words_gets_an_answer(word: str, rest: list[str]) -> None:
    """Half a command is refused, not guessed."""
    found = parse(" ".join([word, *rest]), BOTH, ROSTER)
    assert isinstance(found, Command) or found.text
