"""How long a request took, and how it is found in the log again."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog

from bridge.logs import REQUEST, configure
from tests.harness import RunningBridge, eventually

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def refused(bridge: RunningBridge, **headers: str) -> tuple[str, Any]:
    """The id in the header and the problem document of a refused event."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with bridge.session.post(
        f"{bridge.url}/v1/events/kiosk", data=bytes(70_000), headers=given
    ) as answer:
        assert answer.status == 413
        return answer.headers["X-Request-ID"], await answer.json()


async def test_a_request_has_an_id(bridge: RunningBridge) -> None:
    """The proxy's where it can be logged, else one of our own; in the answer and in the problem document."""
    for given in ("proxy-1234:5", "A" * 64):
        shown, problem = await refused(bridge, X_Request_Id=given)
        assert shown == problem["requestId"] == given
    for given in ("", "a b", "A" * 65, "<script>"):
        shown, problem = await refused(bridge, X_Request_Id=given)
        assert shown == problem["requestId"] != given
        assert len(shown) == 16
    async with bridge.session.get(f"{bridge.url}/healthz") as answer:
        assert len(answer.headers["X-Request-ID"]) == 16


async def test_the_log_names_request_and_trace(bridge: RunningBridge) -> None:
    """A line that a request leads to knows both; work that only follows from it is nobody's request."""
    seen: dict[str, Any] = {}

    def note(_: Any, __: str, fields: Any) -> Any:
        seen[fields["event"]] = REQUEST.get()
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[note])
    try:
        await refused(bridge, X_Request_Id="proxy-1", traceparent=TRACE)
        await bridge.opened(message="hello")
        await eventually(lambda: "delivery.sent" in seen)
    finally:
        structlog.configure(**before)
    expected = {"request": "proxy-1", "trace_id": TRACE[3:35], "span_id": TRACE[36:52]}
    assert seen["event.refused"] == expected
    assert seen["conversation.opened"] is None
    assert seen["delivery.sent"] is None


def test_a_line_holds_what_is_known_of_the_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line written while a request is served, and no other."""
    before = structlog.get_config()
    try:
        configure("json", "info")
        REQUEST.set({"request": "abc"})
        structlog.get_logger().info("event.refused")
        REQUEST.set(None)
        structlog.get_logger().info("service.stopped")
    finally:
        structlog.configure(**before)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("request") for line in lines] == ["abc", None]


async def test_metrics_of_requests(bridge: RunningBridge) -> None:
    """By method, route and status, never by an address as it was asked for; streams are left out."""
    customer = await bridge.opened(message="hello")
    async with customer.stream(0) as stream:
        await eventually(lambda: "hello" in stream.texts)
    await bridge.get("/nothing/here?key=secret")
    text = (await bridge.get("/metrics"))[1]
    assert 'bridge_request_seconds_count{method="POST",route="/v1/events/{source}",status="202"} 1.0' in text
    assert 'bridge_request_seconds_count{method="GET",route="unknown",status="404"} 1.0' in text
    assert "/stream" not in text
    assert "secret" not in text
    assert 'bridge_build_info{database="sqlite",python="' in text
    assert "process_cpu_seconds_total" in text
    assert "bridge_tokens_minted_total" in text


async def test_waits_are_measured(bridge: RunningBridge) -> None:
    """From the beginning to an agent, and to the agent's first answer, once each."""
    customer = await bridge.opened(message="hello")
    await eventually(bridge.texts)
    guest = bridge.world.messages_to("amy@example.com")[0]["personId"]
    for words in ("hi", "and"):
        bridge.world.say("amy@example.com", guest, words)
        await eventually(lambda words=words: _heard(customer, words))
    text = (await bridge.get("/metrics"))[1]
    assert "bridge_wait_seconds_count 1.0" in text
    assert "bridge_first_answer_seconds_count 1.0" in text


async def _heard(customer: Any, words: str) -> bool:
    return words in [message["text"] for message in await customer.messages()]
