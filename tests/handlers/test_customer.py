"""The customer's API: one key, one conversation, and nothing after its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog

from bridge.simulator import Simulator
from tests.customers import Customer
from tests.handlers.conftest import OTHER_SHOP, SETUP, SHOP, STRANGER
from tests.harness import AMY, RunningBridge, ShiftedClock, config, eventually, running

STATE = {"id", "status", "agent", "queuePosition", "opensAt", "startedAt", "endedAt", "endReason"}
ITEM = {"seq", "id", "from", "text", "html", "files", "at", "delivery"}
DOORS = [
    ("GET", ""), ("GET", "/messages"), ("POST", "/messages"), ("POST", "/end"), ("GET", "/stream"),
    ("GET", "/guest-token"), ("GET", "/files/abc"),
]  # fmt: skip
_OWN = ("Date", "X-Request-ID")  # of each answer its own


def guest(bridge: RunningBridge) -> Any:
    return next(iter(bridge.world.guests.values()))


async def answer_of(
    bridge: RunningBridge, method: str, address: str, **options: Any
) -> tuple[int, Any, dict[str, str]]:
    async with bridge.session.request(method, bridge.url + address, **options) as answer:
        headers = {name: value for name, value in answer.headers.items() if name not in _OWN}
        return answer.status, await answer.json(content_type=None), headers


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_wrong_key_and_unknown_conversation_look_the_same(
    bridge: RunningBridge, method: str, path: str
) -> None:
    """The same 401, to the last header but the request's name, whatever is wrong, also with an Origin."""
    ada, bob = await bridge.opened("ada"), await bridge.opened("bob")
    answers = []
    for ident, authorization in (
        (ada.id, None), (ada.id, "Bearer"), (ada.id, "Bearer wrong"), (ada.id, f"Bearer {bob.key}"),
        (ada.id, f"Basic {ada.key}"), (ada.id, f"Basic Bearer {ada.key}"), ("0" * 24, f"Bearer {ada.key}"),
        ("0" * 24, None), ("a%00b", f"Bearer {ada.key}"), ("x" * 3000, None),
    ):  # fmt: skip
        headers = {"Origin": SHOP} | ({"Authorization": authorization} if authorization else {})
        address = f"/v1/conversations/{ident}{path}"
        answers.append(await answer_of(bridge, method, address, headers=headers))
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)


async def test_key_in_the_address_opens_only_the_stream(bridge: RunningBridge) -> None:
    """EventSource cannot send a header; everything else can, and addresses are written into logs."""
    ada = await bridge.opened("ada")
    async with bridge.session.get(f"{bridge.url}/v1/conversations/{ada.id}/stream?key={ada.key}") as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
    for path in ("", "/messages", "/guest-token"):
        assert (await answer_of(bridge, "GET", f"/v1/conversations/{ada.id}{path}?key={ada.key}"))[0] == 401


async def test_scheme_of_the_key_is_read_in_any_case(bridge: RunningBridge) -> None:
    """`bearer` is `Bearer` (RFC 9110 11.1)."""
    ada = await bridge.opened("ada")
    headers = {"Authorization": f"bearer {ada.key}"}
    assert (await answer_of(bridge, "GET", f"/v1/conversations/{ada.id}", headers=headers))[0] == 200


async def test_state_and_items_have_exactly_the_contract_s_members(bridge: RunningBridge) -> None:
    """Open: an agent with a name, no place in a queue, no end."""
    ada = await bridge.opened("ada", "hello")
    await eventually(lambda: bridge.texts())
    bridge.world.say(AMY, guest(bridge).id, text="Hi")
    items = await eventually(lambda: two_items(ada))
    state = await ada.state()
    assert set(state) == STATE
    assert (state["status"], state["agent"], state["queuePosition"], state["opensAt"]) == (
        "open", {"name": "Amy"}, None, None,
    )  # fmt: skip
    assert (state["endedAt"], state["endReason"]) == (None, None)
    assert [set(item) for item in items] == [ITEM, ITEM]
    assert [(item["seq"], item["from"], item["delivery"]) for item in items] == [
        (1, "customer", "sent"), (2, "agent", None),
    ]  # fmt: skip


