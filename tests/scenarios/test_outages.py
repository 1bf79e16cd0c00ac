"""Webex is down, the credentials are dead, the disk is full: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

from bridge.simulator import Simulator, World
from bridge.store.engine.writer import ThreadLane
from tests.harness import config, eventually, running
from tests.processes import bridge_process, family


async def test_service_starts_while_webex_is_down(sim: Simulator, world: World, database_url: str) -> None:
    """/readyz 503 with the reason, events are accepted and kept, and delivered when it is back."""
    world.fault("/v1", "drop_before", times=None)
    async with running(config(), sim, database_url=database_url, wait_ready=False) as bridge:
        status, ready = await bridge.get("/readyz")
        assert status == 503
        assert ready["reasons"]
        assert (await bridge.get("/healthz"))[0] == 200
        await bridge.opened("ada", "one")
        await bridge.opened("bert", "two")
        world.clear_faults()
        await eventually(lambda: sorted(bridge.texts()) == ["one", "two"])
        await eventually(bridge.ready)


async def test_passing_outage_is_degraded_and_loses_nothing(sim: Simulator, world: World) -> None:
    """Webex goes away for a while: still 200, and every word arrives in order afterwards."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        fault = world.fault("/v1", status=503, times=None)
        await ada.say("two")
        await ada.say("three")
        await eventually(lambda: fault.used >= 2)
        assert (await bridge.get("/readyz"))[0] == 200
        world.clear_faults()
        await eventually(lambda: bridge.texts() == ["one", "two", "three"])


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_dead_credentials_are_said_and_not_hammered(sim: Simulator, world: World, status: int) -> None:
    """Any 4xx but 429 of /access_token: /readyz 503 with the reason, and few calls, however much waits."""
    world.fault("/v1/access_token", status=status, times=None)
    async with running(config(), sim, wait_ready=False) as bridge:
        await eventually(lambda: _credentials(bridge, "dead"))
        for number in range(20):
            await bridge.opened(f"c{number}", "hello")
        code, ready = await bridge.get("/readyz")
        assert code == 503
        assert str(status) in str(ready["reasons"])
        await eventually(lambda: _waiting(bridge, 20))
        assert 1 <= len(bridge.calls("/access_token")) <= 2
        assert bridge.calls("/guests/token") == []


async def _credentials(bridge: Any, wanted: str) -> bool:
    return (await bridge.get("/readyz"))[1]["credentials"] == wanted


async def _waiting(bridge: Any, count: int) -> bool:
    counts = bridge.service.health.counts
    return counts is not None and counts.deliveries >= count


