"""Form services at the door: what each sends opens a conversation; what only looks like it is refused, and seen."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ruamel.yaml import YAML
from structlog.testing import capture_logs

from bridge.domain.senders.presets import PRESETS
from bridge.domain.senders.request import Scheme
from bridge.simulator import Simulator
from config.check_senders import faults_of
from config.model_sources import Source
from config.senders import sending_of
from tests.handlers.samples import SAMPLES, Sample
from tests.harness import ROOT, RunningBridge, config, eventually, running, whsec

SECRET = "user:a-secret-of-some-length"
ENVIRON = {"FORM_SECRET": SECRET}


def scheme_of(source: dict[str, Any]) -> Scheme:
    return sending_of(Source.model_validate(source, context={"environ": ENVIRON})).scheme


@pytest.fixture
async def bridge() -> AsyncIterator[RunningBridge]:
    sources = {name: sample.source for name, sample in SAMPLES.items()}
    sources["whatsapp"] = {
        "auth": {
            "preset": "meta",
            "secrets": ["env:FORM_SECRET"],
            "handshake": {"verify_token": "env:FORM_SECRET"},
        }
    }
    sources["dated"] = {
        "auth": {"scheme": "bearer", "secrets": ["env:FORM_SECRET"], "at": "sentAt"},
        "map": {"subject": "who", "displayName": "who", "message": "text"},
    }
    setup = config(sources=sources)
    async with Simulator() as sim, running(setup, sim, public_url=True, environ=ENVIRON) as started:
        yield started


async def send(
    bridge: RunningBridge, name: str, sample: Sample, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """What the service would send, proved as it does; (status, JSON or text, headers)."""
    url, proof = scheme_of(sample.source).prove(
        f"{bridge.url}/v1/events/{name}", sample.body, "id", bridge.clock.now()
    )
    given = {"Content-Type": sample.content_type, **proof, **headers}
    async with bridge.session.post(url, data=sample.body, headers=given) as answer:
        is_json = "json" in answer.content_type
        return answer.status, await (answer.json() if is_json else answer.text()), dict(answer.headers)


async def test_every_service_opens_a_conversation(bridge: RunningBridge) -> None:
    """Its sample is taken once, whatever it is repeated; its answer has what the source says, and no more."""
    for name, sample in SAMPLES.items():
        status, answer, _ = await send(bridge, name, sample)
        empty = sample.source.get("answer") == "empty"
        assert status == (204 if empty else 202), (name, answer)
        repeated, again, _ = await send(bridge, name, sample)
        assert repeated == (204 if empty else 200), (name, again)
        if name == "jotform":
            assert set(answer) == {"eventId"} == set(again)
        if name == "hubspot":
            assert [item["eventId"] for item in answer["items"]] == [
                item["eventId"] for item in again["items"]
            ]
    await eventually(lambda: len(bridge.texts()) == len(SAMPLES))
    assert set(bridge.texts()) == {"It arrived broken"}


async def test_a_wrong_secret_is_refused_and_seen(bridge: RunningBridge) -> None:
    """401 for each, a line of the log without anything of the event, and the metric."""
    with capture_logs() as lines:
        for name, sample in SAMPLES.items():
            url, proof = scheme_of(sample.source).prove(
                f"{bridge.url}/v1/events/{name}", sample.body + b"!", "id", bridge.clock.now()
            )
            proof = {key: f"{value}AA" for key, value in proof.items() if "imestamp" not in key} or proof
            url = url.replace("secret", "guess")
            headers = {"Content-Type": sample.content_type, **proof}
            async with bridge.session.post(url, data=sample.body, headers=headers) as answer:
                assert answer.status == 401, name
                assert answer.content_type == "application/problem+json"
    refused = {line["source"]: line for line in lines if line["event"] == "event.refused"}
    assert set(refused) == set(SAMPLES)
    assert {line["reason"] for line in refused.values()} <= {"signature", "timestamp"}
    assert "broken" not in json.dumps(lines)
    text = (await bridge.get("/metrics"))[1]
    assert 'bridge_events_refused_total{reason="signature",source="typeform"} 1.0' in text
    assert bridge.texts() == []


async def test_an_old_signature_and_an_old_body_are_refused(bridge: RunningBridge) -> None:
    """A signed time counts five minutes, a body's own time a day; the log says by how much they are off."""
    sample = SAMPLES["formspree"]
    _, proof = scheme_of(sample.source).prove("", sample.body, "id", bridge.clock.now() - 400)
    with capture_logs() as lines:
        headers = {"Content-Type": sample.content_type, **proof}
        async with bridge.session.post(
            f"{bridge.url}/v1/events/formspree", data=sample.body, headers=headers
        ) as answer:
            assert answer.status == 401
        for sent_at, expected in ((bridge.clock.now() - 90_000, 401), (None, 401), (bridge.clock.now(), 202)):
            body = {"who": "ada", "text": "hello", "sentAt": sent_at}
            bearer = {"Authorization": f"Bearer {SECRET}"}
            async with bridge.session.post(
                f"{bridge.url}/v1/events/dated", json=body, headers=bearer
            ) as answer:
                assert answer.status == expected
    said = [(line["reason"], line["why"]) for line in lines if line["event"] == "event.refused"]
    assert said[0][0] == "timestamp"
    assert "clock off by -4" in said[0][1]
    assert said[1] == ("replay", "the body is 25 hours old")
    text = (await bridge.get("/metrics"))[1]
    assert 'bridge_events_refused_total{reason="replay",source="dated"} 2.0' in text


