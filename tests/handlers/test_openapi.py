"""/openapi.json says what the service does: every address, every method, shapes that fit."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from handlers.events import parse_event
from handlers.problems import Problem
from handlers.routes import ROUTES
from tests.harness import RunningBridge, eventually

DOCUMENT: dict[str, Any] = json.loads((files("handlers") / "openapi.json").read_bytes())
SCHEMAS = DOCUMENT["components"]["schemas"]


def fits(value: Any, name: str) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def test_every_address_and_method_is_described() -> None:
    """Neither more nor less than routes.py has."""
    described = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described == {(method, path) for method, path, _ in ROUTES}


def test_references_lead_somewhere_and_schemas_are_schemas() -> None:
    """JSON Schema 2020-12, as OpenAPI 3.1 uses it; every operation has a name of its own."""
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(DOCUMENT)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in SCHEMAS
    operations = [one["operationId"] for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len(set(operations)) == len(operations) == len(ROUTES)
    schemes = DOCUMENT["components"]["securitySchemes"]
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            assert all(name in schemes for need in operation["security"] for name in need)


@pytest.mark.parametrize("name", [name for name, schema in SCHEMAS.items() if "examples" in schema])
def test_examples_fit_their_schema(name: str) -> None:
    """What a reader copies works."""
    assert all(fits(example, name) for example in SCHEMAS[name]["examples"])


@pytest.mark.parametrize(
    "event",
    [
        *SCHEMAS["Event"]["examples"],
        {},
        [],
        {"type": "x", "data": {}},
        {"type": "conversation.requested", "data": {}},
        {"type": "conversation.requested", "data": {"subject": "a", "displayName": "A", "message": None}},
        {"type": "conversation.requested", "data": {"subject": None, "displayName": "A"}},
        {"type": "conversation.requested", "data": {"subject": "a" * 256, "displayName": "A"}},
        {"type": "message.created", "data": {"subject": "a"}},
        {"type": "message.created", "data": {"message": "a"}},
        {"type": "message.created", "data": {"conversationId": "a", "message": " "}},
        {"type": "message.created", "data": {"subject": "a", "files": ["https://example.com/a.png"]}},
        {"type": "message.created", "data": {"subject": "a", "files": []}},
        {"type": "message.created", "data": {"subject": "a", "files": ["http://example.com"]}},
        {"type": "message.created", "data": {"subject": None, "conversationId": None, "message": "a"}},
        {"type": "conversation.ended", "data": {"subject": "a", "unknown": 1}},
        {"type": "conversation.ended", "data": {}},
        {"type": "conversation.ended", "data": {"subject": "a", "context": []}},
        {"type": "conversation.ended", "data": {"subject": "a"}, "timestamp": 5},
    ],
)
def test_schema_of_an_event_and_the_door_agree(event: Any) -> None:
    """Whoever validates against the document is told the same as by the service."""
    try:
        parse_event(event, {})
        taken = True
    except Problem:
        taken = False
    assert fits(event, "Event") == taken


async def test_answers_fit_the_document(bridge: RunningBridge) -> None:
    """Of a whole conversation, of a refusal, of the probes."""
    _, answer = await bridge.event(subject="ada", displayName="Ada", message="hello")
    headers = answer.pop("headers")
    assert headers["Content-Type"].startswith("application/json")
    assert fits(answer, "Accepted")
    ada = bridge.customer(answer)
    assert fits(await ada.state(), "State")
    await eventually(lambda: bridge.texts())
    said = await ada.say("two")
    assert fits(said.body, "Taken")
    assert fits((await ada.call("GET", "/messages")).body, "Messages")
    assert fits((await ada.say("")).body, "Problem")
    assert fits((await ada.end()).body, "State")
    assert fits((await ada.call("GET")).body, "Problem")
    assert fits((await bridge.get("/readyz"))[1], "Ready")
    assert (await bridge.get("/openapi.json"))[1] == DOCUMENT
