from __future__ import annotations

import json
import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain import errors
from bridge.webex.wire_errors import error_from, parse_retry_after

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, 15), ("", 15), ("soon", 15), ("NaN", 15), ("inf", 15), ("1e3", 15), ("9" * 400, 15), ("٣", 15),
        ("3, 4", 15), ("0", 1), ("-5", 15), ("0.2", 1), (" 7 ", 7), ("1.5", 1.5), ("3600", 3600),
        ("86400", 86400), ("999999999", 86400),
        (formatdate(NOW + 90, usegmt=True), 90), (formatdate(NOW - 90, usegmt=True), 1),
        (formatdate(NOW + 9e6, usegmt=True), 86400), ("Wed, 99 Foo 2026 25:00:00 GMT", 15),
    ],
)  # fmt: skip
def test_retry_after_has_one_meaning_in_every_form(value: str | None, wait: float) -> None:
    """Absent or nonsense is 15 s, nothing to wait or the past is 1 s, and no wait is longer than a day."""
    assert parse_retry_after(value, NOW) == pytest.approx(wait)


@given(st.text(max_size=60))
def test_no_retry_after_can_break_the_parser(value: str) -> None:
    """Whatever a gateway writes there, the wait is a number from 1 second to a day."""
    wait = parse_retry_after(value, NOW)
    assert 1 <= wait <= 86400
    assert math.isfinite(wait)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Refused), (401, errors.Unauthorized), (402, errors.Refused), (403, errors.Refused),
        (404, errors.NotFound), (405, errors.Refused), (408, errors.Doubtful), (409, errors.Refused),
        (410, errors.Gone), (413, errors.Refused), (415, errors.Refused), (422, errors.Refused),
        (423, errors.Scanning), (428, errors.Unscannable), (429, errors.Throttled), (301, errors.Doubtful),
        (500, errors.Doubtful), (502, errors.Doubtful), (503, errors.Doubtful), (504, errors.Doubtful),
        (599, errors.Doubtful), (799, errors.Doubtful), (100, errors.Doubtful),
    ],
)  # fmt: skip
def test_every_status_has_its_error(status: int, kind: type[errors.WebexError]) -> None:
    """The error's type says what the caller may do next."""
    error = error_from(status, {}, b"", NOW)
    assert type(error) is kind
    assert error.status == status
    assert error.reason


def test_the_reason_is_webex_own_sentence() -> None:
    """Message and description are told together, with the tracking id of the header or of the body."""
    body = json.dumps(
        {"message": "No.", "errors": [{"description": "Client Id is invalid"}], "trackingId": "R_2"}
    )
    assert str(error_from(400, {"trackingid": "R_1"}, body.encode(), NOW)) == (
        "400 No.: Client Id is invalid (tracking id R_1)"
    )
    assert error_from(400, {}, body.encode(), NOW).tracking_id == "R_2"


def test_a_secret_echoed_by_webex_does_not_reach_the_reason() -> None:
    """Neither a known short token nor anything that looks like one is told."""
    jwt = "eyJhbGciOiJSUzI1NiJ9." + "a1B2" * 30
    body = json.dumps({"message": f"bad hush, Bearer abc and {jwt}\r\nInjected: line\x1b[31m"})
    reason = error_from(403, {}, body.encode(), NOW, secrets=["hush"]).reason
    assert reason == "bad ***, *** and *** Injected: line [31m"


def test_a_long_reason_is_cut() -> None:
    """A reason has at most 300 characters."""
    body = json.dumps({"message": "no way " * 200})
    assert len(error_from(500, {}, body.encode(), NOW).reason) == 300


@given(
    st.integers(0, 999), st.dictionaries(st.text(max_size=12), st.text(max_size=20)), st.binary(max_size=200)
)
def test_any_answer_becomes_a_typed_error(status: int, headers: dict[str, str], body: bytes) -> None:
    """No status, header or body makes the mapping fail."""
    error = error_from(status, headers, body, NOW)
    assert isinstance(error, errors.WebexError)
    assert error.reason.isprintable()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000, b'{"message": {"a": 1}}', b'{"errors": "x"}', b'{"errors": [7]}',
        b'{"trackingId": 5}', b"\xff\xfe", b"<html>429</html>", b"null", b'{"message": "\\ud800"}',
    ],
)  # fmt: skip
def test_an_odd_body_leaves_the_status_to_speak(body: bytes) -> None:
    """HTML, too deep, or other JSON than documented: the error is still told in plain words."""
    error = error_from(429, {"Retry-After": "3"}, body, NOW)
    assert isinstance(error, errors.Throttled)
    assert error.retry_after == 3
    error.reason.encode()