async def test_a_list_is_several_events_or_none(bridge: RunningBridge) -> None:
    """`map` applies to each member; one that is wrong is named, and then nothing of the list is taken."""
    sample = SAMPLES["hubspot"]
    one = json.loads(sample.body)[0]
    two = {**one, "eventId": 2, "objectId": 124, "propertyValue": "Another"}
    bad = {**one, "eventId": 3, "objectId": None}
    wrong = sample._replace(body=json.dumps([one, two, bad]).encode())
    status, answer, _ = await send(bridge, "hubspot", wrong)
    assert (status, [error["field"] for error in answer["errors"]]) == (422, ["[2].data.subject"])
    status, answer, _ = await send(bridge, "hubspot", sample._replace(body=json.dumps([one, two]).encode()))
    assert (status, len(answer["items"])) == (202, 2)
    await eventually(lambda: sorted(bridge.texts()) == ["Another", "It arrived broken"])
    for body in (b"[]", json.dumps([one] * 101).encode()):
        assert (await send(bridge, "hubspot", sample._replace(body=body)))[0] == 422


async def test_a_receipt_is_answered_and_not_stored(bridge: RunningBridge) -> None:
    """Meta tells of delivered and read messages at the same address, and repeats what is refused."""
    sample = SAMPLES["meta"]
    statuses = [{"id": "wamid.1", "status": "delivered"}]
    body = {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [{"value": {"statuses": statuses}}]}],
    }
    assert (await send(bridge, "meta", sample._replace(body=json.dumps(body).encode())))[:2] == (200, {})
    strange = sample._replace(body=b'{"entry": 5}')
    assert (await send(bridge, "meta", strange))[0] == 422


async def test_a_handshake_says_the_challenge_back(bridge: RunningBridge) -> None:
    """Meta asks once by GET, with the agreed token; anybody else is refused, and other sources take no GET."""
    url = f"{bridge.url}/v1/events/whatsapp"
    asked = {"hub.mode": "subscribe", "hub.verify_token": SECRET, "hub.challenge": "<b>1158201444"}
    async with bridge.session.get(url, params=asked) as answer:
        assert (answer.status, await answer.text()) == (200, "<b>1158201444")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_type == "text/plain"
    for change, status in (({"hub.verify_token": "x"}, 403), ({"hub.challenge": ""}, 400)):
        async with bridge.session.get(url, params=asked | change) as answer:
            assert answer.status == status
    async with bridge.session.get(f"{bridge.url}/v1/events/typeform", params=asked) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    async with bridge.session.get(f"{bridge.url}/v1/events/nobody", params=asked) as answer:
        assert answer.status == 404


