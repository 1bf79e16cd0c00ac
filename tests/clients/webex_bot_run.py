"""Has the package webex_bot talk over the simulator's websocket: `python -m tests.clients.webex_bot_run PYTHON`.

PYTHON is that of an environment in which webex_bot is installed (`.ci/socket` makes it).
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bridge.simulator import BOT_EMAIL, BOT_TOKEN, Simulator
from tests.harness import eventually

KIM = "kim@example.com"
CHILD = Path(__file__).with_name("webex_bot_child.py")


async def main(python: str) -> None:
    """Raises AssertionError where the bot does not hear, or does not answer."""
    async with Simulator() as sim:
        environ = {**os.environ, "SIM": sim.root, "TOKEN": BOT_TOKEN, "USER_EMAIL": KIM}
        child = await asyncio.create_subprocess_exec(
            python, str(CHILD), env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            await eventually(lambda: sim.sockets.connected or child.returncode is not None)
            assert child.returncode is None, (await child.communicate())[0].decode()

            def texts() -> list[str]:
                return [
                    one.get("text", "")
                    for one in sim.world.messages_to(KIM)
                    if one["personEmail"] == BOT_EMAIL
                ]

            sim.world.say(KIM, BOT_EMAIL, text="echo hello")
            await eventually(lambda: "heard: hello" in texts(), within=30)
            card = next(one for one in sim.world.messages_to(KIM) if "attachments" in one)
            sim.world.press(KIM, card["id"], {"callback_keyword": "pressed", "word": "go"})
            await eventually(lambda: "pressed: go" in texts(), within=30)
            print("webex_bot: heard words and a press over the socket")
        finally:
            child.terminate()
            output, _ = await child.communicate()
            if os.environ.get("VERBOSE"):
                print(output.decode())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
