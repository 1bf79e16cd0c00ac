"""What the store and the configuration know that a decision needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.domain.conversation.desk import Desk
from bridge.domain.conversation.model import Said, SourceRules

SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Delivered:
    """What of the customer's words an agent has got. `pending`: the rest is still on its way.

    `seqs`: messages that arrived whole; `parts`: (message, part) of what arrived; `doubtful`: of what may have.
    """

    seqs: frozenset[int] = frozenset()
    pending: bool = False
    parts: frozenset[tuple[int, int]] = frozenset()
    doubtful: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store and the configuration know that a decision needs."""

    now: float
    desk: Desk
    rules: SourceRules
    say: Callable[..., str]  # (text key, language, **values) -> the customer's text
    history: Sequence[Said]  # the customer's own words so far, oldest first
    new_id: Callable[[], str]
    delivered: Callable[[str], Delivered] = lambda _: (
        Delivered()
    )  # to this agent (an e-mail), of this customer
    refused_by: Callable[[], frozenset[str]] = frozenset  # agents to whom this customer cannot write now
    # What became of an agent's message (its id at Webex) in this conversation: SHOWN, or what it was held as; None:
    # nothing is known of it.
    fate: Callable[[str], str | None] = lambda _: SHOWN
