"""Calls to Webex for a conversation: two for the first message, one for a follow-up."""

from __future__ import annotations

import json

from bench.load import Order, send
from bench.processes import bridge, folder, get, running, simulator, write_config
from bench.table import Shown


def measure(quick: bool) -> Shown:
    shown = Shown("Calls to Webex", ("events", "mints", "messages", "other", "for each event"))
    with folder() as where:
        write_config(where)
        with running(simulator(where)) as sim, running(bridge(where, f"{sim.url}/v1")) as process:
            port, feed = int(process.url.rpartition(":")[2]), sim.feed  # type: ignore[attr-defined]
            before = _count(sim.url)
            for name, first, customers in (("200 new customers", 0, None), ("200 follow-ups", 200, 200)):
                send(Order(port, 200, 32, feed=feed, first=first, customers=customers))
                after = _count(sim.url)
                mints, messages, other = (now - then for now, then in zip(after, before, strict=True))
                shown.add(name, mints, messages, other, f"{(mints + messages + other) / 200:.2f}")
                before = after
    return shown


def _count(url: str) -> tuple[int, int, int]:
    calls = json.loads(get(f"{url}/_sim/calls")[1])
    paths = [call["path"] for call in (calls["items"] if isinstance(calls, dict) else calls)]
    mints, messages = paths.count("/v1/guests/token"), paths.count("/v1/messages")
    return mints, messages, len(paths) - mints - messages
