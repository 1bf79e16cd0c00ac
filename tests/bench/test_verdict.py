"""The verdict on the customer's words: each kind of breakage is told, and what is allowed is not."""

from __future__ import annotations

import pytest

from bench.torture.compare import Difference, compare
from bench.torture.retell import retell
from bench.torture.verdict import Verdict, judge, told_early, waiting
from bridge.simulator import Call
from tests.bench.evidence import AMY, BO, Teller


def verdict(*tellers: Teller) -> Verdict:
    return judge([teller.story for teller in tellers], [], 1, 7)


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        (["a", "b", "b", "c"], (0, 0, 0)),
        (["a", "b", "c"], (1, 0, 0)),
        (["a", "a", "b", "b", "c"], (0, 1, 0)),
        (["b", "a", "b", "c"], (0, 0, 2)),
        (["x", "b", "b", "c"], (1, 1, 0)),
    ],
)
def test_differences_are_counted(seen: list[str], counts: tuple[int, int, int]) -> None:
    """Equal texts count one by one; what came twice, not at all, or in another order is told apart."""
    assert compare(["a", "b", "b", "c"], seen) == Difference(*counts)


def test_kept_promises_give_no_evidence() -> None:
    """Words once and in order, equal ones twice, an answer shown: nothing is told, nothing is waited for."""
    ada = Teller()
    ada.delivered("one", "yes", "yes", "two")
    ada.writes("answer")
    ada.shows("agent", "answer")
    assert verdict(ada).kept
    assert not waiting(ada.story)


@pytest.mark.parametrize(
    ("arrived", "found"),
    [
        (("one", "three"), Difference(lost=2)),  # a hole, and nobody has them all
        (("one", "two"), Difference(lost=1)),
        (("one", "two", "two", "three"), Difference(doubled=1)),
        (("two", "one", "three"), Difference(reordered=2)),
        ((), Difference(lost=3)),
    ],
)
def test_words_lost_doubled_and_out_of_order(arrived: tuple[str, ...], found: Difference) -> None:
    """What one agent received is compared with what was acknowledged."""
    ada = Teller()
    for text in ("one", "two", "three"):
        ada.says(text)
    ada.arrives(AMY, *arrived)
    ada.shows("customer", "one", "two", "three")
    assert verdict(ada).words == found
    assert not verdict(ada).kept


def test_words_are_said_again_to_the_next_agent() -> None:
    """Exactly once for each agent: the former one has the beginning, the next one everything from the first on."""
    ada = Teller("swap")
    ada.delivered("one", "two")
    ada.arrives(BO, "one", "two")
    ada.says("three")
    ada.arrives(BO, "three")
    ada.shows("customer", "three")
    assert verdict(ada).kept
    ada.arrives(BO, "three")
    assert verdict(ada).words == Difference(doubled=1)


def test_a_hole_at_a_former_agent_is_a_loss() -> None:
    """Who had the conversation for a while has got its beginning without a gap."""
    ada = Teller("swap")
    for text in ("one", "two", "three"):
        ada.says(text)
    ada.arrives(AMY, "one", "three")
    ada.arrives(BO, "one", "two", "three")
    ada.shows("customer", "one", "two", "three")
    assert verdict(ada).words == Difference(lost=1)


def test_whoever_has_it_now_has_all_of_it() -> None:
    """That a former agent got everything is not enough while the conversation is open."""
    ada = Teller("swap")
    ada.delivered("one", "two")
    ada.arrives(BO, "one")
    ada.visit("v1").agent = AMY
    assert verdict(ada).kept
    ada.visit("v1").agent = BO
    assert verdict(ada).words == Difference(lost=1)
    assert waiting(ada.story)


def test_parts_of_a_long_text_count_one_by_one() -> None:
    """A text that is two messages in Webex is lost or doubled by halves."""
    ada = Teller()
    ada.says("a b", units=("a", "b"))
    ada.shows("customer", "a b")
    ada.arrives(AMY, "a")
    assert verdict(ada).words == Difference(lost=1)
    ada.arrives(AMY, "b")
    assert verdict(ada).kept
    ada.arrives(AMY, "a")
    assert verdict(ada).words.doubled == 1


def test_words_that_nobody_said() -> None:
    """Whatever arrives at an agent and was never sent is told."""
    ada = Teller()
    ada.delivered("one")
    ada.arrives(AMY, "one one")
    assert "nobody said" in verdict(ada).evidence[0]


