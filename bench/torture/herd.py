"""The processes that are killed, and the balancer in front of them that Webex's webhooks come through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from pathlib import Path

from bench.processes import Process, free_port, webex_environment

CONFIG = {
    "webex": {"poll_seconds": 1, "token_budget": 60},
    "sources": {
        "kiosk": {"auth": {"scheme": "standard-webhooks", "secrets": ["env:KIOSK_SECRET"]}, "idle_minutes": 0}
    },
    "agents": {name: {"email": f"{name}@example.com"} for name in ("amy", "bo", "cy")},
    "teams": {"desk": {"timezone": "UTC", "agents": ["amy", "bo", "cy"]}},
    "routes": [{"team": "desk"}],
}
BUDGET = 60


class Herd:
    """`count` processes of one bridge, each on a port of its own that it keeps."""

    def __init__(
        self, folder: Path, api: str, database: str, key: str, count: int, public: str | None
    ) -> None:
        (folder / "bridge.yaml").write_text(json.dumps(CONFIG))
        self.members = [self._member(folder, api, database, key, n, public) for n in range(count)]
        self.kills: list[float] = []  # epoch seconds

    @staticmethod
    def _member(folder: Path, api: str, database: str, key: str, number: int, public: str | None) -> Process:
        port = free_port()
        environ = {
            **webex_environment(api),
            "BRIDGE_CONFIG": str(folder / "bridge.yaml"),
            "BRIDGE_SECRET_KEY": key,
            "DATABASE_URL": database,
            "PORT": str(port),
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "info",
            **({"PUBLIC_URL": public} if public else {}),
        }
        name = f"bridge-{number}"
        command = [sys.executable, "-m", "bridge", "run"]
        return Process(
            name, command, f"http://127.0.0.1:{port}", folder / f"{name}.log", environ, folder, "/readyz"
        )

    async def start(self) -> None:
        for member in self.members:
            member.start()
        await asyncio.gather(*(asyncio.to_thread(member.wait_ready, 60) for member in self.members))

    async def torment(self, kills: int, spread: float, chance: random.Random) -> None:
        """Kills at random moments, now and then twice in a row, and starts again at once."""
        moments = sorted(chance.uniform(0, spread) for _ in range(kills))
        begun = asyncio.get_running_loop().time()
        for moment in moments:
            await asyncio.sleep(max(0.0, begun + moment - asyncio.get_running_loop().time()))
            member = chance.choice(self.members)
            self.kills.append(time.time())
            await asyncio.to_thread(member.kill)
            member.start()

    def fallen(self) -> list[str]:
        """Who died without being killed."""
        return [member.name for member in self.members if not member.alive]

    def stop(self) -> None:
        for member in self.members:
            member.kill()


class Balancer:
    """Passes each connection on to any process that takes it."""

    def __init__(self, chance: random.Random) -> None:
        self.port = free_port()
        self.ports: list[int] = []
        self._chance = chance
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Balancer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in self._chance.sample(self.ports, len(self.ports)):
            try:
                back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            await asyncio.gather(_pipe(reader, back_writer), _pipe(back_reader, writer))
            return
        writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):  # uvloop's word for a transport that is gone
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