async def two_items(customer: Customer) -> Any:
    items = await customer.messages()
    return items if len(items) == 2 and items[0]["delivery"] == "sent" else None


async def test_messages_after_a_number(bridge: RunningBridge) -> None:
    """Only newer ones; a huge number is none, what is no number is named."""
    ada = await bridge.opened("ada", "one")
    await ada.say("two")
    await eventually(lambda: bridge.texts() == ["one", "two"])
    assert [item["text"] for item in await ada.messages(1)] == ["two"]
    assert await ada.messages(2) == await ada.messages(10**30) == []
    assert len((await ada.call("GET", "/messages?after=")).body["items"]) == 2
    for bad in ("-1", "x", "1.5", "1e3", "%00", "١"):
        answer = await ada.call("GET", f"/messages?after={bad}")
        assert (answer.status, answer.body["errors"][0]["field"]) == (422, "after")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, b"{}", None), (422, b"[]", None), (422, b'{"text": 5}', None), (422, b'{"text": " \\n"}', None),
        (422, b'{"text": "a\\u0000"}', None), (422, b'{"text": "\\ud800"}', None), (400, b"{", None),
        (400, b'{"text": NaN}', None), (415, b"{}", "text/plain"), (413, b"x" * 65_537, None),
        (415, b"text=a", "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
async def test_words_that_are_none_are_refused(
    bridge: RunningBridge, status: int, body: bytes, kind: str | None
) -> None:
    """Each with its own status, as for events."""
    ada = await bridge.opened("ada")
    answer = await ada.call(
        "POST", "/messages", data=body, headers={"Content-Type": kind or "application/json"}
    )
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_idempotency_key_makes_one_message_of_many(bridge: RunningBridge) -> None:
    """Repeats at once and later, also with another text, answer the same and send nothing."""
    ada = await bridge.opened("ada")
    answers = await asyncio.gather(*(ada.say("hello", "key-1") for _ in range(50)))
    answers.append(await ada.say("something else", "key-1"))
    answers.append(await ada.say("bytes in the key", "\udcff\udcfe"))
    answers.append(await ada.say("long key", "k" * 5000))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.body["id"] for answer in answers}) == 3
    await eventually(lambda: bridge.texts() == ["hello", "bytes in the key", "long key"])


async def test_idempotency_keys_are_each_conversation_s_own(bridge: RunningBridge) -> None:
    """Another customer's equal key is another message."""
    ada, bob = await bridge.opened("ada"), await bridge.opened("bob")
    assert (await ada.say("from ada", "1")).body["id"] != (await bob.say("from bob", "1")).body["id"]
    await eventually(lambda: sorted(bridge.texts()) == ["from ada", "from bob"])


async def test_end_by_the_customer_kills_the_key_at_once(bridge: RunningBridge) -> None:
    """200 with the ended state, then 410 at every door, although nothing was decided yet."""
    ada = await bridge.opened("ada", "hello")
    answer = await ada.end()
    assert answer.status == 200
    assert set(answer.body) == STATE
    assert (answer.body["status"], answer.body["endReason"]) == ("ended", "customer")
    assert (answer.body["queuePosition"], answer.body["opensAt"]) == (None, None)
    assert answer.body["endedAt"]
    for method, path in DOORS:
        gone = await ada.call(method, path)
        assert gone.status == 410
        assert gone.headers["Content-Type"] == "application/problem+json"


async def test_ends_at_once_are_one_end(bridge: RunningBridge) -> None:
    """Each is answered 200 or finds the key dead."""
    ada = await bridge.opened("ada", "hello")
    answers = await asyncio.gather(*(ada.end() for _ in range(10)))
    assert {answer.status for answer in answers} <= {200, 410}
    assert 200 in {answer.status for answer in answers}


