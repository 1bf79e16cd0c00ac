"""Bodies and headers that nobody thought of: never a 5xx, always a problem document."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.simulator import Simulator
from handlers.events import parse_event
from handlers.problems import Problem
from handlers.reading import parse_json
from tests.handlers.conftest import SETUP
from tests.harness import SECRET, RunningBridge, running, signed

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4)
)
FIELDS = st.sampled_from(
    [
        "subject",
        "conversationId",
        "displayName",
        "message",
        "files",
        "store",
        "topic",
        "language",
        "context",
        "x",
    ]
)
PLAUSIBLE = st.sampled_from(["ada", "Ada", "hello", ["https://example.com/a.png"], {"a": 1}, "en"])
EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["conversation.requested", "message.created", "conversation.ended"]) | VALUES,
        "data": st.dictionaries(FIELDS, PLAUSIBLE | VALUES) | VALUES,
    },
    optional={"timestamp": VALUES},
)
NEARLY = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["conversation.requested", "message.created"]),
        "data": st.fixed_dictionaries(
            {
                "subject": st.text(min_size=1, max_size=5),
                "displayName": st.just("Ada"),
                "message": st.just("hello"),
            },
            optional={"store": SCALARS, "context": VALUES, "x": VALUES},
        ),
    }
)
BODIES = st.one_of(
    (EVENTS | NEARLY).map(lambda event: json.dumps(event).encode()),
    VALUES.map(lambda v: json.dumps(v).encode()),
    st.binary(max_size=300),
)
HEADER = st.binary(max_size=60).map(
    lambda raw: raw.translate(None, bytes(range(32)) + b"\x7f").decode("utf-8", "surrogateescape")
)
ODD_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "content-type",
            "content-encoding",
            "origin",
            "authorization",
            "idempotency-key",
            "accept",
            "cookie",
            "x-forwarded-for",
        ]
    ),
    HEADER,
    max_size=3,
)


@given(st.binary(max_size=400) | BODIES)
@settings(max_examples=300)
def test_any_bytes_are_an_event_or_a_problem(body: bytes) -> None:
    """parse_json and parse_event raise nothing but Problem."""
    with contextlib.suppress(Problem):
        parse_event(parse_json(body), {})


async def test_no_call_is_a_crash() -> None:
    """A running service, a right signature now and then, anything in body and headers."""
    cases: list[tuple[bytes, dict[str, str]]] = []

    @given(BODIES, st.just({}) | ODD_HEADERS)
    @settings(
        max_examples=250,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def collect(body: bytes, headers: dict[str, str]) -> None:
        cases.append((body, headers))

    collect()
    with structlog.testing.capture_logs() as lines:
        async with Simulator() as sim, running(SETUP, sim) as bridge:
            ada = await bridge.opened("ada", "hello")
            statuses = [await _post(bridge, "/v1/events/kiosk", body, odd) for body, odd in cases]
            key = {"authorization": f"Bearer {ada.key}"}
            for body, odd in cases[:120]:
                statuses.append(await _post(bridge, f"/v1/conversations/{ada.id}/messages", body, key | odd))
                statuses.append(await _post(bridge, "/webex/webhooks", body, odd))
                statuses.append(await _post(bridge, "/v1/pages/lobby", body, odd))
            assert (await bridge.get("/healthz"))[0] == 200
    assert len(cases) > 100
    assert {202, 401, 400, 422} <= set(statuses)
    assert max(statuses) < 500
    assert not [line for line in lines if line["event"] == "request.crashed"]


async def _post(bridge: RunningBridge, path: str, body: bytes, odd: dict[str, str]) -> int:
    headers: dict[str, Any] = signed(body, SECRET, bridge.clock.now())
    headers = {name.lower(): value for name, value in headers.items()} | odd
    async with bridge.session.post(bridge.url + path, data=body, headers=headers) as answer:
        if answer.status >= 400:
            assert answer.content_type == "application/problem+json"
            assert json.loads(await answer.read())["status"] == answer.status
        return answer.status
