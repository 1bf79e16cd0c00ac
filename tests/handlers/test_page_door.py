"""POST /v1/pages/{source}: a browser begins a conversation, at the right origin and not too often."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from handlers.pages import PER_MINUTE_AND_ADDRESS
from tests.handlers.conftest import OTHER_SHOP, SETUP, SHOP, STRANGER
from tests.harness import RunningBridge, ShiftedClock, eventually


async def start(
    bridge: RunningBridge, body: Any, source: str = "lobby", **headers: str
) -> tuple[int, Any, Any]:
    """(status, JSON, headers); by default from the page's own origin."""
    given = {"Origin": OTHER_SHOP, "Content-Type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with bridge.session.post(
        f"{bridge.url}/v1/pages/{source}",
        data=raw,
        headers={name: value for name, value in given.items() if value},
    ) as answer:
        assert answer.status < 400 or answer.content_type == "application/problem+json"
        return answer.status, await answer.json(content_type=None), answer.headers


async def test_page_begins_a_conversation(bridge: RunningBridge) -> None:
    """202 as for an event; each visit is a customer of its own, under the same name too."""
    status, one, headers = await start(
        bridge, {"displayName": "Ada", "message": "hello", "unknown": "\ud800"}
    )
    assert (status, set(one)) == (
        202,
        {"eventId", "conversationId", "conversationKey", "status", "queuePosition", "opensAt"},
    )
    assert headers["Access-Control-Allow-Origin"] == OTHER_SHOP
    _, two, _ = await start(bridge, {"displayName": "Ada", "message": "again", "subject": "mine"})
    assert one["conversationId"] != two["conversationId"]
    await eventually(lambda: sorted(bridge.texts()) == ["again", "hello"])
    assert len(bridge.world.guests) == 2
    answer = await bridge.customer(one).call("GET", headers={"Origin": OTHER_SHOP})
    assert answer.status == 200


async def test_checks_come_in_order(bridge: RunningBridge) -> None:
    """404 source, 413, 403 origin, 415, 400, 422."""
    assert (await start(bridge, b"x" * 65_537, "nobody", Origin=STRANGER))[0] == 404
    assert (await start(bridge, b"x" * 65_537, "kiosk", Origin=STRANGER))[0] == 404
    assert (await start(bridge, b"x" * 65_537, Origin=STRANGER))[0] == 413
    for origin in (STRANGER, SHOP, "null", "", OTHER_SHOP + ":8443", "\udcff"):
        status, _, headers = await start(bridge, b"{", Content_Type="text/plain", Origin=origin)
        assert status == 403
        assert "Access-Control-Allow-Origin" not in headers
    assert (await start(bridge, b"{", Content_Type="text/plain"))[0] == 415
    assert (await start(bridge, b"{"))[0] == 400
    status, _, headers = await start(bridge, {})
    assert (status, headers["Access-Control-Allow-Origin"]) == (422, OTHER_SHOP)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "displayName"),
        ([], "(body)"),
        (5, "(body)"),
        (None, "(body)"),
        ({"displayName": None}, "displayName"),
        ({"displayName": "x" * 129}, "displayName"),
        ({"displayName": " "}, "displayName"),
        ({"displayName": 5}, "displayName"),
        ({"displayName": "A", "message": 5}, "message"),
        ({"displayName": "A", "message": "\x00"}, "message"),
        ({"displayName": "A", "message": "x" * 8001}, "message"),
        ({"displayName": "A", "topic": "x" * 256}, "topic"),
        ({"displayName": "A", "store": {}}, "store"),
        ({"displayName": "A", "language": "x" * 36}, "language"),
    ],
)
async def test_wrong_field_is_named_as_the_page_named_it(
    bridge: RunningBridge, body: Any, field: str
) -> None:
    """Without the event's `data.` before it."""
    status, answer, _ = await start(bridge, body)
    assert (status, [error["field"] for error in answer["errors"]]) == (422, [field])


