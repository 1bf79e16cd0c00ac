"""The simulator as a server that runs until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.simulator.app import Simulator
from bridge.simulator.world import World


async def serve(host: str, port: int, world: World, ready: Callable[[str], None] | None = None) -> None:
    """Serves until cancelled. `ready` gets the server's address (without /v1) once it listens.

    Raises OSError where the port is taken.
    """
    async with Simulator(world, host, port) as simulator:
        if ready is not None:
            ready(simulator.root)
        await asyncio.Event().wait()
