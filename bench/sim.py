"""The simulator as its own process, with a feed that tells at once which messages reached agents.

    python -m bench.sim PORT FEED_PORT LATENCY_SECONDS [SEED]

The feed is a TCP port: one line for each message that reached the first agent, the message's first word (which
is the number of the event in a measurement). It is cheap, so that watching does not slow what is watched.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

from aiohttp import web

from bridge.simulator import PEOPLE, World, make_app


class Feed:
    """Writes what is new in the agents' inboxes, at most once per turn of the loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._writers: set[asyncio.StreamWriter] = set()
        self._told = dict.fromkeys(PEOPLE, 0)
        self._planned = False
        world.watch(self._changed)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await reader.read()
        self._writers.discard(writer)
        writer.close()

    def _changed(self) -> None:
        if not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._planned = False
        lines: list[str] = []
        for email, told in self._told.items():
            inbox = self._world.find_person(email).inbox
            if len(inbox) > told:
                lines += [message.get("text", "").partition(" ")[0] for message in inbox[told:]]
                self._told[email] = len(inbox)
        data = "".join(f"{line}\n" for line in lines).encode()
        for writer in self._writers:
            writer.write(data)


async def main(port: int, feed_port: int, latency: float, seed: int) -> None:
    world = World(seed=seed)
    world.latency = latency
    feed = Feed(world)
    runner = web.AppRunner(make_app(world), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    world.root = f"http://127.0.0.1:{port}"
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with await asyncio.start_server(feed.serve, "127.0.0.1", feed_port):
        await stopped.wait()
    await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    arguments = sys.argv[1:]
    asyncio.run(
        main(int(arguments[0]), int(arguments[1]), float(arguments[2]), int((arguments[3:] or ["0"])[0]))
    )
