"""The verdict on agents' words: none to another visit, no private one, edits and deletions, files."""

from __future__ import annotations

import pytest

from bench.torture.compare import Difference
from bench.torture.story import FREE, PRIVATE, standing
from bench.torture.verdict import Verdict, judge, waiting
from tests.bench.evidence import AMY, BO, Teller


def verdict(*tellers: Teller) -> Verdict:
    return judge([teller.story for teller in tellers], [], 1, 7)


@pytest.fixture
def ada() -> Teller:
    """She said one word, which Amy has."""
    teller = Teller()
    teller.delivered("one")
    return teller


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (("a", "b", "c"), Difference()),
        (("a", "c"), Difference(lost=1)),
        (("a", "b", "b", "c"), Difference(doubled=1)),
        (("b", "a", "c"), Difference(reordered=2)),
    ],
)
def test_answers_lost_doubled_and_out_of_order(
    ada: Teller, shown: tuple[str, ...], found: Difference
) -> None:
    """What the customer is shown is compared with what their agent wrote."""
    for text in ("a", "b", "c"):
        ada.writes(text)
    ada.shows("agent", *shown)
    assert verdict(ada).replies == found
    assert verdict(ada).kept is not found.any
    assert waiting(ada.story) is (found.lost > 0)


def test_private_words_are_shown_to_nobody(ada: Teller) -> None:
    """Not to the customer whom they are about, and a word that is missing is as it should be."""
    ada.writes("private", duty=PRIVATE)
    assert verdict(ada).kept
    ada.shows("agent", "private")
    assert verdict(ada).leaked == 1
    assert "shows private words" in verdict(ada).evidence[0]


def test_words_stay_in_their_visit(ada: Teller) -> None:
    """An answer to the first visit that stands in the second one is told, and is lost for the first."""
    ada.writes("answer")
    ada.visit("v1").done = True
    ada.delivered("two", visit="v2")
    ada.shows("agent", "answer", visit="v2")
    found = verdict(ada)
    assert (found.leaked, found.replies) == (1, Difference(lost=1))


def test_words_of_nobody(ada: Teller) -> None:
    """What no agent wrote is told, the ciphertext of an unreadable message, say; an empty item was taken back."""
    ada.shows("agent", "")
    assert verdict(ada).kept
    ada.shows("agent", "eyJhbGciOiJkaXIi..")
    assert "nobody wrote" in verdict(ada).evidence[0]


def test_words_that_may_be_held(ada: Teller) -> None:
    """Where nobody can tell who had the customer, an answer may be shown, once and in its place, or be held."""
    ada.writes("a", duty=FREE)
    ada.writes("b", duty=FREE)
    assert verdict(ada).kept
    ada.shows("agent", "b")
    assert verdict(ada).kept
    ada.shows("agent", "a")
    assert verdict(ada).replies.reordered == 2


def test_an_end_that_was_asked_for_may_come_before_the_answer(ada: Teller) -> None:
    """Customer or source ended the visit: the answer need not be shown. An agent's own end comes after it."""
    ada.writes("answer")
    ada.visit("v1").done = True
    assert verdict(ada).replies == Difference(lost=1)
    ada.visit("v1").asked = True
    assert verdict(ada).kept


def test_edits_are_shown(ada: Teller) -> None:
    """At last the customer sees the edit, not what was written first."""
    ada.writes("answer", edited="better answer")
    ada.shows("agent", "answer")
    assert "without their edit" in verdict(ada).evidence[0]
    assert waiting(ada.story)
    ada.visit("v1").items = ()
    ada.shows("customer", "one")
    ada.shows("agent", "better answer")
    assert verdict(ada).kept


def test_words_taken_back_are_gone(ada: Teller) -> None:
    """While the visit is open they must not stand there; whether they ever did is no matter."""
    ada.writes("answer", deleted=True)
    assert verdict(ada).kept
    ada.shows("agent", "answer")
    assert "taken back" in verdict(ada).evidence[0]
    ada.visit("v1").done = True
    assert verdict(ada).kept


def test_what_nobody_can_read_is_not_waited_for(ada: Teller) -> None:
    """An unreadable message is skipped; those behind it are due."""
    ada.writes("cipher", unreadable=True)
    ada.writes("answer")
    assert verdict(ada).replies == Difference(lost=1)
    ada.shows("agent", "answer")
    assert verdict(ada).kept


def test_files(ada: Teller) -> None:
    """A file that can be had is there; of a refused one the words are shown, and the customer is told."""
    ada.writes("picture", file="kept")
    ada.shows("agent", "picture")
    assert "is missing" in verdict(ada).evidence[0]
    bob = Teller()
    bob.delivered("one")
    bob.writes("virus", file="refused")
    assert verdict(bob).replies == Difference(lost=1)
    bob.shows("agent", "virus")
    assert "nobody told the customer" in verdict(bob).evidence[0]
    bob.shows("system", "was not sent")
    assert verdict(bob).kept
    bob.shows("agent", "virus", files=1)
    assert "shows the refused file" in " ".join(verdict(bob).evidence)


def test_who_has_the_customer() -> None:
    """The first words of a visit tell it for certain; of a return only a word that is newer than the move does."""
    ada = Teller("swap")
    ada.delivered("one", "two")
    assert standing(ada.story, "v1").holder == AMY
    ada.commands(AMY, "transfer", to=BO)
    assert standing(ada.story, "v1").holder is None
    ada.arrives(BO, "one")
    assert standing(ada.story, "v1").holder == BO
    ada.says("three")
    ada.commands(BO, "transfer", to=AMY)
    ada.arrives(AMY, "two")  # late, from before
    assert standing(ada.story, "v1").holder is None
    ada.arrives(AMY, "three")
    assert standing(ada.story, "v1").holder == AMY
    assert standing(ada.story, "v1").had == [AMY, BO]
    ada.commands(AMY, "done")
    assert standing(ada.story, "v1").holder is None
