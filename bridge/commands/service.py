"""What `bridge run` and `bridge simulator` do."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import structlog

from bridge import log_lines, logs
from bridge.clock import SystemClock
from bridge.commands.common import environment, fail, loaded_of, plainly, say, settings_of
from bridge.domain.errors import BridgeError
from bridge.service.app import Service
from bridge.service.stopping import Ending
from bridge.simulator import BOT_TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, World, serve
from bridge.store.engine.writer_process import spare_the_collector


def run(config: Path | None) -> None:
    """Until SIGTERM or SIGINT."""
    environ = environment(config)
    settings = settings_of(environ)
    log = log_lines.on_stderr()
    logs.configure(settings.log_format, settings.log_level, log)
    loaded = loaded_of(settings.bridge_config, environ)
    service = Service(settings, loaded, SystemClock(), environ, own_writer=True, log=log)
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    ending = Ending(lambda: structlog.get_logger().error("service.stop_cut_short"), log.drain)

    async def work() -> None:
        await serve_until_told(service, ending)
        ending.leave(0)

    plainly(work)


async def serve_until_told(service: Service, ending: Ending) -> None:
    """Starts, works until a signal, drains and stops. Raises BridgeError where it cannot start, or go on."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    ending.listen(lambda: loop.call_soon_threadsafe(stopped.set))
    told = asyncio.create_task(stopped.wait())
    try:
        if await _started(service, told):
            await _work(service, told, ending)
    finally:
        ending.hurry(1)  # also what Python itself waits for at an end
    if service.failed.is_set():
        raise BridgeError("the process that writes the store has ended; start the service again")


async def _work(service: Service, told: asyncio.Task[bool], ending: Ending) -> None:
    spare_the_collector()
    failed = asyncio.create_task(service.failed.wait())
    try:
        await asyncio.wait((told, failed), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.hurry(1)
        await service.stop()


async def _started(service: Service, told: asyncio.Task[bool]) -> bool:
    """False where a signal came first: what was begun is stopped again."""
    starting = asyncio.create_task(service.start())
    await asyncio.wait((starting, told), return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
        return True
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    return False


def simulator(port: int, host: str) -> None:
    """Until SIGTERM or SIGINT; says where it listens."""

    def ready(address: str) -> None:
        say("Simulated Webex, for the environment of a bridge:")
        say(f"  export WEBEX_API_URL={address}/v1")
        say(
            f"  export WEBEX_SERVICE_APP_CLIENT_ID={CLIENT_ID} WEBEX_SERVICE_APP_CLIENT_SECRET={CLIENT_SECRET}"
        )
        say(f"  export WEBEX_SERVICE_APP_REFRESH_TOKEN={REFRESH_TOKEN}")
        say(f"  export WEBEX_BOT_TOKEN={BOT_TOKEN}  # only if the bot is to be tried as well")
        say(f"Agents' inbox: {address}/agent")

    async def work() -> None:
        task = asyncio.ensure_future(serve(host, port, World(), ready))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        plainly(work)
    except OSError as error:
        fail(f"cannot listen on {host}:{port}: {error.strerror}")
