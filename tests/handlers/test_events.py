"""POST /v1/events/{source}: who may, what is taken, what is answered, in the contract's order."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from typing import Any

import pytest

from bridge.simulator import Simulator
from handlers.events import EventData
from tests.handlers.conftest import SETUP
from tests.harness import SECRET, RunningBridge, running, signed

OPENING = {
    "type": "conversation.requested",
    "data": {"subject": "ada", "displayName": "Ada", "message": "hello"},
}


async def post(
    bridge: RunningBridge, body: bytes, source: str = "kiosk", secret: bytes = SECRET, **headers: str
) -> tuple[int, Any]:
    """A signed event of raw bytes; `headers` with underscores for hyphens, an empty one is left out."""
    given = signed(body, secret, bridge.clock.now())
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    given = {name: value for name, value in given.items() if value}
    async with bridge.session.post(
        f"{bridge.url}/v1/events/{source}", data=body, headers=given, skip_auto_headers=["Content-Type"]
    ) as answer:
        assert answer.status < 400 or answer.content_type == "application/problem+json"
        return answer.status, await answer.json(content_type=None) | {"headers": dict(answer.headers)}


async def refused(bridge: RunningBridge, body: Any) -> list[str]:
    """The fields that a 422 names."""
    status, answer = await post(bridge, body if isinstance(body, bytes) else json.dumps(body).encode())
    assert status == 422, answer
    return [error["field"] for error in answer["errors"]]


def opening(**data: Any) -> dict[str, Any]:
    return {**OPENING, "data": {**OPENING["data"], **data}}  # type: ignore[dict-item]


async def test_checks_come_in_the_contract_s_order(bridge: RunningBridge) -> None:
    """404 source, 413, 401, 415, 400, 422, 409: the first thing wrong is the one that is told."""
    large, wrong = b"x" * 65_537, b"wrong"
    assert (await post(bridge, large, "nobody", wrong, Content_Type="text/plain"))[0] == 404
    assert (await post(bridge, large, "kiosk", wrong, Content_Type="text/plain"))[0] == 413
    assert (await post(bridge, b"{", "kiosk", wrong, Content_Type="text/plain"))[0] == 401
    assert (await post(bridge, b"{", Content_Type="text/plain"))[0] == 415
    assert (await post(bridge, b"{"))[0] == 400
    assert (await post(bridge, b'{"type": "message.created", "data": {"subject": "nobody"}}'))[0] == 422
    said = {"type": "message.created", "data": {"subject": "nobody", "message": "hello"}}
    assert (await post(bridge, json.dumps(said).encode()))[0] == 409


async def test_largest_body_is_taken_and_a_byte_more_is_not(bridge: RunningBridge) -> None:
    """At most 64 KiB, told by Content-Length or counted as it comes."""
    body = json.dumps(opening(message="")).encode()
    full = json.dumps(opening(message="x" * (65_536 - len(body)))).encode()
    assert len(full) == 65_536
    assert (await post(bridge, full))[0] == 202
    assert (await post(bridge, full + b" "))[0] == 413

    async def pieces() -> Any:
        for _ in range(70):
            yield b"x" * 1024

    async with bridge.session.post(f"{bridge.url}/v1/events/kiosk", data=pieces()) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_id": ""}, {"webhook_timestamp": ""}, {"webhook_signature": ""}, {"webhook_id": "another"},
        {"webhook_timestamp": "soon"}, {"webhook_timestamp": "-1"}, {"webhook_timestamp": "9" * 400},
        {"webhook_timestamp": "1e9"}, {"webhook_timestamp": "١٢٣"}, {"webhook_signature": "v1,"},
        {"webhook_signature": "v1"}, {"webhook_signature": "v1,!!!"}, {"webhook_signature": "v1a,AAAA"},
        {"webhook_signature": "v1,AAAA v1,BBBB v2,CCCC"}, {"webhook_signature": "v1,é"},
    ],
)  # fmt: skip
async def test_whatever_is_wrong_with_the_signature_is_one_401(
    bridge: RunningBridge, headers: dict[str, str]
) -> None:
    """Nobody learns from the answer what was wrong."""
    body = json.dumps(OPENING).encode()
    status, answer = await post(bridge, body, **headers)
    _, plain = await post(bridge, body, secret=b"wrong")
    assert status == 401
    for one in (answer, plain):
        one.pop("headers")
    assert answer == plain


async def test_signature_lives_five_minutes_either_way(bridge: RunningBridge) -> None:
    """300 seconds of difference are forgiven, more are not."""
    body, now = json.dumps(OPENING).encode(), bridge.clock.now()
    for seconds, expected in ((-295, 202), (295, 202), (-310, 401), (310, 401)):
        headers = signed(body, SECRET, now + seconds)
        async with bridge.session.post(f"{bridge.url}/v1/events/kiosk", data=body, headers=headers) as answer:
            assert answer.status == expected, seconds


async def test_one_right_signature_among_several_is_enough(bridge: RunningBridge) -> None:
    """During a rotation the sender signs with both secrets."""
    body = json.dumps(OPENING).encode()
    good = signed(body, SECRET, bridge.clock.now(), "rotated")
    given = f"v1a,AAAA v1,AAAA {good['webhook-signature']}"
    status, _ = await post(bridge, body, **{**good, "webhook-signature": given})
    assert status == 202


async def test_page_source_takes_no_event(bridge: RunningBridge) -> None:
    """A source that has no secret cannot sign, so nothing proves an event to be its own."""
    empty = base64.b64encode(hmac.digest(b"", b"1.1.{}", hashlib.sha256)).decode()
    status, _ = await post(bridge, b"{}", "lobby", webhook_signature=f"v1,{empty}")
    assert status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": ""},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/jsonx"},
        {"Content_Type": "multipart/form-data"},
        {"Content_Type": ";;;"},
        {"Content_Type": "application/json; charset=utf-16"},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "identity"},
        {"Content_Encoding": "nonsense"},
    ],
)
async def test_what_does_not_say_it_is_plain_json_is_415(
    bridge: RunningBridge, headers: dict[str, str]
) -> None:
    """Also a Content-Encoding of any name; nothing is unpacked on the way."""
    body = gzip.compress(json.dumps(OPENING).encode()) if headers.get("Content_Encoding") == "gzip" else b"{}"
    assert (await post(bridge, body, **headers))[0] == 415


@pytest.mark.parametrize(
    "kind", ["application/json", "application/JSON; charset=UTF-8", "application/vnd.x+json"]
)
async def test_json_by_any_of_its_names_is_taken(bridge: RunningBridge, kind: str) -> None:
    """A charset that is UTF-8 and the +json types are JSON."""
    assert (await post(bridge, json.dumps(OPENING).encode(), Content_Type=kind))[0] == 202


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nope", b"{'a': 1}", b"\xff", b'{"a": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}", b'{"a": NaN}',
        b'{"a": Infinity}', b'{"a": -Infinity}', b"[" * 101 + b"]" * 101, b"[" * 30_000, b'{"a":' * 13_000,
        b'{"a": ' + b"9" * 5000 + b"}", b"{} {}", b'{"a": "\x00"}', b'{"a": 01}',
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
async def test_what_is_not_json_is_400(bridge: RunningBridge, body: bytes) -> None:
    """NaN, Infinity, a nesting over 100 and invalid UTF-8 are not JSON either."""
    assert (await post(bridge, body))[0] == 400


async def test_nesting_of_a_hundred_is_taken(bridge: RunningBridge) -> None:
    """The event, its data, the context and 97 lists with a number in them; one more is refused."""
    inner: Any = [1, []]
    for _ in range(95):
        inner = [inner]
    assert (await post(bridge, json.dumps(opening(context={"a": inner})).encode()))[0] == 202
    assert (await post(bridge, json.dumps(opening(context={"a": [inner]})).encode()))[0] == 400


@pytest.mark.parametrize(
    "body", [b"[]", b"5", b"null", b'"text"', b"true", b"{}", b'{"type": [], "data": 1}']
)
async def test_json_that_is_no_event_names_what_is_wrong(bridge: RunningBridge, body: bytes) -> None:
    """It is JSON, so it is 422 and not 400."""
    assert await refused(bridge, body)


async def test_every_wrong_field_is_named(bridge: RunningBridge) -> None:
    """Wrong and missing ones at once."""
    data = {
        "store": 5,
        "topic": [],
        "files": ["ftp://x"],
        "context": "text",
        "message": 1,
        "language": "x" * 36,
    }
    fields = await refused(bridge, {"type": "conversation.requested", "data": data, "timestamp": 5})
    assert set(fields) == {
        "timestamp", "data.subject", "data.displayName", "data.store", "data.topic", "data.files.0", "data.context",
        "data.message", "data.language",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"subject": ""}, "data.subject"),
        ({"subject": "x" * 256}, "data.subject"),
        ({"subject": None}, "data.subject"),
        ({"subject": 5}, "data.subject"),
        ({"subject": True}, "data.subject"),
        ({"subject": ["a"]}, "data.subject"),
        ({"displayName": ""}, "data.displayName"),
        ({"displayName": "x" * 129}, "data.displayName"),
        ({"displayName": " \t\n"}, "data.displayName"),
        ({"files": ["http://example.com/a"]}, "data.files.0"),
        ({"files": ["https://u:p@example.com/a"]}, "data.files.0"),
        ({"files": "https://example.com"}, "data.files"),
        ({"files": ["https://example.com/a.png", "https://example.com/evil%2Eexe?x=.png"]}, "data.files.1"),
        ({"files": ["https://example.com/a.html#b.png"]}, "data.files.0"),
        ({"context": {"a": float("1e308") * 10}}, ""),
    ],
)
async def test_field_out_of_bounds_is_named(bridge: RunningBridge, data: dict[str, Any], field: str) -> None:
    """Nothing is coerced: a number is not a text."""
    body = json.dumps(opening(**data)).replace("Infinity", "1e999").encode()
    assert await refused(bridge, body) == [field or "data.context"]


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "a\udfff"])
async def test_nul_and_half_characters_are_refused_in_every_text(bridge: RunningBridge, bad: str) -> None:
    """422 in whatever is stored or shown; what is ignored is ignored."""
    for name in ("subject", "displayName", "message", "store", "topic", "language", "conversationId"):
        assert await refused(bridge, opening(**{name: bad})) == [f"data.{name}"]
    assert await refused(bridge, opening(files=[f"https://example.com/{bad}"])) == ["data.files.0"]
    assert await refused(bridge, opening(context={"a": [{"b": bad}]})) == ["data.context"]
    assert (await refused(bridge, opening(context={bad: 1})))[0].startswith("data.context")
    assert await refused(bridge, {**OPENING, "timestamp": bad}) == ["timestamp"]
    assert await refused(bridge, {**OPENING, "type": bad}) == ["type"]
    ignored = {**opening(unknown=bad, **{bad: bad}), bad: {"deep": [bad]}}
    assert (await post(bridge, json.dumps(ignored).encode()))[0] == 202


async def test_null_and_unknown_fields_are_no_fault(bridge: RunningBridge) -> None:
    """Optional fields may be null or absent, unknown ones are ignored, the timestamp is the sender's affair."""
    nulls = dict.fromkeys(("message", "files", "store", "topic", "language", "context", "conversationId"))
    event = {**opening(**nulls, colour="blue"), "timestamp": None, "version": 7}
    assert (await post(bridge, json.dumps(event).encode()))[0] == 202
    assert (await post(bridge, json.dumps({**OPENING, "timestamp": "yesterday"}).encode()))[0] == 202


