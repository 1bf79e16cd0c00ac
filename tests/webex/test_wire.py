from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import Doubtful, Refused
from bridge.webex import wire

MESSAGE: dict[str, Any] = {
    "id": "M1", "roomId": "R1", "roomType": "direct", "personId": "P1", "personEmail": "amy@example.com",
    "created": "2015-10-18T14:26:16.000Z",
}  # fmt: skip
CREATED = 1445178376.0
CALL: dict[str, Any] = {
    "id": "W1", "name": "n", "resource": "messages", "event": "created", "actorId": "P1", "createdBy": "P2",
    "data": {"id": "M1", "roomId": "R1", "roomType": "direct", "personId": "P1",
             "personEmail": "amy@example.com", "created": "2015-10-18T14:26:16+00:00"},
}  # fmt: skip

PARSERS: list[Callable[[bytes], object]] = [
    wire.parse_message, wire.parse_messages, wire.parse_person, wire.parse_people, wire.parse_webhook,
    wire.parse_webhooks, wire.parse_attachment_action, wire.parse_minted_guest, wire.parse_jwt_login,
    wire.parse_access_grant, wire.parse_guest_count, wire.parse_webhook_call,
]  # fmt: skip

FIELDS = st.sampled_from(
    [
        "id", "roomId", "personId", "created", "items", "data", "token", "expiresIn", "accessToken",
        "access_token", "expires_in", "refresh_token", "emails", "files", "errors", "inputs", "messageId",
        "resource", "event", "text",
    ]
)  # fmt: skip
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.just(MESSAGE["created"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=8),
    max_leaves=12,
)


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


@given(st.sampled_from(PARSERS), JUNK)
def test_any_json_is_a_value_or_a_typed_error(parse: Callable[[bytes], object], value: object) -> None:
    """Junk with the right names raises Doubtful (answers) or Refused (webhook calls), never anything else."""
    chained = None
    try:
        parse(encoded(value))
    except (Doubtful, Refused) as error:
        chained = error.__context__
    assert chained is None  # it could hold the body, and a token in it


@given(st.sampled_from(PARSERS), st.binary(max_size=100))
def test_any_bytes_are_a_value_or_a_typed_error(parse: Callable[[bytes], object], body: bytes) -> None:
    """The same for what is not JSON at all."""
    try:
        parse(body)
    except (Doubtful, Refused):
        return


@pytest.mark.parametrize(
    "body", [b"", b"[" * 100_000, b"<html>", b'{"id":', b"\xff\xfe\x00", b'"x"', b"9" * 5000]
)
def test_what_is_no_json_object_is_doubtful(body: bytes) -> None:
    """A 2xx that cannot be read may have been done."""
    with pytest.raises(Doubtful):
        wire.parse_message(body)


def test_a_message_needs_only_what_webex_always_sends() -> None:
    """Optional fields may be missing, and both forms of a time are the same instant."""
    message = wire.parse_message(encoded(MESSAGE))
    assert (message.id, message.text, message.files, message.created) == ("M1", None, (), CREATED)
    other = wire.parse_message(encoded(MESSAGE | {"created": "2015-10-18T14:26:16+00:00"}))
    assert other.created == CREATED


@pytest.mark.parametrize(
    "change",
    [
        {"id": None}, {"id": 5}, {"id": "a b"}, {"id": "x" * 600}, {"id": "a\nb"}, {"created": "yesterday"},
        {"created": 5}, {"text": 5}, {"files": "f"}, {"files": [1]}, {"personId": ""}, {"roomId": "\ud800"},
    ],
)  # fmt: skip
def test_a_malformed_message_is_refused(change: dict[str, Any]) -> None:
    """A wrong type is told by the field's name, never by its value."""
    with pytest.raises(Doubtful, match=next(iter(change))):
        wire.parse_message(encoded(MESSAGE | change))


def test_texts_can_always_be_stored() -> None:
    """NUL and lone surrogates, which a database refuses, are taken out of texts."""
    message = wire.parse_message(encoded(MESSAGE | {"text": "a\x00b\ud800c", "html": "<b>ü</b>"}))
    assert message.text is not None
    assert message.text.startswith("ab")
    message.text.encode()
    assert message.html == "<b>ü</b>"


def test_a_message_that_could_not_be_decrypted_has_no_text() -> None:
    """A kms_failure in one item marks that item alone."""
    bad = MESSAGE | {"text": "eyJ...", "errors": {"text": {"code": "kms_failure", "reason": "later"}}}
    first, second = wire.parse_messages(encoded({"items": [bad, MESSAGE | {"text": "hi"}]}))
    assert (first.kms_failed, first.text) == (True, None)
    assert (second.kms_failed, second.text) == (False, "hi")


