"""The `bridge` command as a person or a script meets it: a process with a folder and an environment of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from bridge.simulator import Simulator, World

ROOT = Path(__file__).parents[2]
EXAMPLE_CHAIN = ROOT / "config/example-chain"
BRIDGE = [sys.executable, "-m", "bridge"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the machine's but what Python needs."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **environ}


@pytest.fixture
def bridge(tmp_path: Path) -> Callable[..., Ran]:
    """Runs `bridge ARGS` in an empty folder and waits. A traceback is never an answer."""

    def run(*args: object, **environ: str) -> Ran:
        done = subprocess.run(
            [*BRIDGE, *map(os.fsencode, map(str, args))],
            cwd=tmp_path,
            env=environment(environ),
            capture_output=True,
            timeout=60,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.out + ran.err, ran.err
        return ran

    return run


async def beside(environ: Mapping[str, str], *args: object) -> Ran:
    """The same beside a service in this process, with the service's environment."""
    process = await asyncio.create_subprocess_exec(
        *BRIDGE,
        *map(str, args),
        env=environment(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert b"Traceback" not in out + err, err.decode()
    return Ran(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def sim(world: World) -> AsyncIterator[Simulator]:
    async with Simulator(world) as simulator:
        yield simulator


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes config/bridge.yaml, where a command looks for it by default."""

    def put(text: str) -> Path:
        path = tmp_path / "config/bridge.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return put


SMALLEST = """\
sources:
  kiosk:
    auth: {scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}
agents:
  amy: {email: amy@example.com}
teams:
  front-desk: {timezone: Europe/London, agents: [amy]}
routes:
  - team: front-desk
"""
