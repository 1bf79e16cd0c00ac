"""Who had a conversation before gets only what they have not got, in doubt where they may have got it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.conversation.decide import decide
from bridge.domain.conversation.facts import Delivered
from bridge.domain.conversation.model import Envelope, Said
from bridge.domain.conversation.splitting import split_text
from tests.domain.decisions import NOW, Table, conversation

LONG = " ".join(f"word{number}" for number in range(2500))
PICTURE = {"id": "f", "name": "a.png", "type": "image/png", "size": 9}
GOT = {
    "amy@example.com": Delivered(
        seqs=frozenset({1}),
        parts=frozenset({(1, 0), (2, 0)}),
        doubtful=frozenset({(2, 1), (3, 0)}),
    )
}


def sent(to: str, tried: str = "[]") -> list[tuple[int, int, bool, bool]]:
    """(message, part, last, doubt) of what this agent is sent when Cy is asked to hand the conversation over."""
    table = Table()
    table.history = [
        Said(1, "m1", "customer", "one", NOW),
        Said(2, "m2", "customer", LONG, NOW),
        Said(3, "m3", "customer", "", NOW, files=(PICTURE,)),
        Said(4, "m4", "customer", "four", NOW),
    ]
    facts = replace(table.facts(), delivered=lambda email: GOT.get(email, Delivered()))
    before = conversation(
        status="open", team="front", agent="cy", agent_email="cy@example.com", tried=tried, last_seq=4
    )
    body = {"to": to, "by": "cy@example.com"}
    plan = decide(Envelope(1, "k", "in:cust", "transfer", before.id, body, NOW), before, facts)
    return [(send.seq, send.part, send.last, send.doubt) for send in plan.sends]


@pytest.mark.parametrize("tried", ['["amy", "bo"]', '["the-name-that-amy-had"]'])
def test_only_the_rest_is_sent(tried: str) -> None:
    """Parts and files that arrived are not, those that may have are looked for first; by person, not by name."""
    assert len(split_text(LONG)) == 3
    assert sent("amy", tried) == [
        (2, 1, False, True),
        (2, 2, True, False),
        (3, 0, True, True),
        (4, 0, True, False),
    ]


def test_everything_is_sent_to_somebody_new() -> None:
    """And nothing of it is in doubt."""
    assert [one[:2] for one in sent("bo")] == [(1, 0), (2, 0), (2, 1), (2, 2), (3, 0), (4, 0)]
    assert not any(doubt for *_, doubt in sent("bo"))