@pytest.mark.parametrize("by", ["agent", "source"])
async def test_end_by_others_can_be_read_for_ten_minutes(
    bridge: RunningBridge, clock: ShiftedClock, by: str
) -> None:
    """GET answers, POST says 409; after ten minutes 410."""
    ada = await bridge.opened("ada", "hello")
    await eventually(lambda: bridge.texts())
    if by == "agent":
        bridge.world.say(AMY, guest(bridge).id, text="/done")
    else:
        assert (await bridge.event("conversation.ended", subject="ada"))[0] == 202
    await eventually(lambda: has_ended(ada))
    state = await ada.state()
    assert (state["status"], state["endReason"]) == ("ended", by)
    assert (await ada.say("late")).status == 409
    assert (await ada.messages())[0]["text"] == "hello"
    clock.shift += 595
    assert (await ada.call("GET")).status == 200
    clock.shift += 10
    assert {(await ada.call(method, path)).status for method, path in DOORS} == {410}


async def has_ended(customer: Customer) -> bool:
    return bool((await customer.state())["status"] == "ended")


async def test_customer_may_close_what_others_ended(bridge: RunningBridge) -> None:
    """What could still be read is dead from then on: the next person at the kiosk reads nothing."""
    ada = await bridge.opened("ada", "hello")
    await bridge.event("conversation.ended", subject="ada")
    await eventually(lambda: has_ended(ada))
    answer = await ada.end()
    assert (answer.status, answer.body["endReason"]) == (200, "source")
    assert (await ada.call("GET")).status == 410


async def test_pages_of_the_source_s_own_origins_may_read_every_answer(bridge: RunningBridge) -> None:
    """CORS on 200, 202, 4xx and preflights, without credentials; others' pages may read none."""
    ada = await bridge.opened("ada")
    address = f"/v1/conversations/{ada.id}"
    right, wrong = {"Authorization": f"Bearer {ada.key}"}, {"Authorization": "Bearer wrong"}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    calls = [
        ("GET", address, right, 200), ("POST", address + "/messages", right, 415), ("GET", address, wrong, 401),
        ("DELETE", address, right, 405), ("OPTIONS", address + "/messages", asks, 204),
        ("GET", "/v1/conversations/" + "0" * 24, right, 401),
    ]  # fmt: skip
    for method, path, headers, expected in calls:
        async with bridge.session.request(
            method, bridge.url + path, headers=headers | {"Origin": SHOP}
        ) as answer:
            assert answer.status == expected
            assert answer.headers["Access-Control-Allow-Origin"] == SHOP
            assert "Origin" in answer.headers["Vary"]
            assert "Access-Control-Allow-Credentials" not in answer.headers
            if method == "OPTIONS":
                assert "POST" in answer.headers["Access-Control-Allow-Methods"]
                assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    async with bridge.session.post(
        f"{bridge.url}{address}/messages", json={"text": "a"}, headers=right | {"Origin": SHOP}
    ) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (202, SHOP)


@pytest.mark.parametrize("origin", [OTHER_SHOP, STRANGER, "null", SHOP.upper(), SHOP + ".evil.com", "\udcff"])
async def test_pages_of_other_origins_may_read_nothing(bridge: RunningBridge, origin: str) -> None:
    """Also not those of another source, and not with the right key."""
    ada = await bridge.opened("ada")
    for method, path in (*DOORS, ("OPTIONS", ""), ("OPTIONS", "/messages")):
        answer = await ada.call(
            method, path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
        )
        assert answer.status == (204 if method == "OPTIONS" else 403)
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_own_pages_need_no_origin_in_the_configuration(bridge: RunningBridge) -> None:
    """The kiosk page is served by this service and speaks to it, under each name of this machine, at our port."""
    ada = await bridge.opened("ada")
    for host in ("127.0.0.1", "localhost", "[::1]"):
        origin = f"http://{host}:{bridge.port}"
        assert (await ada.call("GET", headers={"Origin": origin})).status == 200
        assert (await ada.call("GET", headers={"Origin": f"http://{host}:{bridge.port + 1}"})).status == 403


