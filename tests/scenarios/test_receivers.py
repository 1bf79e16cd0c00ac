"""Receivers of news: one that wants no more, what is sent along, and a command that tries one."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from bridge.simulator import Simulator, World
from bridge.store.tables import lanes
from tests.harness import ROOT, RunningBridge, ShiftedClock, eventually, running, whsec
from tests.scenarios.receiver import ENVIRON, receiving, setup


async def test_410_pauses_until_the_configuration_changes(
    sim: Simulator, world: World, clock: ShiftedClock
) -> None:
    """Not called any more, over a restart and for days; told once; then all of it, in order."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON, clock=clock) as bridge:
        receiver.answers, receiver.clock_shift = [410], 1.0
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: len(receiver.ids) == 1)
        await eventually(lambda: _paused(bridge))
        await ada.say("two")
        await bridge.opened("bob", "three")
        await bridge.restart()
        await eventually(lambda: _paused(bridge))
        await bridge.advance(4 * 3600)
        await eventually(lambda: _parked(bridge, 2))
        assert len(receiver.ids) == 1
        changed = setup(receiver)
        changed["sources"]["kiosk"]["callback"]["url"] += "?anew"
        await bridge.reload(changed)
        await bridge.service.callbacks.look()
        await eventually(lambda: len(receiver.taken) == 5)
        assert not await _paused(bridge)
        assert (await bridge.get("/readyz"))[1]["degraded"] == []


async def _paused(bridge: RunningBridge) -> bool:
    return "sources.kiosk.callback answered 410" in json.dumps((await bridge.get("/readyz"))[1]["degraded"])


async def _parked(bridge: RunningBridge, number: int) -> bool:
    """So many lanes of news wait, each for a time to come."""
    waiting = (
        select(func.count())
        .select_from(lanes)
        .where(lanes.c.stage == "call", lanes.c.ready_at > bridge.clock.now() + 60)
    )

    def count(connection: Connection) -> int:
        return connection.execute(waiting).scalar() or 0

    return await bridge.service.store.read(count) == number


async def test_news_has_what_the_event_had_and_a_way_back(sim: Simulator, world: World) -> None:
    """`context` and `conversationUrl`; signed with each secret; with the headers that the receiver asks for."""
    async with receiving() as receiver:
        wanted = setup(receiver)
        wanted["sources"]["kiosk"]["callback"] |= {
            "secret": None,
            "secrets": ["env:NEW_HOOK", "env:HOOK"],
            "headers": {"X-Api-Key": "env:HOOK_KEY"},
        }
        environ = {
            **ENVIRON,
            "NEW_HOOK": whsec(b"another-secret-another-secret-an"),
            "HOOK_KEY": "k-1",
        }
        async with running(wanted, sim, environ=environ, public_url=True) as bridge:
            await bridge.opened("ada", "one", context={"email": "ada@example.com"})
            await eventually(lambda: receiver.taken)
            data = receiver.taken[0]["data"]
            assert data["context"] == {"email": "ada@example.com"}
            assert data["conversationUrl"].startswith(f"{bridge.url}/talk/{data['conversationId']}#key=")
            assert receiver.requested[0]["X-Api-Key"] == "k-1"
            assert len(receiver.requested[0]["webhook-signature"].split()) == 2


async def test_the_command_posts_one_of_each(tmp_path: Path) -> None:
    """What each was answered; 0 where all were taken, 1 where one was not, 2 for a source that there is not."""
    async with receiving() as receiver:
        (tmp_path / "bridge.yaml").write_text(json.dumps(setup(receiver)))

        async def run(source: str) -> tuple[int, str]:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bridge", "callback-test", "--source", source),
                *("--config", str(tmp_path / "bridge.yaml")),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=ROOT,
                env={**ENVIRON, "PATH": ""},
            )
            said, _ = await process.communicate()
            return process.returncode or 0, said.decode()

        code, said = await run("kiosk")
        assert (code, said.count("taken (200)")) == (0, 5), said
        assert receiver.types == [
            "conversation.queued",
            "conversation.opened",
            "message.created",
            "message.failed",
            "conversation.ended",
        ]
        receiver.answers = [200, 500]
        code, said = await run("kiosk")
        assert code == 1
        assert "conversation.opened    the receiver answered 500" in said
        code, said = await run("kosk")
        assert (code, "did you mean kiosk?" in said) == (2, True)


async def test_a_changed_secret_in_a_file_is_noticed(
    sim: Simulator, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The YAML stays as it is; what `NAME_FILE` names is looked at with it."""
    secret = tmp_path / "secret"
    secret.write_text(whsec(b"the-first-secret-the-first-secre"))
    async with receiving() as receiver:
        receiver.clock_shift = 1.0
        environ = {"HOOK_FILE": str(secret)}
        async with running(setup(receiver), sim, environ=environ) as bridge:
            await bridge.opened("ada", "one")
            await eventually(lambda: receiver.requested)
            before = bridge.service.live
            secret.write_text(whsec(b"another-secret-another-secret-an"))
            await bridge.service.reloader.look()
            assert bridge.service.live is not before
            assert bridge.service.live.targets["kiosk"].secrets == (b"another-secret-another-secret-an",)
