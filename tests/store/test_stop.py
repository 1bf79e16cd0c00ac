"""Closing a store whose database hangs."""

from __future__ import annotations

import asyncio
import threading

from bridge.store.store import Store
from tests.store.operations import echo


async def test_what_hangs_in_the_database_does_not_block_a_stop(bench) -> None:
    """A query and a commit that never come back: the loop goes on meanwhile, and the store is closed in its time."""
    answering, asked = threading.Event(), threading.Event()
    store: Store = bench.store

    def hang(*_: object) -> None:
        asked.set()
        answering.wait()

    def hang_in_commit(_connection, items):
        answering.wait()
        return items

    assert await store.do(echo, 1) == 1
    reading = asyncio.ensure_future(store.read(hang))
    writing = store.do(hang_in_commit, None)
    try:
        await asyncio.to_thread(asked.wait)
        await asyncio.wait_for(store.stop(1.0), 60)
        assert not reading.done()
        assert not writing.done()
    finally:
        answering.set()
    await reading
