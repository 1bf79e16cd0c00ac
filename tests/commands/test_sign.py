"""bridge sign: the printed curl is accepted by the service, whatever the file is called."""

from __future__ import annotations

import json
import os
import shlex
import subprocess

import pytest
from standardwebhooks import Webhook

from bridge.simulator import Simulator
from tests.commands.conftest import SECRET, SMALLEST, beside
from tests.harness import config, running

BODY = b'{"type": "conversation.requested", "data": {"subject": "a", "displayName": "Ada"}}\n'


def sent(command: str, folder) -> dict:
    """What a shell makes of the printed command: the arguments that curl gets."""
    stub = folder / "bin/curl"
    stub.parent.mkdir(exist_ok=True)
    stub.write_text('#!/bin/sh\nfor one in "$@"; do printf "%s\\0" "$one"; done\n')
    stub.chmod(0o755)
    done = subprocess.run(
        command,
        shell=True,
        env={"PATH": f"{stub.parent}:{os.environ['PATH']}"},
        capture_output=True,
        check=True,
    )
    arguments = [os.fsdecode(one) for one in done.stdout.split(b"\0")[:-1]]
    headers = dict(arguments[i + 1].split(": ", 1) for i, one in enumerate(arguments) if one == "-H")
    data = arguments[arguments.index("--data-binary") + 1]
    url = next(one for one in arguments if one.startswith("http"))
    return {"url": url, "headers": headers, "data": data}


@pytest.mark.parametrize("name", ["event.json", 'it\'s a "file" $(id) `x`; & \\ ü.json', "-d", "[a].json"])
def test_signature_and_quoting(bridge, write, tmp_path, name: str) -> None:
    """The signature is right for the file's very bytes, and the shell gives curl the very file."""
    write(SMALLEST)
    (tmp_path / name).write_bytes(BODY)
    ran = bridge("sign", "--source", "kiosk", "--", name, KIOSK_SECRET=SECRET, PORT="9001")
    assert (ran.code, ran.err) == (0, "")
    call = sent(ran.out, tmp_path)
    assert call["url"] == "http://127.0.0.1:9001/v1/events/kiosk"
    assert call["data"] == f"@{tmp_path / name}"
    assert call["headers"]["content-type"] == "application/json"
    assert Webhook(SECRET).verify(BODY.decode(), call["headers"]) == json.loads(BODY)


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({"PUBLIC_URL": "https://bridge.example.com/"}, "https://bridge.example.com/"),
        ({"HOST": "0.0.0.0"}, "http://127.0.0.1:8080/"),
        ({"HOST": "::"}, "http://[::1]:8080/"),
        ({"HOST": "bridge.internal", "PORT": "80"}, "http://bridge.internal:80/"),
    ],
)
def test_address(bridge, write, tmp_path, environ: dict[str, str], address: str) -> None:
    """PUBLIC_URL where it is set, else an address at which HOST and PORT can be reached."""
    write(SMALLEST)
    (tmp_path / "e.json").write_bytes(BODY)
    ran = bridge("sign", "--source", "kiosk", "e.json", KIOSK_SECRET=SECRET, **environ)
    assert shlex.split(ran.out.replace("\\\n", ""))[2] == f"{address}v1/events/kiosk"


async def test_service_accepts_it(sim: Simulator, tmp_path) -> None:
    """The command as printed, run by a shell, is answered 202 by the service."""
    event = tmp_path / "event.json"
    event.write_bytes(BODY)
    async with running(config(), sim) as bridge:
        ran = await beside(bridge.environ, "sign", "--source", "kiosk", event)
        call = sent(ran.out, tmp_path)
        async with bridge.session.post(call["url"], data=BODY, headers=call["headers"]) as answer:
            assert answer.status == 202


def test_page_source_has_no_secret(bridge, write, tmp_path) -> None:
    """Nothing can be signed for a source of pages; the answer says what a page does instead."""
    write(
        SMALLEST.replace(
            "agents:\n", "  shop: {auth: {scheme: page}, origins: [https://s.example]}\nagents:\n", 1
        )
    )
    (tmp_path / "e.json").write_bytes(BODY)
    ran = bridge("sign", "--source", "shop", "e.json", KIOSK_SECRET=SECRET)
    assert (ran.code, ran.out) == (1, "")
    assert "POST /v1/pages/shop" in ran.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--source", "kisok", "e.json"], "did you mean kiosk?"),
        (["--source", "kiosk", "missing.json"], "does not exist"),
        (["--source", "kiosk", "."], "directory"),
        (["e.json"], "--source"),
        (["--source", "kiosk"], "FILE"),
    ],
)
def test_wrong_use(bridge, write, tmp_path, args: list[str], words: str) -> None:
    """2 and a sentence, nothing on stdout."""
    write(SMALLEST)
    (tmp_path / "e.json").write_bytes(BODY)
    ran = bridge("sign", *args, KIOSK_SECRET=SECRET)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_secret_is_never_shown(bridge, write, tmp_path) -> None:
    """Neither the secret nor its bytes are in the answer; a missing one is told by its variable's name."""
    write(SMALLEST)
    (tmp_path / "e.json").write_bytes(BODY)
    ran = bridge("sign", "--source", "kiosk", "e.json", KIOSK_SECRET=SECRET)
    assert SECRET.removeprefix("whsec_") not in ran.out
    ran = bridge("sign", "--source", "kiosk", "e.json")
    assert (ran.code, ran.out) == (2, "")
    assert "KIOSK_SECRET" in ran.err


def test_too_large_a_file_is_warned_of(bridge, write, tmp_path) -> None:
    """It is signed all the same, for the service's 413 may be what somebody wants to see."""
    write(SMALLEST)
    (tmp_path / "e.json").write_bytes(b" " * 65537)
    ran = bridge("sign", "--source", "kiosk", "e.json", KIOSK_SECRET=SECRET)
    assert ran.code == 0
    assert "413" in ran.err


def test_only_its_own_source_s_secret_is_needed(bridge, tmp_path) -> None:
    """What the others' variables are is nobody's business here; its own must be set."""
    config = tmp_path / "bridge.yaml"
    config.write_text(
        "sources:\n"
        "  kiosk: {auth: {secrets: [env:KIOSK_ALONE]}}\n"
        "  form:\n"
        "    auth: {preset: tally, secrets: [env:TALLY_ALONE]}\n"
        "    callback: {url: 'https://forms.example.com', secret: env:HOOK_ALONE}\n"
        "agents: {amy: {email: amy@example.com}}\n"
        "teams: {desk: {timezone: Europe/London, agents: [amy]}}\n"
        "routes: [{team: desk}]\n"
    )
    event = tmp_path / "event.json"
    event.write_text("{}")
    ran = bridge(
        "sign", "--source", "form", "--config", str(config), str(event), TALLY_ALONE="a-secret-of-some-length"
    )
    assert ran.code == 0, ran.err
    assert "-H 'Tally-Signature: " in ran.out
    ran = bridge("sign", "--source", "form", "--config", str(config), str(event))
    assert ran.code == 2
    assert "sources.form.auth.secrets[0]" in ran.err
    assert "TALLY_ALONE is not set" in ran.err
    assert "KIOSK_ALONE" not in ran.err
