"""Many streams of one conversation: one reading of the store, little memory, and nobody is held up or forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bridge.simulator import Simulator
from bridge.store.following import MOST_BYTES
from handlers import stream
from tests.customers import Customer
from tests.harness import AMY, RunningBridge, config, eventually, running

BIG = 60_000  # characters of a large event's message


def readings(bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the store is asked what, from now on."""
    counted: Counter[str] = Counter()
    read = bridge.service.store.read

    async def counting(query: Any, *args: Any, **more: Any) -> Any:
        counted[query.__name__] += 1
        return await read(query, *args, **more)

    monkeypatch.setattr(bridge.service.store, "read", counting)
    return counted


def say(bridge: RunningBridge, text: str) -> None:
    bridge.world.say(AMY, next(iter(bridge.world.guests.values())).id, text=text)


async def test_one_reading_serves_all_streams(bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """What eight streams cost the store is what one costs it."""
    ada = await bridge.opened("ada", "hello")
    await eventually(lambda: bridge.texts() == ["hello"])
    async with AsyncExitStack() as stack:
        told = [await stack.enter_async_context(ada.stream()) for _ in range(8)]
        await eventually(lambda: all("sent" in str(one.news) for one in told))
        counted = readings(bridge, monkeypatch)
        for number in range(5):
            say(bridge, f"answer {number}")
            await eventually(lambda n=number: all(one.texts[-1] == f"answer {n}" for one in told))
        assert counted["look"] <= 5 * 4
        assert counted["page"] == counted["changeable"] == counted["transcript"] == 0
        assert all(len(one.of("message")) == 6 for one in told)


async def test_streams_that_join_at_any_time_miss_nothing(bridge: RunningBridge) -> None:
    """From the start, from the middle and from the end, while words come in."""
    ada = await bridge.opened("ada", "0")
    async with AsyncExitStack() as stack:
        told = []
        for number in range(1, 8):
            told.append(await stack.enter_async_context(ada.stream(number // 2)))
            await ada.say(str(number))
        await eventually(lambda: all(one.texts[-1:] == ["7"] for one in told))
        for number, one in enumerate(told, 1):
            assert one.texts == [str(text) for text in range(number // 2, 8)]
        await eventually(lambda: all(sent(one) >= {7, 8} for one in told))


def sent(told: Any) -> set[int]:
    items = [*told.of("message"), *told.of("update")]
    return {item["seq"] for item in items if item["delivery"] == "sent"}


async def test_long_transcript_comes_in_pages(bridge: RunningBridge) -> None:
    """By the stream and by the API: no answer is larger than a page, and all of it comes, in order."""
    ada = await bridge.opened("ada")
    texts = [f"{number:02}" + "x" * BIG for number in range(12)]
    for text in texts:
        assert (await bridge.event("message.created", subject="ada", message=text))[0] == 202
    await eventually(lambda: has_said(ada, len(texts)), within=60)
    async with ada.stream() as told:
        await eventually(lambda: told.texts == texts, within=60)
    seen: list[str] = []
    while items := await ada.messages(len(seen)):
        assert sum(len(item["text"]) for item in items) <= MOST_BYTES
        seen += [item["text"] for item in items]
    assert seen == texts


async def has_said(customer: Customer, number: int) -> bool:
    return bool(await customer.messages(number - 1))


async def test_streams_that_nobody_reads_keep_little(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few hundred KB each however much is said; they are dropped in the end, and resume where they were."""
    ada = await bridge.opened("ada")
    writers = []
    for _ in range(8):
        _, writer = await asyncio.open_connection("127.0.0.1", bridge.port, limit=1)
        writer.write(
            f"GET /v1/conversations/{ada.id}/stream?key={ada.key} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        writers.append(writer)
    await eventually(lambda: streams(bridge) == 8)
    for number in range(40):
        await bridge.event("message.created", subject="ada", message=f"{number:02}" + "x" * BIG)
        assert max(kept(bridge)) <= 2 * MOST_BYTES
    await eventually(lambda: has_said(ada, 40), within=60)
    await eventually(lambda: max(kept(bridge)) > 0, within=60)  # they are stuck
    assert max(kept(bridge)) <= 2 * MOST_BYTES
    for writer in writers:
        writer.transport.abort()
    await eventually(lambda: streams(bridge) == 0, within=60)
    async with ada.stream(20) as told:
        await eventually(
            lambda: [text[:2] for text in told.texts] == [str(n) for n in range(20, 40)], within=60
        )


async def test_reader_that_reads_nothing_is_dropped(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes room for others; a browser comes back by itself."""
    monkeypatch.setattr(stream, "_SEND_SECONDS", 0.5)
    ada = await bridge.opened("ada")
    _, writer = await asyncio.open_connection("127.0.0.1", bridge.port, limit=1)
    writer.write(f"GET /v1/conversations/{ada.id}/stream?key={ada.key} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await eventually(lambda: streams(bridge) == 1)
    for _ in range(100):
        await bridge.event("message.created", subject="ada", message="x" * BIG)
    await eventually(lambda: streams(bridge) == 0, within=60)
    writer.close()


def streams(bridge: RunningBridge) -> float:
    return float(bridge.service.metrics.streams._value.get())


def kept(bridge: RunningBridge) -> list[int]:
    """Bytes that wait in this process to be sent, by connection."""
    runner = bridge.service._runner
    assert runner is not None
    assert runner.server is not None
    transports = [connection.transport for connection in runner.server.connections]
    return [transport.get_write_buffer_size() for transport in transports if transport] or [0]


async def test_stream_listens_to_the_team_that_it_waits_for() -> None:
    """After a move to another team's queue it hears of its place there, and of the first team's no more."""
    teams = {name: {"timezone": "Europe/London", "agents": ["amy"]} for name in ("one", "two")}
    setup = config(
        agents={"amy": {"capacity": 1}}, teams={"front-desk": None, **teams}, routes=[{"team": "one"}]
    )
    async with Simulator() as sim, running(setup, sim) as bridge:
        await bridge.opened("first", "hello")
        ahead, ada = await bridge.opened("ahead", "hello"), await bridge.opened("ada", "hello")
        async with ada.stream() as told:
            await eventually(lambda: told.of("status") and told.of("status")[-1]["queuePosition"] == 2)
            assert "team:one" in bridge.service.bus._waiting
            await bridge.reload({**setup, "routes": [{"team": "two"}]})
            await eventually(lambda: "team:two" in bridge.service.bus._waiting, within=60)
            assert "team:one" not in bridge.service.bus._waiting
            await ahead.end()
            await eventually(lambda: told.of("status")[-1]["queuePosition"] == 1, within=60)


async def test_stream_ends_and_is_told_where_its_feed_crashes(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours: the browser comes back to a new feed."""
    ada = await bridge.opened("ada", "hello")
    async with ada.stream() as told:
        await eventually(lambda: told.of("status"))

        def crash(*_: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("handlers.feed.look", crash)
        await ada.say("two")
        await eventually(lambda: told.ended)
    monkeypatch.undo()
    async with ada.stream(told.last_id) as again:
        await eventually(lambda: again.texts[-1:] == ["two"])