async def test_characters_are_counted_not_bytes(bridge: RunningBridge) -> None:
    """255 and 128 characters of any script."""
    event = opening(subject="😀" * 255, displayName="字" * 128)
    assert (await post(bridge, json.dumps(event).encode()))[0] == 202


async def test_last_of_two_equal_keys_counts(bridge: RunningBridge) -> None:
    """As in every common parser."""
    body = json.dumps(OPENING).replace('"subject": "ada"', '"subject": 5, "subject": "ada"').encode()
    assert (await post(bridge, body))[0] == 202


async def test_mapped_source_survives_any_body() -> None:
    """Expressions over a sender's own payload meet what they were not made for: 422, never a crash."""
    setup = json.loads(json.dumps(SETUP))
    setup["sources"]["kiosk"]["map"] = {
        "subject": "form.id", "displayName": "join(' ', [form.first, form.last])", "message": "form.fields[0].value",
        "topic": "to_number(form.topic)", "context": "form",
    }  # fmt: skip
    async with Simulator() as sim, running(setup, sim) as bridge:
        good = {"form": {"id": 48213, "first": "Ada", "last": "L.", "fields": [{"value": "hello"}]}}
        assert (await post(bridge, json.dumps(good).encode()))[0] == 202
        for bad in (
            {},
            [],
            5,
            {"form": []},
            {"form": {"id": "\ud800", "first": "A", "last": "\x00"}},
            {"form": {"id": 1e999, "first": 5, "last": {}}},
            {"form": {"id": 1e999, "first": "A", "last": "B"}},
            {"form": {"id": {"a": 1}, "first": "A", "last": "B"}},
        ):
            body = json.dumps(bad).replace("Infinity", "1e999").encode()
            assert (await post(bridge, body))[0] == 422, bad


async def test_words_that_nobody_can_see_are_refused(bridge: RunningBridge) -> None:
    """At the senders' door and at the customer's: 422, with the field."""
    assert await refused(bridge, opening(message="\u200b\u2060")) == ["data.message"]
    assert await refused(bridge, opening(displayName="\u3164")) == ["data.displayName"]
    customer = await bridge.opened(message="hello")
    answer = await customer.say("\u200b\u200d")
    assert answer.status == 422


def test_a_language_is_written_with_a_hyphen() -> None:
    """As RFC 5646 has it, however the form service writes it."""
    assert EventData(subject="ada", displayName="Ada", language=" es_MX ").language == "es-MX"
    assert EventData(subject="ada", displayName="Ada", language="en").language == "en"
