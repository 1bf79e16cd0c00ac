"""The least that is durable: as plain_aiohttp, but an event is on disk before its 202 and its outcome is afterwards.

python -m bench.peers.least_durable PORT API DATABASE

What came together is one commit (SQLite, synchronous=FULL). It repeats nothing after a crash, keeps no order and
knows no conversations: it is the limit to be near, not a service.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import time

from aiohttp import web

from bench.peers.plain_aiohttp import Inline, ready
from bench.processes import SECRET
from bridge.domain.signing import verify

_SCHEMA = "CREATE TABLE events (id TEXT PRIMARY KEY, body BLOB NOT NULL, message_id TEXT)"
_ADD = "INSERT OR IGNORE INTO events (id, body) VALUES (?, ?)"
_SETTLE = "UPDATE events SET message_id = ? WHERE id = ?"


class Disk:
    """Commits together what was asked for while the last commit was under way."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(_SCHEMA)
        self._waiting: list[tuple[str, tuple[object, ...], asyncio.Future[None]]] = []
        self._busy: asyncio.Task[None] | None = None

    async def write(self, statement: str, values: tuple[object, ...]) -> None:
        """Returns once it is on disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((statement, values, done))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._commit_waiting())
        await done

    async def _commit_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await asyncio.to_thread(self._commit, [(statement, values) for statement, values, _ in batch])
            for _, _, done in batch:
                done.set_result(None)

    def _commit(self, batch: list[tuple[str, tuple[object, ...]]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in (_ADD, _SETTLE):
            self._connection.executemany(statement, [values for kind, values in batch if kind is statement])
        self._connection.execute("COMMIT")


class LeastDurable(Inline):
    """Acknowledges from disk, then calls; what is under way is held by `_under_way` alone."""

    def __init__(self, api: str, disk: Disk) -> None:
        super().__init__(api)
        self._disk = disk
        self._under_way: set[asyncio.Task[None]] = set()

    async def event(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = request.headers
        ident = verify(
            (SECRET,),
            headers.get("webhook-id"),
            headers.get("webhook-timestamp"),
            headers.get("webhook-signature"),
            body,
            time.time(),
        )
        data = json.loads(body)["data"]
        await self._disk.write(_ADD, (ident, body))
        task = asyncio.create_task(self._deliver(ident, data))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return web.json_response({"eventId": ident, "conversationId": data["subject"]}, status=202)

    async def _deliver(self, ident: str, data: dict[str, str]) -> None:
        await self._disk.write(_SETTLE, (await self.send(data), ident))


def main() -> None:
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    durable = LeastDurable(sys.argv[2], Disk(sys.argv[3]))
    app = web.Application()
    app.cleanup_ctx.append(durable.session)
    app.router.add_post("/v1/events/kiosk", durable.event)
    app.router.add_get("/", ready)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, backlog=4096)


if __name__ == "__main__":
    main()