@pytest.mark.parametrize(
    ("given", "seconds"), [(64799, 64799), ("600", 600), (" 6 ", 6), (1.5, 1.5), (10**30, 315360000)]
)
def test_a_lifetime_is_a_number_or_a_string(given: object, seconds: float) -> None:
    """/jwt/login sends a string; a huge number stays inside the calendar."""
    assert wire.parse_jwt_login(encoded({"token": "T", "expiresIn": given})).expires_in == seconds


@pytest.mark.parametrize(
    "given", [None, 0, -1, "0", "-3", True, "soon", "NaN", float("nan"), float("inf"), [], "٣"]
)
def test_a_lifetime_of_nothing_or_nonsense_is_refused(given: object) -> None:
    """A token of which nobody knows how long it lives cannot be lent."""
    with pytest.raises(Doubtful):
        wire.parse_minted_guest(encoded({"accessToken": "T", "expiresIn": given}))


def test_a_guest_token_that_fits_no_header_is_refused() -> None:
    """A line break in a token would be a header of its own."""
    with pytest.raises(Doubtful):
        wire.parse_minted_guest(encoded({"accessToken": "a\r\nX: y", "expiresIn": 5}))


def test_an_access_grant_may_lack_its_refresh_token() -> None:
    """Only access_token and expires_in are needed, and no repr shows a token."""
    grant = wire.parse_access_grant(encoded({"access_token": "hush", "expires_in": "1209600"}))
    assert (grant.refresh_token, grant.refresh_expires_in, grant.expires_in) == (None, None, 1209600)
    assert "hush" not in repr(grant)


@pytest.mark.parametrize(("body", "count"), [(b"112", 112), (b" 7\n", 7), (b"0", 0)])
def test_the_guest_count_is_a_bare_integer(body: bytes, count: int) -> None:
    """GET /guests/count answers text/plain, no object."""
    assert wire.parse_guest_count(body) == count


@pytest.mark.parametrize("body", [b"", b"1.5", b'{"count": 1}', b"-1", b"9" * 40, b"<html>", b"\xd9\xa3"])
def test_any_other_guest_count_is_doubtful(body: bytes) -> None:
    """What is no integer is not guessed at."""
    with pytest.raises(Doubtful):
        wire.parse_guest_count(body)


def test_admin_flags_are_read_as_strings_and_as_truths() -> None:
    """`invitePending` and `loginEnabled` are the strings "true" and "false"."""
    person = wire.parse_person(
        encoded({"id": "P", "invitePending": "true", "loginEnabled": False, "emails": None})
    )
    assert (person.invite_pending, person.login_enabled, person.emails) == (True, False, ())


def test_a_webhook_hides_its_secret() -> None:
    """Webex echoes the secret; a log of the value does not."""
    hook = wire.parse_webhook(
        encoded(
            {
                "id": "W",
                "name": "n",
                "targetUrl": "u",
                "resource": "messages",
                "event": "created",
                "secret": "hush",
            }
        )
    )
    assert hook.secret == "hush"
    assert "hush" not in repr(hook)


def test_a_webhook_call_gives_ids_only() -> None:
    """For messages the object is the message; for card actions the message is named apart."""
    call = wire.parse_webhook_call(encoded(CALL))
    assert (call.webhook_id, call.object_id, call.message_id, call.created) == ("W1", "M1", "M1", CREATED)
    assert (call.actor_id, call.created_by, call.room_id, call.person_email) == (
        "P1",
        "P2",
        "R1",
        "amy@example.com",
    )
    action = CALL | {"resource": "attachmentActions", "data": {"id": "A1", "messageId": "M9"}}
    assert wire.parse_webhook_call(encoded(action)).message_id == "M9"


@pytest.mark.parametrize("change", [{"data": None}, {"data": []}, {"data": {}}, {"id": None}, {"event": 5}])
def test_a_malformed_webhook_call_is_refused(change: dict[str, Any]) -> None:
    """It is the sender's fault, so it is Refused and not Doubtful."""
    with pytest.raises(Refused):
        wire.parse_webhook_call(encoded(CALL | change))


def test_an_action_keeps_its_inputs() -> None:
    """What was filled into a card stays as it is; none is an empty object."""
    fields = {"id": "A", "messageId": "M", "personId": "P", "roomId": "R", "type": "submit"}
    assert wire.parse_attachment_action(encoded(fields | {"inputs": {"x": [1]}})).inputs == {"x": [1]}
    assert wire.parse_attachment_action(encoded(fields)).inputs == {}
