"""The store's writer in a process of its own: results and errors come back, and neither process outlives the other."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bridge.domain.conversation.answer import ACCEPTED
from bridge.domain.conversation.model import SourceRules
from bridge.domain.errors import crash
from bridge.service.policy import Policy
from bridge.store import deciding, inbox, policies
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.engine.process_lane import ProcessLane
from bridge.store.engine.writer_process import Begin
from bridge.store.store import Store
from bridge.store.vault import Cipher
from config.texts import Texts
from tests.harness import eventually
from tests.store.conftest import Bench, Clock, roster
from tests.store.operations import Unreadable, echo, fail, fail_oddly, give, stop_iteration

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def lost() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def bench(database_url: str, clock: Clock, lost: asyncio.Event, monkeypatch: pytest.MonkeyPatch):
    """The store of the other tests, with a process that writes."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the operations of these tests
    cipher = Cipher([Fernet.generate_key().decode()])
    begin = Begin(database_url, "json", "info")
    store = Store(database_url, cipher, clock, "p1", begin, lambda _: lost.set())
    await store.start()
    yield Bench(store, clock)
    await store.stop()


def child(store: Store) -> subprocess.Popen[bytes]:
    lane = store.writer._lane
    assert isinstance(lane, ProcessLane)
    return lane._process


async def test_an_event_is_accepted_decided_and_claimed(bench):
    """All that passes between the processes can be pickled: arrivals, the policy, outcomes, work, settles."""
    policy = Policy(roster(), Texts(), {}, SourceRules(idle_seconds=0))
    await bench.store.do(policies.adopt, policies.Adopted("p1", policy))
    accepted = bench.accept("e1")
    worked = bench.store.do(deciding.work, deciding.Round(bench.clock.at, "p1"))
    assert (await accepted).answer == ACCEPTED
    outcome = await worked
    assert (outcome.envelopes, outcome.stages) == (1, {"say"})
    assert [line.event for line in outcome.log] == ["conversation.opened"]
    (work,) = await bench.take()
    assert work.guest is not None
    assert await bench.settle(work, webex_id="w1", room_id="r1", webex_created=1.0) == (False, None)


async def test_a_value_that_says_no_comes_back(bench):
    """What an operation returns as an exception is raised where it was asked."""
    with pytest.raises(inbox.NoConversation):
        await bench.accept("e1", kind="said")


async def test_an_error_comes_back_and_says_where_it_was_raised(bench):
    """Also one that cannot be sent: then its name comes."""
    with pytest.raises(ZeroDivisionError) as known:
        await bench.store.do(fail, None)
    assert any(place.startswith("operations.py:") for place in crash(known.value)["where"])
    with pytest.raises(RuntimeError, match="Unportable"):
        await bench.store.do(fail_oddly, None)
    assert await bench.store.do(echo, "goes on") == "goes on"


async def test_large_batches_pass_both_ways(bench):
    """Far more than a socket holds at once."""
    texts = [f"{n}" * 50_000 for n in range(100)]
    assert await asyncio.gather(*(bench.store.do(echo, text) for text in texts)) == texts


@pytest.mark.parametrize("item", [lambda: None, Unreadable()], ids=["not pickled", "not read"])
async def test_an_item_that_cannot_be_sent_fails_alone(bench, item):
    """Its neighbours in the batch are stored, the writer goes on, and a batch of such items alone is answered too."""
    items = [1, item, 2]
    first, bad, second = await asyncio.gather(
        *(bench.store.do(echo, one) for one in items), return_exceptions=True
    )
    assert (first, second) == (1, 2)
    assert isinstance(bad, Exception)
    (bad,) = await asyncio.gather(bench.store.do(echo, item), return_exceptions=True)
    assert isinstance(bad, Exception)
    assert await bench.store.do(echo, "goes on") == "goes on"


@pytest.mark.parametrize("odd", ["function", "unreadable"])
async def test_a_result_that_cannot_be_sent_fails_alone(bench, odd):
    """Its call was carried out and hears of an error; its neighbours hear their results."""
    first, bad, second = await asyncio.gather(
        *(bench.store.do(give, one) for one in (1, odd, 2)), return_exceptions=True
    )
    assert (first, second) == (1, 2)
    assert isinstance(bad, Exception)
    assert await bench.store.do(echo, "goes on") == "goes on"


async def test_every_error_reaches_its_caller(bench):
    """Also StopIteration, which a future refuses."""
    one, two = await asyncio.gather(
        bench.store.do(stop_iteration, 1), bench.store.do(echo, 2), return_exceptions=True
    )
    assert isinstance(one, RuntimeError)
    assert two == 2


