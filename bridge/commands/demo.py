"""`bridge demo`: the whole thing on one machine, with no account."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import tempfile
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

import aiohttp
from cryptography.fernet import Fernet
from rich.console import Console

from bridge import simulator
from bridge.clock import SystemClock
from bridge.commands.common import fail, plainly
from bridge.commands.timeline import Timeline, install
from bridge.domain.signing import sign
from bridge.service.app import Service
from bridge.simulator import Simulator, World
from config.load import load
from config.settings import load_settings
from handlers.parts import Demo

CONFIG = """\
sources:
  orders:                       # signed events, as a kiosk's or a form's own server would send them
    auth: {scheme: standard-webhooks, secrets: [env:DEMO_SECRET]}
  store:                        # the pages that ship: /kiosk/store and /form/store
    auth: {scheme: page}
    origins: ["http://localhost"]
    idle_minutes: 5
agents:
  amy: {email: amy@example.com, name: Amy Chen}
  bo: {email: bo@example.com, name: Bo Diaz}
teams:
  front-desk: {timezone: Europe/London, agents: [amy, bo], leads: [kim@example.com]}
routes:
  - team: front-desk
"""
_TOKEN_SECONDS = 120  # short, so that a re-issue can be seen
_TOKEN_SECONDS_ONCE = 5
_STEP_SECONDS = 20.0
_PORT = 8080


@dataclass(frozen=True, slots=True)
class Stage:
    """The running demo."""

    service: Service
    world: World
    root: str
    agents: str
    secret: bytes
    timeline: Timeline


def demo(port: int | None, once: bool) -> None:
    """`once`: plays one conversation without a person and returns."""
    console = Console(highlight=False)
    timeline = Timeline(console)
    install(timeline)
    chosen = port_for(port, once=once)

    async def work() -> bool:
        async with staged(timeline, chosen, once) as stage:
            return await (_play(stage, console) if once else _wait(stage, console))

    if not plainly(work):
        fail("Not every step was seen.")


@asynccontextmanager
async def staged(timeline: Timeline, port: int, once: bool) -> AsyncIterator[Stage]:
    """A simulator and a service on a database that is thrown away afterwards."""
    secret = token_bytes(32)
    with tempfile.TemporaryDirectory(prefix="bridge-demo-") as folder:
        config = Path(folder) / "bridge.yaml"
        config.write_text(CONFIG)
        world = World(guest_expires_in=_TOKEN_SECONDS_ONCE if once else _TOKEN_SECONDS)
        async with Simulator(world) as sim:
            root = f"http://127.0.0.1:{port}"
            environ = _environ(folder, config, port, root, sim.url, secret)
            service = Service(load_settings(environ), load(config, environ), SystemClock(), environ)
            agents = f"{sim.root}/agent"
            service.demo = Demo(f"{root}/kiosk/store", f"{agents}?as=amy@example.com", sim.root)
            await service.start()
            try:
                yield Stage(service, world, root, agents, secret, timeline)
            finally:
                await service.stop()


def _environ(folder: str, config: Path, port: int, root: str, webex: str, secret: bytes) -> dict[str, str]:
    return {
        "BRIDGE_CONFIG": str(config),
        "DATABASE_URL": f"sqlite:///{folder}/bridge.db",
        "PORT": str(port),
        "PUBLIC_URL": root,
        "WEBEX_API_URL": webex,
        "WEBEX_SERVICE_APP_CLIENT_ID": simulator.CLIENT_ID,
        "WEBEX_SERVICE_APP_CLIENT_SECRET": simulator.CLIENT_SECRET,
        "WEBEX_SERVICE_APP_REFRESH_TOKEN": simulator.REFRESH_TOKEN,
        "WEBEX_BOT_TOKEN": simulator.BOT_TOKEN,
        "BRIDGE_SECRET_KEY": Fernet.generate_key().decode(),
        "DEMO_SECRET": "whsec_" + b64encode(secret).decode(),
    }


def port_for(wished: int | None, *, once: bool) -> int:
    return wished or (_free_port() if once or not _is_free(_PORT) else _PORT)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _wait(stage: Stage, console: Console) -> bool:
    """Until Ctrl-C."""
    console.print()
    console.print("[bold]webex-guest-bridge demo[/] - a whole support desk on this machine. Open:")
    console.print(f"  both sides at once    [link]{stage.root}/demo[/link]")
    console.print(f"  a store's kiosk       {stage.root}/kiosk/store?store=S12")
    console.print(f"  a web form            {stage.root}/form/store")
    console.print(f"  the agent's Webex     {stage.agents}?as=amy@example.com")
    console.print("Say something at the kiosk, answer as Amy. '/done' ends it. Ctrl-C stops the demo.")
    console.print()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    return True


async def _play(stage: Stage, console: Console) -> bool:
    """One conversation, step by step; True when every step was seen."""
    console.print("[bold]One customer, one agent, no Webex account[/]")
    steps: list[tuple[str, bool]] = []
    async with aiohttp.ClientSession() as session:
        answer = await _send_event(stage, session)
        steps.append(("event accepted", answer is not None))
        if answer is not None:
            await _converse(stage, session, answer, steps)
    console.print()
    for name, seen in steps:
        console.print(f"  [{'green' if seen else 'red'}]{'✓' if seen else '✗'}[/] {name}")
    return all(seen for _, seen in steps)


async def _converse(
    stage: Stage, session: aiohttp.ClientSession, answer: dict[str, Any], steps: list[tuple[str, bool]]
) -> None:
    timeline, world = stage.timeline, stage.world

    async def step(name: str, seen: Callable[[], bool]) -> None:
        steps.append((name, await _eventually(seen)))

    await step("guest minted", lambda: timeline.saw("guest.minted"))

    def said() -> list[dict[str, Any]]:
        return [
            one for one in world.messages_to("amy@example.com") if one["personEmail"] != simulator.BOT_EMAIL
        ]

    await step("message reached the agent on duty", lambda: bool(said()))
    if not steps[-1][1]:
        return
    message = said()[-1]
    timeline.line("“", "white", f"Amy reads: {message['text']}")
    world.say(
        "amy@example.com", message["personEmail"], text="Hello Ada, I am sorry. A new one is on its way."
    )
    await step("agent's reply came back", lambda: timeline.saw("reply.heard"))
    shown = await _customer_reads(stage, session, answer)
    steps.append(("customer's page shows the reply", shown is not None))
    if shown:
        timeline.line("“", "white", f"The customer reads: {shown}")
    await step("token re-issued before its end", lambda: timeline.saw("token.reissued"))
    world.say("amy@example.com", message["personEmail"], text="/done")
    await step("conversation ended by the agent", lambda: timeline.saw("conversation.ended"))
    violations = world.violations()
    steps.append(("Webex saw no expired token and no call too early", not violations))


async def _send_event(stage: Stage, session: aiohttp.ClientSession) -> dict[str, Any] | None:
    body = json.dumps(
        {
            "type": "conversation.requested",
            "data": {
                "subject": "loyalty-48213",
                "displayName": "Ada L.",
                "message": "My order 5512 arrived broken",
                "store": "S12",
                "topic": "returns",
            },
        }
    ).encode()
    webhook_id, timestamp = f"msg_{uuid.uuid4().hex}", int(stage.service.clock.now())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(stage.secret, webhook_id, timestamp, body),
    }
    async with session.post(f"{stage.root}/v1/events/orders", data=body, headers=headers) as response:
        return await response.json() if response.status == 202 else None


async def _customer_reads(stage: Stage, session: aiohttp.ClientSession, answer: dict[str, Any]) -> str | None:
    """The agent's words as the customer's page gets them."""
    headers = {"Authorization": f"Bearer {answer['conversationKey']}"}
    async with session.get(
        f"{stage.root}/v1/conversations/{answer['conversationId']}/messages", headers=headers
    ) as response:
        items = (await response.json())["items"] if response.status == 200 else []
    return next((item["text"] for item in items if item["from"] == "agent"), None)


async def _eventually(seen: Callable[[], bool]) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STEP_SECONDS):
            while not seen():  # noqa: ASYNC110 - some of it happens in the simulator, which tells nobody
                await asyncio.sleep(0.02)
            return True
    return False
