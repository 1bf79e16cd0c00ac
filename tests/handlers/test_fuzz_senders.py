"""Signed nonsense of every sender: each is answered in the documented shape, soon, and none is a fault of ours."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest

from bridge.domain.signing import BadSignature
from bridge.simulator import Simulator
from tests.handlers.samples import BOUNDARY, SAMPLES, Sample
from tests.handlers.test_senders import ENVIRON, scheme_of
from tests.harness import RunningBridge, config, running

FEW, MANY = 600, 100_000
AT_ONCE = 16
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 2**70, "", " ", "\x00", "\ud800", "\u202e", "a" * 300, [], {}, [[]], {"a": {}},
    "x" * 9000, ["a", 1, None], "👨‍👩‍👧‍👦", "2027-01-01T00:00:00Z", "__proto__", "env:FORM_SECRET",
)  # fmt: skip


def mutated(chance: random.Random, value: Any, depth: int = 0) -> Any:
    """A JSON value in which here and there something is another thing."""
    if chance.random() < 0.08 or depth > 12:
        return chance.choice(ODD)
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if chance.random() > 0.04}
        changed = {key: mutated(chance, one, depth + 1) for key, one in kept.items()}
        if chance.random() < 0.1:
            changed[chance.choice(("", "a.b", "\x00", "data", "type"))] = chance.choice(ODD)
        return changed
    if isinstance(value, list):
        return [mutated(chance, child, depth + 1) for child in value] * chance.choice((1, 1, 1, 2, 0))
    return value


def fields_of(sample: Sample) -> dict[str, str]:
    """The fields of a form, as its service sends them."""
    if "multipart" in sample.content_type:
        return {
            "submissionID": "1",
            "rawRequest": '{"q3_name": {"first": "Ada", "last": "L."}, "q4_message": "a"}',
        }
    return {
        "your-name": "Ada",
        "your-email": "a",
        "your-message": "b",
        "MessageSid": "1",
        "From": "+1",
        "Body": "c",
    }


def body_of(chance: random.Random, sample: Sample) -> bytes:
    """What a broken, or a hostile, sender of this kind might send."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.choice((0, 1, 50, 2000)))
    if "json" in sample.content_type:
        body = json.dumps(mutated(chance, json.loads(sample.body))).encode()
    else:
        fields = mutated(chance, fields_of(sample))
        fields = fields if isinstance(fields, dict) else {"a": fields}
        pairs = [(str(name), str(value)) for name, value in fields.items()]
        body = _multipart(pairs) if "multipart" in sample.content_type else _form(pairs)
    return _damaged(chance, body) if chance.random() < 0.1 else body


def _form(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote(a, errors='replace')}={quote(b, errors='replace')}" for a, b in pairs).encode()


def _multipart(pairs: list[tuple[str, str]]) -> bytes:
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{a}"\r\n\r\n{b}\r\n' for a, b in pairs]
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode(errors="replace")


def _damaged(chance: random.Random, body: bytes) -> bytes:
    at = chance.randrange(len(body) + 1)
    odd = chance.choice((b"\xff", b"\x00", b"", b'"', b"}", b"--", b"\r\n\r\n"))
    return body[:at] + odd + body[at + chance.randrange(3) :]


async def storm(bridge: RunningBridge, number: int, seed: int) -> Counter[int]:
    """Sends so many, a few at once; how often each status was answered."""
    chance, seen = random.Random(seed), Counter[int]()
    schemes = {name: scheme_of(sample.source) for name, sample in SAMPLES.items()}
    names = sorted(SAMPLES)
    loop = asyncio.get_running_loop()

    async def send() -> None:
        name = chance.choice(names)
        sample, body = SAMPLES[name], body_of(chance, SAMPLES[name])
        url = f"{bridge.url}/v1/events/{name}"
        try:
            url, proof = schemes[name].prove(url, body, "id", bridge.clock.now())
        except BadSignature:  # Twilio signs the fields, and this has none
            return
        begun = loop.time()
        headers = {"Content-Type": sample.content_type, **proof}
        async with bridge.session.post(url, data=body, headers=headers) as answer:
            text = await answer.text()
        # A loaded machine may be slow as a whole; the event itself takes milliseconds.
        assert loop.time() - begun < 30, (name, body)
        assert answer.status in {200, 202, 204, 400, 409, 413, 422}, (name, answer.status, body, text)
        if answer.status >= 400:
            assert answer.content_type == "application/problem+json"
            assert json.loads(text)["status"] == answer.status
        seen[answer.status] += 1

    async def work(share: int) -> None:
        for _ in range(share):
            await send()

    await asyncio.gather(*(work(number // AT_ONCE) for _ in range(AT_ONCE)))
    return seen


@pytest.mark.parametrize(
    "number", [FEW, pytest.param(MANY, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
async def test_nonsense_is_answered(number: int) -> None:
    """Over every scheme and body: no 5xx, no 401 for what is signed, no silence."""
    setup = config(
        sources={name: sample.source for name, sample in SAMPLES.items()}, agents={"amy": {"capacity": 1}}
    )
    seed = int(os.environ.get("FUZZ_SEED", "7"))
    async with Simulator() as sim, running(setup, sim, public_url=True, environ=ENVIRON) as bridge:
        seen = await storm(bridge, number, seed)
        # The storm got past the door, and was turned away at it; how often each depends on what overtakes what.
        assert seen[202] > number // 100, seen
        assert seen[422] > number // 100, seen
        assert seen[400] > 0, seen
        assert (await bridge.get("/readyz"))[0] == 200
