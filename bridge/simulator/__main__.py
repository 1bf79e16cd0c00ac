"""`python -m bridge.simulator`: a simulated Webex in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from bridge.simulator.serve import serve
from bridge.simulator.world import World


def main(arguments: list[str] | None = None) -> int:
    """Prints its address, runs until SIGTERM or SIGINT. 0 for a clean stop, 1 where it cannot listen."""
    options = _parser().parse_args(arguments)
    world = World(
        latency=options.latency, guest_expires_in=options.guest_expires_in, keep_log=not options.no_log
    )
    try:
        asyncio.run(_until_told(options.host, options.port, world))
    except OSError as wrong:
        sys.stderr.write(f"cannot listen on {options.host}:{options.port}: {wrong.strerror}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bridge.simulator", description="A small simulated Webex."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 takes any free one (default: 8081)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--guest-expires-in", type=float, default=64799, help="seconds a guest's token lives")
    parser.add_argument("--no-log", action="store_true", help="keep no log of calls")
    return parser


async def _until_told(host: str, port: int, world: World) -> None:
    serving = asyncio.current_task()
    assert serving is not None
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, serving.cancel)
    try:
        await serve(host, port, world, _announce)
    except asyncio.CancelledError:
        return


def _announce(root: str) -> None:
    sys.stdout.write(f"{root}/v1\nagents: {root}/agent\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
