"""Webex does not let a guest write to an agent (403, 404): whose fault that is. Pure.

One guest's refusals alone take no agent from other guests, whatever their number and order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

REFUSED_SECONDS = 3600.0  # then an agent is tried once more, and so is a guest at an agent
_AGENTS_TRIED = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """Of a guest and an agent only the newest counts. `at`: epoch seconds."""

    agent: str
    guest_id: str
    conversation_id: str
    at: float


class Fault(Enum):
    """What follows: AGENT, nobody else is given to them; CUSTOMER, somebody else is asked; WORDS, they are given up."""

    AGENT = "agent"
    CUSTOMER = "customer"
    WORDS = "words"


def fault_of(
    new: Refusal,
    known: Sequence[Refusal],
    reached_since: Callable[[str, float], bool],
    delivered_at: float = 0.0,
) -> Fault:
    """`known`: the refusals of the last hour. `reached_since(agent, moment)`: whether anybody's words got through
    to this agent later than that. `delivered_at`: when words of this conversation last did, to whomever."""
    every = [one for one in known if (one.agent, one.guest_id) != (new.agent, new.guest_id)] + [new]

    def is_bad(agent: str) -> bool:
        here = [one for one in every if one.agent == agent]
        different = len({one.guest_id for one in here}) > 1
        return different and len({one.guest_id for one in here if not reached_since(agent, one.at)}) > 1

    if is_bad(new.agent):
        return Fault.AGENT
    mine = {
        one.agent for one in every if one.conversation_id == new.conversation_id and one.at > delivered_at
    }
    tried = [agent for agent in mine if not is_bad(agent)]
    return Fault.WORDS if len(tried) >= _AGENTS_TRIED else Fault.CUSTOMER
