"""The controls under /_sim/, the separate process, and what the simulator may import."""

import ast
import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

import bridge.simulator


async def test_look_and_speak(ada, sim):
    """A separate process sees state, calls and messages, and lets agents speak."""
    root = f"{sim.root}/_sim"
    await ada.write("hello")
    said = await ada("POST", f"{root}/say", json={"from": "amy@example.com", "to": "ada", "text": "hi"})
    assert said.body["text"] == "hi"
    form = aiohttp.FormData({"from": "amy@example.com", "to": "ada", "text": ""})
    form.add_field("file", b"x", filename="a.txt")
    assert len((await ada("POST", f"{root}/say", data=form)).body["files"]) == 1
    [got] = (await ada("GET", f"{root}/messages?to=amy@example.com")).body["items"]
    assert got["text"] == "hello"
    state = (await ada("GET", f"{root}/state")).body
    assert (state["counts"]["messages"], state["guests"][0]["liveTokens"]) == (3, 1)
    calls = (await ada("GET", f"{root}/calls")).body["items"]
    assert calls[-1]["owner"] == "guest:ada"
    assert (await ada("GET", f"{root}/violations")).body == {"items": []}


async def test_break_and_mend(ada, sim, world):
    """Faults, settings, people and a reset by HTTP."""
    root = f"{sim.root}/_sim"
    body = {"match": "POST /v1/messages", "status": 429, "retry_after": 3, "times": None}
    assert (await ada("POST", f"{root}/fault", json=body)).status == 200
    assert (await ada.write()).headers["Retry-After"] == "3"
    assert (await ada("DELETE", f"{root}/fault")).status == 204
    assert (await ada.write()).status == 200
    assert (await ada("PATCH", f"{root}/settings", json={"guest_expires_in": "6"})).status == 200
    assert world.guest_expires_in == "6"
    person = {"email": "zoe@example.com", "name": "Zoe", "licensed": False}
    assert (await ada("POST", f"{root}/people", json=person)).body["licensed"] is False
    assert (await ada("POST", f"{root}/reset")).status == 204
    assert (len(world.messages), world.guest_expires_in) == (0, "6")
    assert (await ada("GET", "/people/me")).status == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/say", {"from": "nobody@example.com", "to": "ada", "text": "x"}, 404),
        ("POST", "/say", {"from": 1}, 400),
        ("POST", "/say", [], 400),
        ("POST", "/press", {"from": "amy@example.com", "messageId": "x"}, 404),
        ("POST", "/fault", {"match": "x", "action": "explode"}, 400),
        ("POST", "/fault", {}, 400),
        ("POST", "/fault", {"match": "/v1", "status": "many"}, 400),
        ("POST", "/fault", {"match": "/v1", "status": 99}, 400),
        ("POST", "/fault", {"match": "/v1", "colour": 1, "action": 500}, 400),
        ("POST", "/people", {"email": "amy@example.com", "name": "Amy"}, 400),
        ("POST", "/people", {"email": 1, "name": "Amy"}, 400),
        ("POST", "/say", {"from": "amy@example.com", "to": "help@webex.bot", "card": "none"}, 400),
        ("POST", "/rename", {"from": "nobody@example.com", "to": "x@example.com"}, 404),
        ("POST", "/rename", {"from": "amy@example.com", "to": "bo@example.com"}, 400),
        ("PATCH", "/settings", {"latency": "slow"}, 400),
        ("PATCH", "/settings", {"colour": 1}, 400),
        ("GET", "/calls?after=x", None, 400),
        ("GET", "/threads?as=nobody", None, 404),
    ],
)
async def test_wrong_controls_are_explained(nobody, sim, method, path, body, status):
    """Wrong input is a 4xx with a sentence, never a 500."""
    answer = await nobody(method, f"{sim.root}/_sim{path}", **({} if body is None else {"json": body}))
    assert answer.status == status
    assert answer.body["error"]


async def test_other_sites_are_kept_out(nobody, sim):
    """A page of another site cannot use the controls through its visitor's browser."""
    for origin, status in (("http://evil.example", 403), (sim.root, 204)):
        assert (await nobody("POST", f"{sim.root}/_sim/reset", headers={"Origin": origin})).status == status


async def test_news_comes_when_something_is_said(ada, nobody, sim):
    """The stream tells of a change, and ends when the server stops."""
    async with nobody.session.get(f"{sim.root}/_sim/news") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        async with asyncio.timeout(60):
            assert b"event: change" in await stream.content.readuntil(b"\n\n")
            await ada.write()
            assert await stream.content.readuntil(b"\n\n") == b"event: change\ndata: {}\n\n"


async def test_latency_is_before_the_answer(ada, world):
    """With latency a call has its effect, and is answered later."""
    world.latency = 30
    with pytest.raises(TimeoutError):
        await ada(
            "POST",
            "/messages",
            json={"toPersonEmail": "amy@example.com", "text": "x"},
            timeout=aiohttp.ClientTimeout(total=0.2),
        )
    assert len(world.messages_to("amy@example.com")) == 1


async def test_a_process_of_its_own():
    """`python -m bridge.simulator` prints its address, serves, and stops cleanly on SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.simulator", "--port", "0", "--guest-expires-in", "6",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), 120)).decode().strip()
    async with aiohttp.ClientSession() as session, session.get(f"{url}/people/me") as answer:
        assert answer.status == 401
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, errors) == (0, b"")


async def test_a_taken_port_is_one_sentence(sim):
    """Where it cannot listen it says so, exits 1, and shows no traceback."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.simulator", "--port", sim.root.rpartition(":")[2],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await asyncio.wait_for(process.communicate(), 120)
    assert (process.returncode, errors.count(b"\n")) == (1, 1)


def test_it_imports_nothing_of_ours():
    """Only the standard library, aiohttp and itself, so that one misreading of Webex cannot hide in both."""
    folder = Path(bridge.simulator.__file__).parent
    names = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or ".")
    assert len(names) > 20
    foreign = {name for name in names if name.split(".")[0] not in {*sys.stdlib_module_names, "aiohttp"}}
    assert {name for name in foreign if not name.startswith("bridge.simulator")} == set()
