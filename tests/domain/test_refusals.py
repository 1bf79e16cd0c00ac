"""Whose fault it is that Webex does not let a guest write to an agent."""

from __future__ import annotations

from itertools import product

import pytest

from bridge.domain.conversation.refusals import Fault, Refusal, fault_of


def refusal(agent: str, guest: str = "ada", at: float = 1.0, visit: int = 1) -> Refusal:
    return Refusal(agent, guest, f"{guest}-{visit}", at)


def never(_agent: str, _moment: float) -> bool:
    return False


@pytest.mark.parametrize("order", list(product(("amy", "bo", "cy"), repeat=4)))
def test_one_guest_takes_no_agent_from_others(order: tuple[str, ...]) -> None:
    """Whatever is refused to one guest, in whatever order and in how many visits."""
    known: list[Refusal] = []
    for number, agent in enumerate(order):
        new = refusal(agent, at=1 + number, visit=number // 2)
        assert fault_of(new, known, never) is not Fault.AGENT
        known.append(new)


def test_different_guests_are_the_agents_fault() -> None:
    """The second one's refusal takes the agent out of rotation, and is no word against that guest."""
    assert fault_of(refusal("amy", "bert", 2), [refusal("amy")], never) is Fault.AGENT
    known = [refusal("amy"), refusal("amy", "bert", 2), refusal("bo", "cleo", 2)]
    assert fault_of(refusal("cy", "bert", 3), known, never) is Fault.CUSTOMER


def test_anybodys_words_that_get_through_clear_the_agent() -> None:
    """What was refused before does not count against the agent any more."""
    reached = {"amy": 1.5}
    got = fault_of(
        refusal("amy", "bert", 2), [refusal("amy")], lambda agent, moment: reached.get(agent, -1) > moment
    )
    assert got is Fault.CUSTOMER


def test_second_agent_is_the_last_that_is_tried() -> None:
    """In one conversation, and unless the customer's words reached somebody in between."""
    assert fault_of(refusal("bo", at=2), [refusal("amy")], never) is Fault.WORDS
    assert fault_of(refusal("bo", at=2), [refusal("amy")], never, delivered_at=1.5) is Fault.CUSTOMER
    assert fault_of(refusal("bo", at=2, visit=2), [refusal("amy")], never) is Fault.CUSTOMER
    assert fault_of(refusal("amy", at=2), [refusal("amy")], never) is Fault.CUSTOMER