@pytest.mark.parametrize("public_url", [None, "https://bridge.example.com", "http://127.0.0.1:1"])
async def test_host_is_no_evidence_of_our_own_page(public_url: str | None) -> None:
    """A name that means this machine for a moment (DNS rebinding) makes nobody's page ours: PUBLIC_URL decides."""
    environ = {"PUBLIC_URL": public_url} if public_url else {}
    async with Simulator() as sim, running(SETUP, sim, environ=environ) as bridge:
        ada = await bridge.opened("ada")
        evil = f"evil.example.com:{bridge.port}"
        assert (await ada.call("GET", headers={"Origin": f"http://{evil}", "Host": evil})).status == 403
        own = await ada.call("GET", headers={"Origin": bridge.url})
        assert own.status == (403 if public_url else 200)
        if public_url:
            assert (await ada.call("GET", headers={"Origin": public_url})).status == 200


async def test_own_pages_work_behind_a_proxy_that_changes_the_host() -> None:
    """PUBLIC_URL is this service too."""
    async with Simulator() as sim, running(SETUP, sim, public_url=True) as bridge:
        ada = await bridge.opened("ada")
        assert (await ada.call("GET", headers={"Origin": bridge.url, "Host": "upstream"})).status == 200


async def test_guest_token_only_where_the_source_shares_it(bridge: RunningBridge) -> None:
    """403 is the default."""
    ada = await bridge.opened("ada", "hello")
    assert (await ada.call("GET", "/guest-token")).status == 403


async def test_shared_guest_token_is_the_one_in_use() -> None:
    """The token, when it lapses, and whom to write to; after the end 409, and no token is made for asking."""
    setup = config(sources={"kiosk": {"share_guest_token": True}})
    async with Simulator() as sim, running(setup, sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts())
        first, second = await ada.call("GET", "/guest-token"), await ada.call("GET", "/guest-token")
        assert first.body == second.body
        assert set(first.body) == {"accessToken", "expiresAt", "agent"}
        assert first.body["agent"] == {"email": AMY}
        assert "no-store" in first.headers["Cache-Control"]
        assert len(bridge.calls("/guests/token")) == 1
        async with bridge.session.get(
            f"{sim.url}/people/me", headers={"Authorization": f"Bearer {first.body['accessToken']}"}
        ) as me:
            assert me.status == 200
        await bridge.event("conversation.ended", subject="ada")
        await eventually(lambda: has_ended(ada))
        assert (await ada.call("GET", "/guest-token")).status == 409


async def test_no_customer_fills_the_store_alone(bridge: RunningBridge) -> None:
    """More words in a minute than anybody types: 429 with Retry-After, and only for that conversation."""
    ada, bob = await bridge.opened("ada"), await bridge.opened("bob")
    answers = await asyncio.gather(*(ada.call("POST", "/messages", json={}) for _ in range(700)))
    assert {answer.status for answer in answers} == {422, 429}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status == 429)
    assert (await bob.say("hello")).status == 202


async def test_a_repeat_is_answered_when_the_limit_is_used_up(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken once is no new load; what is new must wait."""
    monkeypatch.setattr("handlers.customer._WORDS_PER_MINUTE", 1)
    ada = await bridge.opened("ada")
    first = await ada.say("hello", idempotency_key="one")
    again = await ada.say("hello", idempotency_key="one")
    assert (again.status, again.body) == (202, first.body)
    assert (await ada.say("hello", idempotency_key="two")).status == 429


async def test_nothing_here_is_a_crash(bridge: RunningBridge) -> None:
    """Every door with every kind of nonsense behind the right key: never a 5xx, nothing crashed."""
    ada = await bridge.opened("ada", "hello")
    with structlog.testing.capture_logs() as lines:
        for path in (
            "/files/%00",
            "/files/%ED%A0%80",
            "/files/..%2f..",
            "/files/" + "x" * 5000,
            "/nope",
            "/stream/x",
        ):
            assert (await ada.call("GET", path)).status == 404
        for body in (b"", b"\xff", b"{" * 999):
            assert (await ada.call("POST", "/end", data=body)).status in (200, 410)
    assert not [line for line in lines if line["event"] == "request.crashed"]
