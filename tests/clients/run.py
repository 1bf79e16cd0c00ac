"""Runs each client against a bridge of its own: `python -m tests.clients.run FOLDER`, made by `.ci/clients`.

FOLDER holds what the generators made. Each client opens nothing: its conversation began by an event, as a shop's does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bridge.simulator import Simulator
from tests.harness import AMY, SMALLEST, RunningBridge, eventually, running

HERE = Path(__file__).parent


def commands(folder: Path) -> dict[str, tuple[Sequence[str], dict[str, str]]]:
    """Each client's command, and what its environment needs."""
    tsx = str(folder / "node_modules/.bin/tsx")
    python = str(folder / "venv/bin/python")
    return {
        "openapi-python-client": (
            [python, str(HERE / "python_client.py")],
            {"PYTHONPATH": str(folder / "python-client")},
        ),
        "openapi-generator, python": (
            [python, str(HERE / "generator_python.py")],
            {"PYTHONPATH": str(folder / "generator-python")},
        ),
        "@hey-api/openapi-ts": ([tsx, str(folder / "hey_api.ts")], {}),
        "openapi-generator, typescript-fetch": ([tsx, str(folder / "generator_fetch.ts")], {}),
        "openapi-typescript": ([tsx, str(folder / "openapi_typescript.ts")], {}),
    }


async def converse(bridge: RunningBridge, name: str, command: Sequence[str], more: dict[str, str]) -> None:
    """One client's conversation, with Amy at the other end. Raises AssertionError where it does not end well."""
    customer = await bridge.opened(subject=name, message="It arrived broken")
    words = f"Hello from {name}"
    talk = {
        "url": bridge.url,
        "id": customer.id,
        "key": customer.key,
        "words": words,
        "answer": f"Hello, {name}",
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **more, "TALK": json.dumps(talk)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )

    def heard() -> bool:
        return process.returncode is not None or words in bridge.texts()

    said = asyncio.create_task(process.communicate())
    await eventually(heard)
    guest = next((one["personId"] for one in bridge.world.messages_to(AMY) if one.get("text") == words), None)
    if guest:
        bridge.world.say(AMY, guest, talk["answer"])
    output, _ = await said
    assert process.returncode == 0, f"{name}: {output.decode()}"
    print(f"{name}: held a conversation")


async def main(folder: Path) -> None:
    """Runs one after the other."""
    async with Simulator() as sim, running(SMALLEST, sim, public_url=True) as bridge:
        for name, (command, more) in commands(folder).items():
            await converse(bridge, name, command, more)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).absolute()))
