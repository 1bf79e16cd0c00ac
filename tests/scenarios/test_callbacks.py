"""News to the source's own address: signed, in order, until it is taken, and only where we may call."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from aiohttp import ClientTimeout
from aiohttp.abc import ResolveResult
from aiohttp.resolver import DefaultResolver
from sqlalchemy import Connection, func, select

from bridge.simulator import Simulator, World
from bridge.store.tables import lanes
from tests.harness import RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.receiver import ENVIRON, Receiver, receiving, setup
from tests.scenarios.steps import answer, greeted


async def test_news_of_a_whole_conversation(sim: Simulator, world: World) -> None:
    """Each step once, in order, with the conversation's id and the raw subject, signed by Standard Webhooks."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON) as bridge:
        ada = await greeted(bridge)
        answer(world, "hi")
        await eventually(lambda: len(receiver.taken) == 3)
        await ada.say("bye")
        await eventually(lambda: len(receiver.taken) == 4)
        await ada.end()
        await eventually(lambda: "conversation.ended" in receiver.types)
        assert sorted(receiver.types[:2]) == ["conversation.opened", "message.created"]
        assert receiver.types[2:] == ["message.created", "message.created", "conversation.ended"]
        assert {news["data"]["conversationId"] for news in receiver.taken} == {ada.id}
        assert {news["data"]["subject"] for news in receiver.taken} == {"ada"}
        said = [news["data"]["message"] for news in receiver.taken if news["type"] == "message.created"]
        assert [(one["from"], one["text"]) for one in said] == [
            ("customer", "hello"),
            ("agent", "hi"),
            ("customer", "bye"),
        ]
        assert receiver.taken[-1]["data"]["endReason"] == "customer"


async def test_refusing_receiver_gets_the_same_again_in_order(sim: Simulator, world: World) -> None:
    """After 1 s under the same webhook-id; what comes later waits; the agent's side does not."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON) as bridge:
        receiver.answers = [500]
        ada = await bridge.opened("ada", "one")
        await ada.say("two")
        await eventually(lambda: bridge.texts() == ["one", "two"])
        await eventually(lambda: len(receiver.taken) == 3)
        assert receiver.ids[0] == receiver.ids[1]
        assert len(set(receiver.ids)) == 3
        said = [news["data"]["message"]["text"] for news in receiver.taken if "message" in news["data"]]
        assert said == ["one", "two"]


async def test_receiver_that_is_down_for_a_day(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """Nothing is lost over waits that grow, nor over a restart; Retry-After is honoured."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON, clock=clock) as bridge:
        receiver.clock_shift = 1
        receiver.answers = [503] * 6
        receiver.headers = {"Retry-After": "1000"}
        await bridge.opened("ada", "one")
        await eventually(lambda: len(receiver.ids) == 1)
        await bridge.advance(900)
        await bridge.restart()
        await eventually(bridge.ready)
        assert len(receiver.ids) == 1
        for number in range(2, 8):
            await bridge.advance(3 * 3600)
            await eventually(lambda n=number: len(receiver.ids) >= n)
        await eventually(lambda: len(receiver.taken) == 2)
        assert len(set(receiver.ids)) == 2


def two_sources(one: Receiver, other: Receiver) -> dict[str, Any]:
    """`kiosk` with the one receiver, `form` with the other."""
    form = {"auth": {"secrets": ["env:KIOSK_SECRET"]}, **setup(other)["sources"]["kiosk"]}
    return config(sources={"kiosk": setup(one)["sources"]["kiosk"], "form": form})


async def test_receiver_that_hangs_holds_up_nobody_else(sim: Simulator, world: World) -> None:
    """Eight calls of it at most, no lease on what waits; another source's news goes on; then nothing is lost."""
    async with receiving() as slow, receiving() as quick:
        slow.held = asyncio.Event()
        async with running(two_sources(slow, quick), sim, environ=ENVIRON) as bridge:
            for number in range(80):
                await bridge.opened(f"s{number}")
            await eventually(lambda: slow.here == 8, within=60)
            for number in range(5):
                await bridge.opened(f"q{number}", source="form")
            await eventually(lambda: len(quick.taken) == 5, within=60)
            await eventually(lambda: only_eight_leased(bridge), within=60)
            assert slow.most == slow.here == 8
            slow.held.set()
            await eventually(lambda: len(slow.taken) == 80, within=60)
            assert slow.most == 8


