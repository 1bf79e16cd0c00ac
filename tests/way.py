"""Prints the way of one new customer's event and of one agent's answer through our files: `python -m tests.way`.

Counted are the calls of functions in `bridge/` (without its simulator), `handlers/` and `config/`, in the order in
which they begin, in the loop and in the store's threads. A change is a call in another file than the call before it.
`--files` lists the files. What happens beside the message meanwhile (a heartbeat, a look at the configuration) is
counted too, so figures differ a little from run to run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import FrameType
from typing import Any, NamedTuple

import structlog

from bridge.simulator import Simulator
from tests.harness import AMY, ROOT, SMALLEST, eventually, running

OURS = tuple(f"{ROOT}/{folder}/" for folder in ("bridge", "handlers", "config"))
NOT_OURS = f"{ROOT}/bridge/simulator/"


class Way(NamedTuple):
    """What one message ran through; `files` in the order of their first call."""

    functions: int
    files: list[str]
    changes: int


class Trace:
    """Notes each call of a function of ours once; a coroutine that goes on after a pause is no new call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        # Held, so that no later frame gets the number of one that is gone.
        self._frames: dict[int, FrameType] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        path = frame.f_code.co_filename
        if event != "call" or not path.startswith(OURS) or path.startswith(NOT_OURS):
            return
        if id(frame) not in self._frames:
            self._frames[id(frame)] = frame
            self.calls.append((path.removeprefix(f"{ROOT}/"), frame.f_code.co_qualname))

    def way(self) -> Way:
        """Counts what was noted."""
        files = [path for path, _ in self.calls]
        changes = sum(one != other for one, other in pairwise(files))
        return Way(len(set(self.calls)), list(dict.fromkeys(files)), changes)


_current: list[Trace] = []


def _watch(frame: FrameType, event: str, argument: Any) -> None:
    for trace in _current:
        trace(frame, event, argument)


@contextmanager
def traced() -> Iterator[Trace]:
    """Notes calls in all threads that `main` has watched."""
    trace = Trace()
    _current.append(trace)
    try:
        yield trace
    finally:
        _current.clear()


async def walk() -> tuple[Way, Way]:
    """Runs a bridge, one new customer's event and one answer; gives their ways."""
    async with Simulator() as sim, running(SMALLEST, sim, public_url=True) as bridge:

        def at_rest() -> bool:
            return bridge.texts() == ["hello"] and bool(sim.world.hooks) and not busy()

        def busy() -> bool:
            return any(pump.lanes for pump in bridge.service.pumps.values())

        with traced() as asked:
            customer = await bridge.opened(message="hello")
            await eventually(at_rest)
        async with customer.stream(0) as stream:
            await eventually(lambda: "hello" in stream.texts)
            with traced() as answered:
                sim.world.say(AMY, bridge.world.messages_to(AMY)[0]["personId"], "hi")
                await eventually(lambda: "hi" in stream.texts and not busy())
    return asked.way(), answered.way()


def main() -> None:
    """Prints a line for each of the two, with `--files` also the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--files", action="store_true", help="list the files, in the order of their first call"
    )
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    threading.setprofile(_watch)
    sys.setprofile(_watch)
    ways = asyncio.run(walk())
    sys.setprofile(None)
    for name, way in zip(("a new customer's event", "an agent's answer"), ways, strict=True):
        print(f"{name}: {way.functions} functions in {len(way.files)} files, {way.changes} changes of file")
        if options.files:
            print("".join(f"  {path}\n" for path in way.files), end="")


if __name__ == "__main__":
    main()