BAD_BODIES: list[tuple[str, bytes, str, int]] = [
    ("jotform", b"{}", "application/json", 415),
    ("jotform", b"--x--", "multipart/form-data; boundary=x", 400),
    ("jotform", b"nothing", "multipart/form-data; boundary=x", 400),
    ("jotform", b"nothing", "multipart/form-data", 400),
    ("jotform", b'--x\r\nContent-Disposition: form-data; name="rawRequest"\r\n\r\n{\r\n--x--\r\n',
         "multipart/form-data; boundary=x", 400),
    ("jotform", b"--x\r\n\r\na\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
    ("jotform", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
         "multipart/form-data; boundary=x", 400),
    ("contact-form-7", b"\xff=%ff", "application/x-www-form-urlencoded", 400),
    ("contact-form-7", b"a=1&" * 1001, "application/x-www-form-urlencoded", 400),
    ("contact-form-7", b"your-name=A&your-email=a%00&your-message=b", "application/x-www-form-urlencoded", 422),
    ("contact-form-7", b"your-name=A&your-name=B&your-email=a", "application/x-www-form-urlencoded", 422),
    ("typeform", b"[[[[", "application/json", 400),
    ("typeform", b"5", "application/json", 422),
]  # fmt: skip


async def test_bodies_that_are_not_right(bridge: RunningBridge) -> None:
    """Each is told in the documented shape, and none is a fault of ours."""
    for name, body, content_type, status in BAD_BODIES:
        sample = SAMPLES[name]._replace(body=body, content_type=content_type)
        answered, problem, _ = await send(bridge, name, sample)
        assert (answered, problem["status"]) == (status, status), (body, problem)


async def test_the_answer_leads_to_the_conversation(bridge: RunningBridge) -> None:
    """`conversationUrl` has the key behind #, where no server's log has it."""
    _, answer, _ = await send(bridge, "typeform", SAMPLES["typeform"])
    key, conversation = answer["conversationKey"], answer["conversationId"]
    assert answer["conversationUrl"] == f"{bridge.url}/talk/{conversation}#key={key}"


async def test_refusals_are_one_line_a_second(bridge: RunningBridge) -> None:
    """A sender gone mad does not fill the log; the metric counts each."""
    with capture_logs() as lines:
        for _ in range(20):
            async with bridge.session.post(f"{bridge.url}/v1/events/tally", data=b"{}") as answer:
                assert answer.status == 401
    told = [line for line in lines if line["event"] == "event.refused"]
    assert 1 <= len(told) < 20
    text = (await bridge.get("/metrics"))[1]
    assert 'bridge_events_refused_total{reason="signature",source="tally"} 20.0' in text


async def test_without_an_address_of_ours_there_is_no_link() -> None:
    """Nobody could follow it."""
    async with Simulator() as sim, running(config(), sim) as bridge:
        assert "conversationUrl" not in (await bridge.event(subject="ada", displayName="Ada"))[1]


def test_every_recipe_is_a_configuration_that_works() -> None:
    """Each `yaml` block of docs/senders.md loads, with its secrets set; each preset has one."""
    page = (ROOT / "docs/senders.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    shown = set()
    for block in blocks:
        for source in YAML(typ="safe").load(block)["sources"].values():
            secret = whsec(SECRET.encode()) if source["auth"].get("scheme") == "standard-webhooks" else SECRET
            environ = dict.fromkeys(re.findall(r"env:([A-Z0-9_]+)", block), secret)
            environ["CALLBACK_SECRET"] = whsec(SECRET.encode())
            checked = Source.model_validate(source, context={"environ": environ})
            assert list(faults_of(checked.auth, True)) == [], block
            sending_of(checked)
            shown.add(source["auth"].get("preset"))
    assert set(PRESETS) - shown <= {"formstack", "opnform", "github"}
    assert len(blocks) >= 15
