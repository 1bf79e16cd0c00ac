"""The `bridge` command as a person or a script meets it: a process with a folder and an environment of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bridge.simulator import Simulator, World
from tests.commands import warm
from tests.commands.warm import Ran

ROOT = Path(__file__).parents[2]
EXAMPLE_CHAIN = ROOT / "config/example-chain"
BRIDGE = [sys.executable, "-m", "bridge"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the machine's but what Python needs."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **environ}


@pytest.fixture
def bridge(tmp_path: Path) -> Callable[..., Ran]:
    """Runs `bridge ARGS` in an empty folder and waits. A traceback is never an answer."""

    def run(*args: object, **environ: str) -> Ran:
        # What the interpreter itself looks at must be there when it starts.
        started = cold if any(name.startswith("PYTHON") for name in environ) else warm.run
        ran = started(args, tmp_path, environment(environ))
        assert "Traceback" not in ran.out + ran.err, ran.err
        return ran

    return run


def cold(args: Sequence[object], cwd: Path, environ: Mapping[str, str]) -> Ran:
    done = subprocess.run(
        [*BRIDGE, *map(str, args)], cwd=cwd, env=environ, capture_output=True, timeout=180, check=False
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


async def beside(environ: Mapping[str, str], *args: object) -> Ran:
    """The same beside a service in this process, with the service's environment."""
    ran = await asyncio.to_thread(warm.run, args, None, environment(environ))
    assert "Traceback" not in ran.out + ran.err, ran.err
    return ran


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