def test_an_unacknowledged_event_may_arrive_once_only() -> None:
    """Its sender does not know whether it was taken: at an agent it may be once or not at all, never twice."""
    ada = Teller()
    ada.delivered("one")
    ada.says("two", visit=None)
    assert verdict(ada).unacknowledged == 1
    ada.arrives(AMY, "two")
    ada.shows("customer", "two")
    assert verdict(ada).words == Difference()
    ada.arrives(AMY, "two")
    assert verdict(ada).words == Difference(doubled=1)


def test_visits_follow_one_another() -> None:
    """A new visit begins only after an end, nothing goes to the one before then, and threads keep their order."""
    ada = Teller()
    ada.delivered("one", visit="v1")
    ada.delivered("two", visit="v2")
    assert "nobody ended the last" in " ".join(verdict(ada).evidence)
    ada.visit("v1").done = True
    assert verdict(ada).kept
    ada.delivered("three", visit="v1")
    told = " ".join(verdict(ada).evidence)
    assert "went to a visit that is over" in told
    assert "an earlier visit after those of a later one" in told


def test_words_after_an_acknowledged_end_open_a_visit() -> None:
    """Those that were sent later and went to the visit that had ended are told."""
    ada = Teller()
    ada.delivered("one")
    ada.visit("v1").asked, ada.visit("v1").over_at = True, 4.0
    assert verdict(ada).kept
    for _ in range(3):
        ada.writes("x", duty="free")  # time goes by
    ada.delivered("late")
    assert "sent after the end" in verdict(ada).evidence[0]


def test_words_given_up_must_be_refused_and_told() -> None:
    """`failed` is right only where Webex refused the guest or its agent, and the customer is told so."""
    ada = Teller("guest")
    ada.delivered("one")
    ada.says("two")
    ada.shows("customer", "two", delivery="failed")
    assert "nobody refused them" in " ".join(verdict(ada).evidence)
    ada.story.refused = True
    assert ["nobody told the customer" in line for line in verdict(ada).evidence] == [True]
    ada.shows("system", "We are sorry")
    assert verdict(ada).kept
    assert verdict(ada).failed == 1


def test_a_refused_guest_loses_nothing_silently() -> None:
    """Words that are neither given up nor at any agent are lost; in two halves at two agents they are not."""
    ada = Teller("guest")
    ada.story.refused = True
    ada.delivered("one", to=AMY)
    ada.delivered("two", to=BO)
    assert verdict(ada).kept
    ada.says("three")
    ada.shows("customer", "three")
    assert verdict(ada).words == Difference(lost=1)


def test_the_own_transcript() -> None:
    """It shows each acknowledged word once, and at the end none of them as pending."""
    ada = Teller()
    ada.delivered("one")
    ada.shows("customer", "one")
    assert "own words in the transcript" in verdict(ada).evidence[0]
    bob = Teller()
    bob.says("one")
    bob.arrives(AMY, "one")
    bob.shows("customer", "one", delivery="pending")
    assert "pending" in verdict(bob).evidence[0]
    assert waiting(bob.story)


def test_everything_else_that_is_evidence() -> None:
    """Violations, oddities, too many tokens and a clean stop that takes long are each told."""
    ada = Teller()
    ada.story.oddities.append("another key")
    found = judge([ada.story], ["POST /v1/messages, expired"], most_tokens=8, budget=7, stops=[9.9, 12.0])
    assert len(found.evidence) == 4


def test_only_a_kill_in_the_moment_of_the_429_excuses_a_call_too_early() -> None:
    """A process that dies before it could write the 429 down forgets it; one that dies later does not."""
    calls = [
        Call(100.0, "GET", "/v1/messages/direct", "guest:a", 429, False, False),
        Call(101.0, "GET", "/v1/messages/direct", "guest:a", 200, False, True),
    ]
    assert told_early(calls, [100.1]) == ([], 1)
    assert told_early(calls, [], freezes=[99.5]) == ([], 1)
    for kills, freezes in (([], []), ([99.9], []), ([100.8], []), ([], [98.9]), ([], [100.8])):
        broken, forgotten = told_early(calls, kills, freezes)
        assert (len(broken), forgotten) == (1, 0)


def test_a_story_is_retold_in_order() -> None:
    """Who looks into a broken promise reads what happened when, and what the customer saw."""
    ada = Teller()
    ada.delivered("one")
    ada.writes("answer", edited="better answer")
    ada.commands(AMY, "transfer", to=BO)
    ada.shows("agent", "better answer")
    told = retell(ada.story)
    places = [
        told.index(each) for each in ("sends 'one'", "arrived 'one'", "writes 'answer'", "/transfer bo")
    ]
    assert places == sorted(places)
    assert "agent 'better answer'" in told