async def test_stop_commits_what_was_submitted(bench):
    """Nothing that was handed over before the stop is left behind; afterwards nothing is taken."""
    waiting = [bench.store.do(echo, n) for n in range(50)]
    await bench.store.stop()
    assert [one.result() for one in waiting] == list(range(50))
    assert child(bench.store).returncode == 0
    with pytest.raises(StoreUnavailable, match="closed"):
        bench.store.do(echo, 1)


async def test_a_writer_that_dies_is_told(bench, lost):
    """Callers hear that nothing is known to be stored, the service that it must end; nobody waits for ever."""
    assert await bench.store.do(echo, 1) == 1
    os.kill(child(bench.store).pid, signal.SIGKILL)
    await asyncio.wait_for(lost.wait(), 60)
    with pytest.raises(StoreUnavailable, match="writer process has ended"):
        bench.store.do(echo, 2)


async def test_a_writer_that_hangs_does_not_keep_the_service(bench, monkeypatch):
    """As on a disk that never answers: the stop comes to its end, and the writer with it."""
    monkeypatch.setattr("bridge.store.engine.writer._DRAIN_SECONDS", 0.2)
    monkeypatch.setattr("bridge.store.engine.process_lane._STOP_SECONDS", 0.2)
    assert await bench.store.do(echo, 1) == 1
    writer = child(bench.store)
    os.kill(writer.pid, signal.SIGSTOP)
    waiting = bench.store.do(echo, 2)
    async with asyncio.timeout(60):
        await bench.store.stop()
    assert writer.returncode == -signal.SIGKILL
    assert not waiting.done()


async def test_nobody_waits_long_for_a_writer_that_hangs(bench, monkeypatch):
    """Whoever waits is told; what was on its way may have been stored, what was not never is; then all goes on."""
    monkeypatch.setattr("bridge.store.engine.writer._HANGS_SECONDS", 0.2)
    assert await bench.store.do(echo, 1) == 1
    writer = child(bench.store)
    os.kill(writer.pid, signal.SIGSTOP)
    try:
        calls = [bench.store.do(echo, 2)]

        def told() -> bool:
            calls.append(bench.store.do(echo, 3))
            return calls[0].done()

        await eventually(told)
        for refused in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(refused, StoreUnavailable)
            assert "has not answered" in str(refused)
    finally:
        os.kill(writer.pid, signal.SIGCONT)

    async def answered() -> bool:
        with suppress(StoreUnavailable):
            return await bench.store.do(echo, 4) == 4
        return False

    await eventually(answered)


async def test_the_writer_inherits_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Its environment holds what it needs to run and to reach the database, and nothing else of ours."""
    monkeypatch.setenv("WEBEX_BOT_TOKEN", "a-secret")
    monkeypatch.setenv("KIOSK_SECRET", "another")
    monkeypatch.setenv("BRIDGE_SECRET_KEY", "a-third")
    monkeypatch.setenv("PGSSLROOTCERT", "ca.pem")
    monkeypatch.setenv("TZ", "UTC")
    lane = ProcessLane(Begin(f"sqlite:///{tmp_path}/x.db", "json", "info"))
    await lane.start(lambda _: None, lambda _: None)
    try:
        # Between fork and exec the child still has its parent's.
        given = await eventually(lambda: _environment_if_begun(lane._process.pid))
    finally:
        await lane.stop(60)
    assert (given["PGSSLROOTCERT"], given["TZ"], given["PATH"]) == ("ca.pem", "UTC", os.environ["PATH"])
    assert {name for name in given if "SECRET" in name or "TOKEN" in name} == set()


async def test_a_writer_whose_service_dies_ends(tmp_path: Path):
    """However the service ends, its writer does not stay behind with the database."""
    program = (
        "import asyncio, sys\n"
        "from bridge.store.engine.process_lane import ProcessLane\n"
        "from bridge.store.engine.writer_process import Begin\n"
        "async def main():\n"
        "    lane = ProcessLane(Begin(sys.argv[1], 'json', 'info'))\n"
        "    await lane.start(print, print)\n"
        "    print(lane._process.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/x.db"]
    service = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=os.getcwd())
    assert service.stdout is not None
    writer = int(await asyncio.wait_for(service.stdout.readline(), 120))
    service.kill()
    await service.wait()
    await eventually(lambda: not _runs(writer), why="the writer stayed behind")


def _environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _environment_if_begun(pid: int) -> dict[str, str] | None:
    raw = _environment_of(pid).decode()
    given = dict(one.split("=", 1) for one in raw.split("\0") if one)
    return given if "PGSSLROOTCERT" in given and "WEBEX_BOT_TOKEN" not in given else None
