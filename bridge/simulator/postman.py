"""Carries webhooks to their receivers, by real POSTs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from bridge.simulator import hooks
from bridge.simulator.faults import Chance
from bridge.simulator.ids import tracking_id
from bridge.simulator.model import Webhook
from bridge.simulator.world import World


class Postman:
    """One per running server. What happens while none runs is told to nobody, and never replayed."""

    def __init__(self, world: World, chance: Chance) -> None:
        self._world = world
        self._chance = chance
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=256), cookie_jar=aiohttp.DummyCookieJar()
        )
        self._rounds: set[asyncio.Task[None]] = set()

    @property
    def session(self) -> aiohttp.ClientSession:
        """For fetching what a message's `files` points at."""
        return self._session

    def send(self, hook: Webhook, envelope: dict[str, Any]) -> None:
        """Sets a delivery going, or two, or none, as the settings have it."""
        world = self._world
        if world.webhook_lose and self._chance.random() < world.webhook_lose:
            return
        body = json.dumps(envelope, separators=(",", ":")).encode()
        twice = bool(world.webhook_duplicate) and self._chance.random() < world.webhook_duplicate
        for _ in range(2 if twice else 1):
            delay = self._chance.random() * world.webhook_delay if world.webhook_delay else 0.0
            round_ = asyncio.get_running_loop().create_task(self._deliver(hook, body, delay))
            self._rounds.add(round_)
            round_.add_done_callback(self._rounds.discard)

    async def _deliver(self, hook: Webhook, body: bytes, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        for _ in range(1 + self._world.webhook_retries):
            if await self._post(hook, body):
                return
            hooks.count_failure(hook, self._world, self._world.now())

    async def _post(self, hook: Webhook, body: bytes) -> bool:
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "TrackingID": tracking_id(),
            **hooks.signatures(hook.secret, body, self._world.signature_header),
        }
        timeout = aiohttp.ClientTimeout(total=self._world.webhook_timeout)
        try:
            async with self._session.post(
                hook.target_url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
            return False

    async def close(self) -> None:
        for round_ in self._rounds:
            round_.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)
        await self._session.close()