async def only_eight_leased(bridge: RunningBridge) -> bool:
    leased = await bridge.service.store.read(leased_calls)
    return leased == len(bridge.service.pumps["call"].lanes) == 8


def leased_calls(connection: Connection) -> int:
    query = select(func.count()).where(lanes.c.stage == "call", lanes.c.owner.is_not(None))
    return connection.execute(query).scalar() or 0


async def test_sources_of_one_host_do_not_hold_each_other_up(sim: Simulator, world: World) -> None:
    """One whose calls hang leaves the other its share of the host's places."""
    async with receiving() as receiver:
        receiver.held = asyncio.Event()
        async with running(two_sources(receiver, receiver), sim, environ=ENVIRON) as bridge:
            for number in range(20):
                await bridge.opened(f"s{number}")
            await eventually(lambda: receiver.here == 4, within=60)
            await bridge.opened("q", source="form")
            await eventually(lambda: receiver.here == 5, within=60)
            receiver.held.set()
            await eventually(lambda: len(receiver.taken) == 21, within=60)
            assert receiver.most <= 8


async def test_cookies_of_a_receiver_reach_nobody(sim: Simulator, world: World) -> None:
    """Neither another source on the same host nor itself."""
    async with receiving() as one, receiving() as other:
        one.headers = {"Set-Cookie": "session=secret; Path=/"}
        sources = two_sources(one, other)
        for source in sources["sources"].values():  # of a numeric address nobody keeps cookies
            source["callback"]["url"] = source["callback"]["url"].replace("127.0.0.1", "localhost")
        async with running(sources, sim, environ=ENVIRON) as bridge:
            await bridge.opened("ada", "hello")
            await eventually(lambda: len(one.taken) == 2)
            await bridge.opened("bob", "hello", source="form")
            await eventually(lambda: len(other.taken) == 2)
            assert (one.cookies, other.cookies) == ([], [])


async def test_answer_without_an_end_is_not_read(sim: Simulator, world: World) -> None:
    """Its status is all that counts; the connection is closed, and the next call goes out."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON) as bridge:
        receiver.endless = True
        await bridge.opened("ada", "hello")
        await eventually(lambda: len(receiver.taken) == 2)
        await eventually(lambda: receiver.here == 0)
        assert len(set(receiver.ids)) == len(receiver.ids) == 2


async def test_receiver_that_drips_is_given_up(
    sim: Simulator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then does not keep a place for longer than a whole call may take."""
    monkeypatch.setattr("bridge.stages.receiver._TIMEOUT", ClientTimeout(total=0.5))
    calls = 0

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()

    receiver = Receiver()
    server = await asyncio.start_server(drip, "127.0.0.1", receiver.port)
    async with server, running(setup(receiver), sim, environ=ENVIRON) as bridge:
        await bridge.opened("ada")
        await eventually(lambda: calls >= 2, within=60)


async def _dead(bridge: RunningBridge, count: int) -> bool:
    _, ready = await bridge.get("/readyz")
    return any(reason.startswith(f"{count} dead letter") for reason in ready["degraded"])


async def test_private_addresses_are_not_called(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public name that means this machine, as it may from one day to the next, unless allow_private says so."""

    class Resolver(DefaultResolver):
        async def resolve(self, host: str, *rest: Any) -> list[ResolveResult]:
            return await super().resolve("127.0.0.1", *rest)

    monkeypatch.setattr("bridge.stages.receiver.DefaultResolver", Resolver)
    async with receiving() as receiver:
        url = f"https://hooks.example.com:{receiver.port}/hook"
        refused = setup(receiver, url=url, allow_private=False)
        async with running(refused, sim, environ=ENVIRON) as bridge:
            await greeted(bridge)
            await eventually(lambda: _failed(bridge))
        assert receiver.ids == []


async def _failed(bridge: RunningBridge) -> bool:
    _, metrics = await bridge.get("/metrics")
    return any(
        "refused" in line for line in metrics.splitlines() if line.startswith("bridge_callbacks_total")
    )


async def test_redirects_are_not_followed(sim: Simulator, world: World) -> None:
    """A 302 is no success: tried again, never followed."""
    async with receiving() as receiver, running(setup(receiver), sim, environ=ENVIRON) as bridge:
        receiver.answers = [302]
        receiver.headers = {"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"}
        await bridge.opened("ada", "one")
        await eventually(lambda: len(receiver.taken) == 2)
        assert receiver.ids[0] == receiver.ids[1]