async def test_credentials_that_die_in_midlife(sim: Simulator, world: World) -> None:
    """The Service App is deauthorised: who has a token goes on, /readyz is 503, nothing is hammered."""
    async with running(config(webex={"poll_seconds": 60}), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        world.fault("/v1/access_token", status=400, times=None)
        world.fault("/v1/guests/token", status=401, times=None)
        before = len(bridge.calls("/access_token"))
        await bridge.opened("bert", "two")
        await eventually(lambda: _credentials(bridge, "dead"))
        assert (await bridge.get("/readyz"))[0] == 503
        await ada.say("three")
        await eventually(lambda: bridge.texts() == ["one", "three"])
        assert len(bridge.calls("/access_token")) - before <= 2
        assert len(bridge.calls("/guests/token")) <= 4


def full(connection: Any, items: Any) -> list[None]:
    """The disk is full: the file may not grow."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    return [None] * len(items)


def roomy(connection: Any, items: Any) -> list[None]:
    connection.exec_driver_sql("PRAGMA max_page_count=1073741823")
    return [None] * len(items)


async def test_full_store_acknowledges_nothing(sim: Simulator) -> None:
    """503 with Retry-After for events and words; what was acknowledged before, meanwhile and after arrives."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        await bridge.service.store.do(full, None)
        accepted = []
        for number in range(40):
            text = f"{number} " + "x" * 6000
            status, answer = await bridge.event(subject="ada", displayName="Ada", message=text)
            assert status in (202, 503), answer
            if status == 202:
                accepted.append(text)
            else:
                assert int(answer["headers"]["Retry-After"]) >= 1
        assert len(accepted) < 40
        said = await ada.say("x" * 7000)
        assert said.status == 503
        assert int(said.headers["Retry-After"]) >= 1
        assert (await bridge.get("/healthz"))[0] == 200
        await bridge.service.store.do(roomy, None)
        await eventually(bridge.ready)
        await ada.say("last")
        await eventually(lambda: bridge.texts()[-1] == "last")
        assert bridge.texts() == ["one", *accepted, "last"]


async def test_disk_that_takes_no_byte(sim: Simulator) -> None:
    """Of a real process: events get 503 with Retry-After, /readyz says so, and it recovers by itself."""
    quiet = {"LOG_LEVEL": "critical"}  # the log is a file too
    async with bridge_process(config(), sim, environ=quiet) as bridge:
        assert bridge.process is not None
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])

        async def settled() -> bool:
            return [item["delivery"] for item in await ada.messages()] == ["sent"]

        await eventually(settled)  # else its lease must run out first, which takes 10 s
        for pid in family(bridge.process.pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        status, answer = await bridge.event(subject="ada", displayName="Ada", message="two")
        assert status == 503
        assert int(answer["headers"]["Retry-After"]) >= 1
        assert (await ada.say("two")).status == 503
        status, ready = await bridge.get("/readyz")
        assert (status, ready["store"]) == (503, "failing")
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        for pid in family(bridge.process.pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        await eventually(bridge.ready)
        await ada.say("three")
        await eventually(lambda: bridge.texts() == ["one", "three"])


@pytest.mark.slow
async def test_database_that_somebody_else_has_locked(sim: Simulator) -> None:
    """A backup tool holds the write lock: 503 after a bounded wait, and on it goes when the lock is free."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        with closing(sqlite3.connect(bridge.folder / "bridge.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with asyncio.timeout(120):
                answers = await asyncio.gather(*(ada.say("two") for _ in range(20)))
            for said in answers:
                assert said.status == 503
                assert int(said.headers["Retry-After"]) >= 1
            assert await ada.transcript() == [("customer", "one")]
        await ada.say("three")
        await eventually(lambda: bridge.texts() == ["one", "three"])


async def test_database_that_hangs(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that never answers: /readyz says so within its time, and all is well when it answers."""
    monkeypatch.setattr("bridge.service.health._STORE_SECONDS", 0.2)
    async with running(config(), sim) as bridge:
        store = bridge.service.store
        with monkeypatch.context() as patched:
            patched.setattr(store.writer, "submit", lambda *_: asyncio.get_running_loop().create_future())
            status, ready = await bridge.get("/readyz")
            assert (status, ready["store"]) == (503, "failing")
            assert "has not answered" in ready["reasons"][0]
        await eventually(bridge.ready)


async def test_events_do_not_wait_for_a_database_that_hangs(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with Retry-After, those under way as well; what is sent again is delivered once, and all of it in order."""
    monkeypatch.setattr("bridge.store.engine.writer._HANGS_SECONDS", 0.3)
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        lane = bridge.service.store.writer._lane
        assert isinstance(lane, ThreadLane)
        answering, commit = threading.Event(), lane._committer.commit

        def hang(batch: Any) -> Any:
            answering.wait(30)
            return commit(batch)

        with monkeypatch.context() as patched:
            patched.setattr(lane._committer, "commit", hang)
            try:
                first = await bridge.event(webhook_id="two", subject="ada", displayName="Ada", message="two")
                second = await ada.say("three")
                assert (await bridge.get("/readyz"))[1]["store"] == "failing"
            finally:
                answering.set()
        for status, headers in ((first[0], first[1]["headers"]), (second.status, second.headers)):
            assert status == 503
            assert int(headers["Retry-After"]) >= 1
        await eventually(bridge.ready)
        status, _ = await bridge.event(webhook_id="two", subject="ada", displayName="Ada", message="two")
        assert status in (200, 202)
        await ada.say("three")
        await eventually(lambda: bridge.texts() == ["one", "two", "three"])
