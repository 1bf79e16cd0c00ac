"""The values that decisions are made of. A Conversation is one subject with one agent at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any


@dataclass(slots=True)
class Conversation:
    """One row of the store's table of that name. Decisions work on a copy and hand it back in their plan."""

    id: str
    source: str
    customer: str
    subject: str
    display_name: str
    guest_id: str
    status: str  # new | queued | open | ended
    accepting: int
    created_at: float
    store: str | None = None
    topic: str | None = None
    language: str | None = None
    context: str | None = None
    key_dead_at: float | None = None
    team: str | None = None
    agent: str | None = None
    agent_email: str | None = None
    tried: str = "[]"
    former_agent: str | None = None
    former_at: float | None = None
    last_seq: int = 0
    queued_at: float | None = None
    given_at: float | None = None
    opened_at: float | None = None
    ended_at: float | None = None
    end_reason: str | None = None
    opens_at: float | None = None
    told: str | None = None
    customer_at: float | None = None
    agent_at: float | None = None
    warned_at: float | None = None
    alerted_at: float | None = None
    asked_at: float | None = None
    owed_at: float | None = None
    due_at: float | None = None

    def copy(self) -> Conversation:
        return Conversation(*values_of(self))


# A row's columns in order. Several times as quick as asking for one after the other; every event asks.
values_of = attrgetter(*Conversation.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Something that happened, stored before anybody acts on it. `body` depends on `kind`."""

    id: int
    key: str
    lane: str
    kind: str
    conversation_id: str
    body: Mapping[str, Any]
    received_at: float


@dataclass(frozen=True, slots=True)
class Said:
    """One item of a conversation's transcript. `files`: dicts with name, type, size and id or url."""

    seq: int
    id: str
    author: str  # customer | agent | system
    text: str
    at: float
    html: str | None = None
    files: tuple[Mapping[str, Any], ...] = ()
    delivery: str | None = None  # the customer's own words: pending | sent | failed
    agent: str | None = None
    webex_id: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """The customer's own words, on their way to one agent. One file or one part of a text each.

    `doubt`: this agent may have got it already, when the conversation was theirs before.
    """

    seq: int
    text: str | None
    file: Mapping[str, Any] | None
    last: bool
    part: int = 0
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """What the source's callback is told; `type` as in contract 7."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """An agent's words that no customer sees, kept with the conversation."""

    kind: str  # late | note | command | unknown-command | unread | card
    text: str
    agent_email: str | None
    webex_id: str | None = None  # of a message of which nothing was shown


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the bot tells an agent (`to` an e-mail) or the team's leads (`to` is None)."""

    kind: str  # card | late | moved | ended | undelivered | unknown-command | waiting | no-answer | refused
    to: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice to be recorded: why this agent (or nobody), and why not the others."""

    team: str
    agent: str | None
    reason: str
    passed_over: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """An agent changed (or, with no text, took back) words that the customer already has."""

    webex_id: str
    text: str
    html: str | None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A delivery that Webex refused, and that nobody else is to get: a dead letter."""

    delivery: int
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What decisions must know of a source."""

    idle_seconds: float = 1800  # 0: never
    callback: bool = False
    mask: tuple[str, ...] = ()


@dataclass(slots=True)
class Plan:
    """All that one envelope leads to, committed in one transaction with 'envelope done'."""

    conversation: Conversation
    said: list[Said] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    drop_sends: bool = False  # what is still on its way to the former agent is not sent any more
    undelivered: bool = False  # the customer's words still pending were never given to anybody
    given_up: list[GivenUp] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    log: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
