"""What in an agent's message is for the customer, and what is a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.conversation.model import Said
from bridge.domain.conversation.thread_words import parted
from bridge.store.words import Words
from tests.domain.decisions import NOW, Table, heard, opened

BLANKS = st.text(st.sampled_from(" \t\u00a0\u2009\u3000"), max_size=3)
UNSEEN = st.text(st.sampled_from("\u200b\u200e\ufeff\u00ad\u2066\u034f\u180e "), max_size=4)
LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\uff0f"), max_size=10), max_size=3)
BREAKS = st.sampled_from(["\n", "\r\n", "\u2028", "\x0b"])


@st.composite
def transfers(draw: st.DrawFn) -> str:
    """`/transfer bo` in one of the ways in which an agent's client may write it."""
    end = draw(BREAKS)
    above = "".join(line + end for line in draw(LINES))
    slash, blank = draw(st.sampled_from("/\uff0f")), draw(st.sampled_from(" \t\u00a0\u2009")) + draw(BLANKS)
    word = draw(st.sampled_from(["transfer", "Transfer", "TRANSFER", "trans\u200bfer"]))
    return f"{above}{draw(UNSEEN)}{slash}{word}{blank}{draw(UNSEEN)}bo{draw(UNSEEN)}"


@given(transfers())
def test_a_transfer_carries_all_words_however_it_is_written(text: str) -> None:
    """Below other lines, behind what has no width, with a wide slash or odd blanks: Bo gets all that was said."""
    table = Table()
    before = opened(table)
    looked: list[str] = []

    def look() -> list[Said]:
        looked.append(text)
        return [Said(1, "m1", "customer", "hello", NOW)]

    table.history = Words(look)  # type: ignore[assignment]
    plan = table.decide("heard", heard(text), before)
    assert plan.conversation.agent == "bo"
    assert [send.text for send in plan.sends] == ["hello"]
    assert looked == [text]


@given(st.text(max_size=60))
def test_words_are_looked_up_only_where_they_are_needed(text: str) -> None:
    """An agent's plain words cost no look at the customer's."""
    table = Table()
    before = opened(table)
    looked: list[None] = []
    table.history = Words(lambda: looked.append(None) or [])  # type: ignore[assignment,func-returns-value]
    words, command = parted(text)
    table.decide("heard", heard(text), before)
    assert command is not None or not looked
    assert not any(line.strip().startswith(("/", "\uff0f")) for line in words.splitlines())


@pytest.mark.parametrize(
    ("text", "word", "rest"),
    [
        ("/done\u200b", "/done", ""),
        ("/transfer\u00a0bo", "/transfer", "bo"),
        ("/note\tx", "/note", "x"),
        ("/ done", "/", "done"),
    ],
)
def test_a_command_is_told_from_what_follows_it(text: str, word: str, rest: str) -> None:
    """Whatever kind of blank parts them, and whatever has no width."""
    _, command = parted(text)
    assert command is not None
    assert (command.word, command.rest) == (word, rest)