async def test_address_may_not_begin_too_often(bridge: RunningBridge, clock: ShiftedClock) -> None:
    """429 with Retry-After by the address that a proxy of ours names; others go on, and so does time."""
    tries = [start(bridge, {"displayName": "Ada"}, X_Forwarded_For="6.6.6.6, 203.0.113.9") for _ in range(40)]
    answers = await asyncio.gather(*tries)
    assert sorted(status for status, _, _ in answers) == [202] * PER_MINUTE_AND_ADDRESS + [429] * 10
    late = next(headers for status, _, headers in answers if status == 429)
    assert int(late["Retry-After"]) >= 1
    assert (await start(bridge, {"displayName": "Ada"}, X_Forwarded_For="9.9.9.9, 203.0.113.9"))[0] == 429
    assert (await start(bridge, {"displayName": "Ada"}, X_Forwarded_For="203.0.113.9, 203.0.113.10"))[
        0
    ] == 202
    assert (await start(bridge, {"displayName": "Ada"}, X_Forwarded_For="nonsense\udcff"))[0] == 202
    clock.shift += int(late["Retry-After"])
    assert (await start(bridge, {"displayName": "Ada"}, X_Forwarded_For="203.0.113.9"))[0] == 202


@pytest.mark.parametrize("allowed", [2, 40])
async def test_source_may_allow_an_address_more_or_fewer(bridge: RunningBridge, allowed: int) -> None:
    """By its `rate_per_minute`; the port that a proxy names beside the address makes nobody another one."""
    lobby = {**SETUP["sources"]["lobby"], "rate_per_minute": allowed}
    await bridge.reload({**SETUP, "sources": {**SETUP["sources"], "lobby": lobby}})
    ports = range(5000, 5000 + allowed + 10)
    tries = [start(bridge, {"displayName": "A"}, X_Forwarded_For=f"203.0.113.7:{port}") for port in ports]
    statuses = [status for status, _, _ in await asyncio.gather(*tries)]
    assert sorted(statuses) == [202] * allowed + [429] * 10


async def test_network_of_an_ipv6_address_counts_as_one(bridge: RunningBridge) -> None:
    """One household has 2^64 addresses."""
    address = "2001:db8:1:2::{:x}".format
    tries = [start(bridge, {"displayName": "A"}, X_Forwarded_For=address(number)) for number in range(31)]
    assert 429 in [status for status, _, _ in await asyncio.gather(*tries)]
    assert (await start(bridge, {"displayName": "A"}, X_Forwarded_For="2001:db8:1:3::1"))[0] == 202


async def test_page_that_lost_our_answer_gets_it_again(bridge: RunningBridge) -> None:
    """The same unguessable Idempotency-Key: the same conversation; a short one counts for nothing."""
    key = str(uuid.uuid4())
    first = await start(bridge, {"displayName": "Ada", "message": "hello"}, Idempotency_Key=key)
    again = await start(bridge, {"displayName": "Eve"}, Idempotency_Key=key)
    assert (first[0], again[0], again[1]) == (202, 200, first[1])
    short = [await start(bridge, {"displayName": "Ada"}, Idempotency_Key="start-button") for _ in range(2)]
    assert len({answer["conversationId"] for _, answer, _ in short}) == 2


async def test_repeat_is_answered_when_the_address_may_begin_no_more(bridge: RunningBridge) -> None:
    """What was accepted is no new load, and counts for no limit."""
    key = str(uuid.uuid4())
    first = await start(bridge, {"displayName": "Ada"}, Idempotency_Key=key)
    for _ in range(PER_MINUTE_AND_ADDRESS):
        again = await start(bridge, {"displayName": "Ada"}, Idempotency_Key=key)
        assert (first[0], again[0], again[1]) == (202, 200, first[1])
    others = [await start(bridge, {"displayName": "A"}) for _ in range(PER_MINUTE_AND_ADDRESS + 1)]
    assert [others[0][0], others[-1][0]] == [202, 429]
    again = await start(bridge, {"displayName": "Ada"}, Idempotency_Key=key)
    assert (again[0], again[1]) == (200, first[1])


async def test_preflight_is_answered_for_the_source_s_own_pages(bridge: RunningBridge) -> None:
    """And for nobody else's."""
    for origin, allowed in ((OTHER_SHOP, OTHER_SHOP), (SHOP, None), (STRANGER, None)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with bridge.session.options(f"{bridge.url}/v1/pages/lobby", headers=headers) as answer:
            assert answer.status == 204
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


async def test_pages_are_only_for_page_sources(bridge: RunningBridge) -> None:
    """The product's own pages of a source that signs, or of none, are not there."""
    for page in ("kiosk", "form"):
        assert (await bridge.get(f"/{page}/lobby"))[0] == 200
        assert (await bridge.get(f"/{page}/kiosk"))[0] == 404
        assert (await bridge.get(f"/{page}/%00%ff"))[0] == 404
