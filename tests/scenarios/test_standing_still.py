"""/readyz says when work stands still, and which; to ask it changes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from bridge.service.app import Service
from bridge.service.retention import RUN_SECONDS
from bridge.simulator import Simulator
from bridge.store import reads
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.store import StoreVault
from tests.harness import RunningBridge, ShiftedClock, config, eventually, free_port, running, whsec

CALM = config(webex={"poll_seconds": 60})


async def reasons(bridge: RunningBridge) -> tuple[int, str]:
    status, ready = await bridge.get("/readyz")
    return status, " ".join(ready["reasons"])


def idle() -> asyncio.Future[list[Any]]:
    """A claim that finds nothing."""
    nothing: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
    nothing.set_result([])
    return nothing


async def test_words_that_nobody_takes_up(
    sim: Simulator, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with the stage's name after half a minute, the age in the metric; well again when they are delivered."""
    async with running(CALM, sim, clock=clock) as bridge:
        with monkeypatch.context() as patched:
            patched.setattr(bridge.service.pumps["say"], "_claim", lambda _: idle())
            await bridge.opened("ada", "hello")
            assert (await bridge.get("/readyz"))[0] == 200
            clock.shift += 40

            async def told() -> bool:
                status, why = await reasons(bridge)
                return status == 503 and "work stands still: customers' words (say)" in why

            await eventually(told, within=60)
            _, text = await bridge.get("/metrics")
            (line,) = (one for one in text.splitlines() if 'oldest_open_work_seconds{stage="say"}' in one)
            assert float(line.split()[1]) > 30
        await eventually(lambda: bridge.texts() == ["hello"], within=60)
        await eventually(bridge.ready, within=60)


async def test_a_round_of_intake_that_never_comes(
    sim: Simulator, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was accepted and is not decided is missed too."""
    async with running(CALM, sim, clock=clock) as bridge:
        with monkeypatch.context() as patched:
            patched.setattr(bridge.service.intake, "wake", lambda: None)
            await bridge.opened("ada", "hello")
            clock.shift += 40

            async def told() -> bool:
                status, why = await reasons(bridge)
                return status == 503 and "what came in (in)" in why

            await eventually(told, within=60)
        await eventually(bridge.ready, within=60)


async def test_a_receiver_that_is_gone_makes_nobody_unready(sim: Simulator, clock: ShiftedClock) -> None:
    """Its news wait by their own time, however long that is."""
    callback = {
        "url": f"http://127.0.0.1:{free_port()}/",
        "secret": "env:CALLBACK_SECRET",
        "allow_private": True,
    }
    setup = config(webex={"poll_seconds": 60}, sources={"kiosk": {"callback": callback}})
    environ = {"CALLBACK_SECRET": whsec(b"c" * 32)}
    async with running(setup, sim, clock=clock, environ=environ) as bridge:
        await bridge.opened("ada", "hello")
        for _ in range(3):
            before = calls(bridge)
            await bridge.advance(70)
            await eventually(lambda before=before: calls(bridge) > before, within=60)
            await bridge.service.health.count()
            assert await bridge.ready()


def calls(bridge: RunningBridge) -> float:
    return bridge.service.metrics.callbacks.labels("kiosk", "refused")._value.get()


async def test_a_loop_that_has_ended_is_named(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 while customers' words are not carried; degraded where only the clock is not watched. Both come back."""
    async with running(CALM, sim) as bridge:
        loops = bridge.service.loops
        faults = {"say": ZeroDivisionError, "clock": ZeroDivisionError}
        monkeypatch.setattr("bridge.service.supervision.backoff", lambda *_: 0.5)
        monkeypatch.setattr("bridge.service.supervision._WELL_SECONDS", 0.5)

        async def fail(name: str) -> None:
            if name in faults:
                raise faults.pop(name)
            await asyncio.Event().wait()

        loops.keep("clock", lambda: fail("clock"))
        await eventually(lambda: "clock" in loops.ended)
        status, ready = await bridge.get("/readyz")
        assert (status, ready["status"]) == (200, "degraded")
        assert any("the loop clock has ended" in one for one in ready["degraded"])
        await eventually(lambda: not loops.ended, within=60)
        loops.keep("say", lambda: fail("say"))
        await eventually(lambda: "say" in loops.ended)
        status, why = await reasons(bridge)
        assert status == 503
        assert "the loop say has ended" in why
        await eventually(bridge.ready, within=60)


async def test_catching_up_is_tried_until_the_store_answers(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not answer in the moment of the start: open threads are read all the same."""
    fails = [True]

    async def read(self: StoreVault, name: str) -> str | None:
        if name == "webhooks-refused" and fails:
            fails.pop()
            raise StoreUnavailable("the database is locked")
        return await real(self, name)

    async def listen_again(self: Service) -> None:
        heard.append(1.0)
        await again(self)

    real, again = StoreVault.read, Service._listen_again
    heard: list[float] = []
    monkeypatch.setattr(StoreVault, "read", read)
    monkeypatch.setattr(Service, "_listen_again", listen_again)
    async with running(CALM, sim):
        await eventually(lambda: heard, within=60)
        assert not fails


async def test_retention_that_has_much_to_do_does_not_hang(sim: Simulator) -> None:
    """It goes on for minutes in good order, and is not told as trouble."""
    async with running(CALM, sim) as bridge:
        ticks = bridge.service.ticks
        ticks._jobs["store.purge"].since = asyncio.get_running_loop().time() - RUN_SECONDS - 60
        assert ticks.troubles() == []


async def test_asking_changes_nothing(sim: Simulator) -> None:
    """However often /readyz is asked, nothing is written; the database would tell another connection."""
    async with running(CALM, sim) as bridge:
        bridge.service.ticks.stop()
        with closing(sqlite3.connect(bridge.folder / "bridge.db")) as other:

            def version() -> int:
                return other.execute("PRAGMA data_version").fetchone()[0]

            await bridge.service.store.do(reads.can_write, None)
            before = version()
            for _ in range(20):
                assert await bridge.ready()
            assert version() == before
            await bridge.service.store.do(reads.can_write, None)
            assert version() != before


async def test_a_store_that_takes_nothing_is_found_without_an_event(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Now and then a row is changed; /readyz goes by the result, and tries until it succeeds."""

    def refuse(*_: Any) -> list[None]:
        raise StoreUnavailable("the disk is full")

    async with running(CALM, sim) as bridge:
        with monkeypatch.context() as patched:
            patched.setattr("bridge.store.reads.can_write", refuse)
            with pytest.raises(StoreUnavailable):
                await bridge.service.health.try_store()
            status, why = await reasons(bridge)
            assert status == 503
            assert "the disk is full" in why
        await eventually(bridge.ready, within=60)
