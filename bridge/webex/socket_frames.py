"""Frames of Webex's own websocket: bytes in, a value out, and what a closed one means. No I/O.

Cisco documents none of this. Source: public code in use, `webex_bot` 1.3.1 and webex-js-sdk 3.12
(internal-plugin-mercury, internal-plugin-device). So an event is only ever a hint to ask REST.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

PING_SECONDS = 15.0
PONG_SECONDS = 14.0
LARGEST_FRAME = 256 * 1024
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 32.0
_REPLACED = 4001
# Closed for these reasons a socket may come back although its code says that all is well.
_COME_BACK = ("idle", "done (forced)", "pong not received", "pong mismatch")
_MESSAGES = frozenset({"post", "share", "update"})


class Kind(Enum):
    """What a frame is to us."""

    READY = "ready"
    PONG = "pong"
    SHUTDOWN = "shutdown"
    MESSAGE = "message"
    PRESS = "press"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `id`: to be acknowledged, "" where there is none; `sequence`: counts the events, None: not one.

    Of a MESSAGE or PRESS: `email` and `person` (a UUID) of whoever did it; `activity`, its UUID; `target`, the address
    of the conversation, in which `conversation` is its id.
    """

    kind: Kind
    id: str = ""
    sequence: int | None = None
    email: str = ""
    person: str = ""
    activity: str = ""
    target: str = ""
    conversation: str = ""


def read_frame(text: str) -> Frame:
    """Reads a frame; what cannot be read, or is nothing to us, is OTHER."""
    if len(text) > LARGEST_FRAME:
        return Frame(Kind.OTHER)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Frame(Kind.OTHER)
    frame = _object(value)
    ident, sequence = _text(frame.get("id")), frame.get("sequenceNumber")
    number = sequence if type(sequence) is int else None
    match frame.get("type"):
        case "pong":
            return Frame(Kind.PONG, ident)
        case "shutdown":
            return Frame(Kind.SHUTDOWN, ident)
    data = _object(frame.get("data"))
    if data.get("eventType") == "mercury.buffer_state":
        return Frame(Kind.READY, ident, number)
    if data.get("eventType") == "conversation.activity":
        return _event(ident, number, _object(data.get("activity")))
    return Frame(Kind.OTHER, ident, number)


def _event(ident: str, number: int | None, activity: dict[str, Any]) -> Frame:
    actor, target = _object(activity.get("actor")), _object(activity.get("target"))
    verb = _text(activity.get("verb"))
    kind = Kind.PRESS if verb == "cardAction" else Kind.MESSAGE if verb in _MESSAGES else Kind.OTHER
    found = (_uuid(activity.get("id")), _uuid(actor.get("entryUUID")), _text(actor.get("emailAddress")))
    if kind is Kind.OTHER or not all(found):
        return Frame(Kind.OTHER, ident, number)
    where, conversation = _text(target.get("url")), _text(target.get("id"))
    return Frame(kind, ident, number, found[2], found[1], found[0], where, conversation)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 500 else ""


def _uuid(value: Any) -> str:
    try:
        return str(UUID(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def authorization(ident: str, token: str) -> str:
    """Writes the first frame of a socket."""
    return json.dumps({"id": ident, "type": "authorization", "data": {"token": f"Bearer {token}"}})


def ping(ident: str) -> str:
    """Writes the frame that a pong answers."""
    return json.dumps({"id": ident, "type": "ping"})


def acknowledgement(ident: str) -> str:
    """Writes the frame that says an event was heard."""
    return json.dumps({"messageId": ident, "type": "ack"})


def public_id(kind: str, uuid: str) -> str:
    """Makes a public id (base64url) of a UUID; PEOPLE always say `us` (facts 13). `kind`: PEOPLE, ATTACHMENT_ACTION."""
    return b64encode(f"ciscospark://us/{kind}/{uuid}".encode(), altchars=b"-_").decode().rstrip("=")


def may_come_back(code: int | None, reason: str) -> bool:
    """True if a socket that was closed so is to be opened again; a replaced one is not."""
    if code == _REPLACED:
        return False
    return code not in (1000, 3050) or reason.strip().lower() in _COME_BACK


def wait_before(attempt: int, jitter: float) -> float:
    """Seconds before the next attempt: 1 s doubling to 32 s; `jitter` (0 to 1) takes up to a quarter off."""
    return min(_FIRST_WAIT * 2.0 ** max(0, attempt - 1), _LONGEST_WAIT) * (1 - jitter / 4)
