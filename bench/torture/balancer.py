"""What stands in front of the processes, and what Webex's webhooks come through."""

from __future__ import annotations

import asyncio
import contextlib
import random

from bench.processes import free_port


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
