"""What the bridge adds between an agent's message and the customer's stream, Webex answering at once."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp

from bench.load import Order, request
from bench.processes import Process, bridge, folder, running, simulator, write_config
from bench.table import Shown, ms


def measure(quick: bool) -> Shown:
    count = 30 if quick else 200
    with folder() as where:
        write_config(where)
        with (
            running(simulator(where)) as sim,
            running(bridge(where, f"{sim.url}/v1", webhooks=True)) as process,
        ):
            waits = asyncio.run(_play(sim, process, count))
    waits.sort()
    shown = Shown("Agent's message to the customer's stream (webhooks)", ("messages", "p50", "p99"))
    shown.add(len(waits), ms(waits[len(waits) // 2]), ms(waits[int(len(waits) * 0.99)]))
    return shown


async def _play(sim: Process, process: Process, count: int) -> list[float]:
    port = int(process.url.rpartition(":")[2])
    async with aiohttp.ClientSession() as session:
        answer = await _event(session, process, request(Order(port, 1, 1), 1, int(time.time())))
        conversation = f"{process.url}/v1/conversations/{answer['conversationId']}"
        guest = await _guest(session, sim)
        async with session.get(f"{conversation}/stream?key={answer['conversationKey']}") as stream:
            waits = []
            for number in range(-2, count):  # the first ones wait for the webhook to be registered
                words = f"answer {number}"
                began = time.perf_counter()
                await session.post(
                    f"{sim.url}/_sim/say", json={"from": "amy@example.com", "to": guest, "text": words}
                )
                async for line in stream.content:
                    if line.startswith(b"data:") and words.encode() in line:
                        break
                if number >= 0:
                    waits.append(time.perf_counter() - began)
            return waits


async def _event(session: aiohttp.ClientSession, process: Process, raw: bytes) -> dict[str, str]:
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    async with session.post(f"{process.url}/v1/events/kiosk", data=body, headers=headers) as response:
        return json.loads(await response.read())


async def _guest(session: aiohttp.ClientSession, sim: Process) -> str:
    for _ in range(200):
        async with session.get(f"{sim.url}/_sim/messages?to=amy@example.com") as response:
            items = json.loads(await response.read())
        items = items["items"] if isinstance(items, dict) else items
        if items:
            return str(items[0]["personEmail"])
        await asyncio.sleep(0.05)
    raise RuntimeError("the first message never arrived")
