"""Frames of Webex's websocket: what is read of them, and what is not."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.webex.socket_frames import (
    LARGEST_FRAME,
    Frame,
    Kind,
    acknowledgement,
    authorization,
    may_come_back,
    ping,
    public_id,
    read_frame,
    wait_before,
)

UUID = "01234567-89ab-4def-8123-456789abcdef"
ACTIVITY: dict[str, Any] = {
    "id": UUID,
    "verb": "post",
    "actor": {"emailAddress": "kim@example.com", "entryUUID": UUID},
    "target": {"id": "room", "url": "https://conv.wbx2.com/conversation/api/v1/conversations/room"},
}


def event(**changes: Any) -> str:
    data = {"eventType": "conversation.activity", "activity": {**ACTIVITY, **changes}}
    return json.dumps({"id": "e-1", "sequenceNumber": 7, "data": data})


def test_what_is_told() -> None:
    """Ready, a pong, a shutdown; a message, and a pressed button, by whom and where."""
    ready = '{"id": "a", "sequenceNumber": 1, "data": {"eventType": "mercury.buffer_state"}}'
    assert read_frame(ready) == Frame(Kind.READY, "a", 1)
    assert read_frame('{"id": "b", "type": "pong"}').kind is Kind.PONG
    assert read_frame('{"type": "shutdown"}').kind is Kind.SHUTDOWN
    address = ACTIVITY["target"]["url"]
    whole = Frame(Kind.MESSAGE, "e-1", 7, "kim@example.com", UUID, UUID, address, "room")
    assert read_frame(event()) == whole
    assert read_frame(event(verb="share")).kind is read_frame(event(verb="update")).kind is Kind.MESSAGE
    assert read_frame(event(verb="cardAction")).kind is Kind.PRESS


@pytest.mark.parametrize(
    "frame",
    [
        "", "{", "[]", "null", "5", '{"data": 5}', '{"data": {"eventType": "conversation.activity"}}', "[" * 10_000,
        event(verb="delete"), event(id="not-a-uuid"), event(id=5), event(actor=None), event(actor={"entryUUID": UUID}),
        event(verb=["post"]), '{"id": 5, "sequenceNumber": true, "type": ["pong"]}',
    ],
)  # fmt: skip
def test_what_is_nothing_to_us(frame: str) -> None:
    """Neither an error nor an event."""
    assert read_frame(frame).kind is Kind.OTHER


def test_a_frame_that_is_too_large_is_not_read() -> None:
    """Whoever sends it holds up nobody."""
    large = event() + " " * LARGEST_FRAME
    assert read_frame(large) == Frame(Kind.OTHER)


NAMES = st.sampled_from(
    ["id", "type", "data", "activity", "verb", "actor", "target", "eventType", "sequenceNumber"]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=20,
)


@given(ANY_JSON)
def test_any_json_is_read(value: Any) -> None:
    """Whatever comes, a frame is made of it."""
    assert isinstance(read_frame(json.dumps(value)), Frame)


def test_what_is_said() -> None:
    """The three frames that a client sends."""
    assert json.loads(authorization("i", "t")) == {
        "id": "i",
        "type": "authorization",
        "data": {"token": "Bearer t"},
    }
    assert json.loads(ping("i")) == {"id": "i", "type": "ping"}
    assert json.loads(acknowledgement("i")) == {"messageId": "i", "type": "ack"}
    made = public_id("PEOPLE", UUID)
    assert b64decode(made + "==").decode() == f"ciscospark://us/PEOPLE/{UUID}"


@pytest.mark.parametrize(
    ("code", "reason", "again"),
    [
        (4001, "", False), (1000, "", False), (1000, "Idle", True), (1000, "done (forced)", True), (3050, "", False),
        (3050, "pong not received", True), (1001, "", True), (1006, "", True), (None, "", True), (1011, "x", True),
    ],
)  # fmt: skip
def test_who_may_come_back(code: int | None, reason: str, again: bool) -> None:
    """A replaced one does not; one that was closed in good order only for the known reasons."""
    assert may_come_back(code, reason) is again


def test_waits_double_up_to_half_a_minute() -> None:
    """1 s, 2 s, 4 s ... 32 s, a quarter less at most."""
    assert [wait_before(attempt, 0) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 32, 32]
    assert wait_before(3, 1) == 3
