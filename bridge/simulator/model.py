"""What the world is made of."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One call as it came. `at`: epoch seconds. `status` 0: it got no answer.

    `owner` is whose token it carried: `guest:<subject>`, `service-app`, `bot`, an e-mail address, or None for
    no known token. `retry_violation`: it came before the Retry-After of an earlier 429 was over.
    """

    at: float
    method: str
    path: str
    owner: str | None
    status: int
    token_expired: bool
    retry_violation: bool


class Refusal(Exception):
    """A 'no' that is answered in Webex's error shape."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


@dataclass(slots=True, eq=False)
class Person:
    """`type`: person, bot or appuser (a guest; only those have a `subject`)."""

    id: str
    email: str
    name: str
    type: str
    org_id: str
    created: float
    owner: str
    licensed: bool = False
    external_blocked: bool = False
    refuses_guests: bool = False  # no guest may write to them any more, in a 1:1 that is there neither
    subject: str | None = None
    app: str | None = None
    status: str = "active"
    tokens: list[Token] = field(default_factory=list)
    most_tokens: int = 0
    inbox: list[dict[str, Any]] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    hooks: list[Webhook] = field(default_factory=list)

    @property
    def is_guest(self) -> bool:
        return self.subject is not None


@dataclass(slots=True, eq=False)
class Token:
    """`key` is the part that tells tokens apart; the rest of the `length` characters is filling."""

    key: str
    length: int
    person: Person
    expires_at: float
    revoked: bool = False


@dataclass(slots=True, eq=False)
class Room:
    """A 1:1. `read`: up to which message (its `seq`) a person has read, by person id."""

    id: str
    members: tuple[Person, Person]
    created: float
    messages: list[Message] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)

    def other(self, person: Person) -> Person:
        return self.members[1] if self.members[0] is person else self.members[0]


@dataclass(slots=True, eq=False)
class Message:
    """`data` is the message as the API shows it. `seq` grows over the whole world.

    `spoiled`: how it is shown, and until when: `kms` (cannot be decrypted), `content` (its text and files are of
    the wrong type), `shape` (it lacks what every message has); empty: as it is.
    """

    seq: int
    at: float
    data: dict[str, Any]
    room: Room
    sender: Person
    file: File | None = None
    edits: int = 0
    spoiled: tuple[str, float] = ("", 0.0)


@dataclass(slots=True, eq=False)
class File:
    """`id` is empty until a message carries it.

    `scan`: clean, scanning or failing (until `clean_at`), infected, unscannable or refused.
    """

    id: str
    name: str
    type: str
    content: bytes
    scan: str
    clean_at: float
    room: Room | None = None


@dataclass(slots=True, eq=False)
class Webhook:
    id: str
    person: Person
    name: str
    target_url: str
    resource: str
    event: str
    filter: str | None
    conditions: dict[str, str]
    secret: str | None
    created: float
    active: bool = True
    disabled_at: float = float("-inf")
    failures: deque[float] = field(default_factory=deque)
