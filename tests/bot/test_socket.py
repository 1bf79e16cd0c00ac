"""The bot without a public address: Webex's own websocket, and polling where that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.bot import socket_ears
from bridge.simulator import Simulator
from bridge.webex.socket import BotSocket
from tests.bot.talk import KIM, Desk, desk_config
from tests.harness import AMY, ShiftedClock, eventually, running


@pytest.fixture
async def desk(sim: Simulator, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """On a socket. Waits are short: what is waited for is exact."""
    monkeypatch.setattr(socket_ears, "wait_before", lambda attempt, jitter: 0.05)
    async with running(desk_config(), sim, environ=Desk.ENVIRON, clock=clock) as bridge:
        yield await connected(await Desk(bridge).ready(), sim)


async def connected(desk: Desk, sim: Simulator, times: int = 1) -> Desk:
    """The socket is open, for the so many'th time, and what was missed is read."""
    await eventually(lambda: desk.bot.socket.connected and sim.sockets.connected >= times)
    return desk


def no_looks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nobody polls: what is heard came by the socket."""

    look = desk.bot.ears.look

    async def seldom(everybody: bool = False) -> None:
        if everybody:
            await look(everybody=True)

    monkeypatch.setattr(desk.bot.ears, "look", seldom)


async def test_words_and_presses_come_by_the_socket(
    desk: Desk, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command is answered, a card has buttons, a press counts; no webhook was made and nobody polled."""
    no_looks(desk, monkeypatch)
    assert "Amy Chen" in await desk.ask(KIM, "who")
    customer = await desk.bridge.opened(message="It arrived broken")
    card = (await eventually(lambda: desk.cards(AMY)))[0]
    action = next(one for one in card["attachments"][0]["content"]["actions"])
    desk.world.press(AMY, card["id"], action["data"])
    await eventually(lambda: _ended_or_moved(customer))
    assert desk.world.bot.hooks == []
    device = next(iter(sim.sockets.devices.values()))
    await eventually(lambda: not device.unacknowledged)


async def _ended_or_moved(customer: Any) -> bool:
    state = await customer.state()
    return state["status"] == "ended" or (state["agent"] or {}).get("name") != "Amy Chen"


async def test_it_comes_back_and_reads_what_it_missed(desk: Desk, sim: Simulator) -> None:
    """Closed from the other side: told once, tried again, and what was said meanwhile is done."""
    with capture_logs() as lines:
        sim.sockets.refuse = 503
        await sim.sockets.close(1011)
        await eventually(lambda: desk.bot.socket.trouble)
        degraded = (await desk.bridge.get("/readyz"))[1]["degraded"]
        assert any("websocket is down" in one for one in degraded)
        desk.world.say(KIM, "help@webex.bot", text="who")
        sim.sockets.refuse = 0
        await connected(desk, sim, 2)
        assert "Amy Chen" in await desk.told(KIM, "Amy Chen")
    assert [line["event"] for line in lines].count("bot.socket_lost") == 1
    assert len(sim.sockets.devices) == 1


async def test_while_it_is_down_the_bot_polls_and_shows_no_buttons(desk: Desk, sim: Simulator) -> None:
    """As without a socket."""
    sim.sockets.refuse = 500
    await sim.sockets.close(1011)
    await eventually(lambda: desk.bot.socket.trouble)
    desk.world.say(KIM, "help@webex.bot", text="who")
    await desk.bot.look_for_news()
    await desk.told(KIM, "Amy Chen")
    await desk.bridge.opened(message="It arrived broken")
    card = (await eventually(lambda: desk.cards(AMY)))[0]
    assert "actions" not in card["attachments"][0]["content"]


async def test_nonsense_on_the_socket_harms_nothing(desk: Desk, sim: Simulator) -> None:
    """It is passed over, and what follows is heard."""
    device = next(iter(sim.sockets.devices.values()))
    odd = '{"data": {"eventType": "conversation.activity", "activity": 5}}'
    for frame in ("[", odd, "x" * 200_000, *[odd] * 500):
        sim.sockets.raw(device, frame)
    assert "Amy Chen" in await desk.ask(KIM, "who")


async def test_a_server_that_goes_away_is_left(desk: Desk, sim: Simulator) -> None:
    """A shutdown frame: another socket is opened at once."""
    sim.sockets.shut_down()
    await connected(desk, sim, 2)
    assert "Amy Chen" in await desk.ask(KIM, "who")


async def test_a_device_that_webex_forgot_is_registered_anew(desk: Desk, sim: Simulator) -> None:
    """A handshake answered 404."""
    [former] = sim.sockets.devices
    device = sim.sockets.devices.pop(former)
    assert device.socket
    await device.socket.close(code=1011)
    await eventually(
        lambda: desk.bot.socket.connected and sim.sockets.devices and former not in sim.sockets.devices
    )
    assert "Amy Chen" in await desk.ask(KIM, "who")


async def test_a_clean_stop_deletes_the_device(desk: Desk, sim: Simulator) -> None:
    """Nothing of ours is left at Webex."""
    assert len(sim.sockets.devices) == 1
    await desk.bridge.stop()
    assert sim.sockets.devices == {}


async def test_a_device_of_before_is_used_again(
    sim: Simulator, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill it is still registered: found by its name."""
    async with running(desk_config(), sim, environ=Desk.ENVIRON, clock=clock) as bridge:
        await connected(Desk(bridge), sim)
        [device] = sim.sockets.devices
        monkeypatch.setattr(BotSocket, "give_up_device", _nothing)
        await bridge.stop()
        await bridge.start()
        await connected(Desk(bridge), sim, 2)
        assert list(sim.sockets.devices) == [device]


async def _nothing(_: BotSocket) -> None:
    return None


async def test_silence_is_noticed(sim: Simulator, clock: ShiftedClock) -> None:
    """No pong in time: the socket is closed and opened again."""
    sim.sockets.mute = True
    async with running(desk_config(), sim, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await connected(Desk(bridge), sim)
        socket = BotSocket(sim.url, "sim-bot-token", bridge.session, ping_seconds=0.05, pong_seconds=0.05)
        async with socket.open() as opened:
            with pytest.raises(Exception, match="pong not received"):
                await socket.listen(opened, lambda frame: None, lambda: None)
        assert desk.bot.trouble is None


@pytest.mark.parametrize(
    ("events", "public", "hears"),
    [
        ("auto", True, "webhook"), ("auto", False, "websocket"), ("websocket", True, "websocket"),
        ("poll", True, "poll"), ("webhook", False, "poll"),
    ],
)  # fmt: skip
async def test_how_the_bot_hears(
    sim: Simulator, clock: ShiftedClock, events: str, public: bool, hears: str
) -> None:
    """As configured; `auto` by what there is."""
    setup = desk_config(webex={"poll_seconds": 1, "bot_events": events})
    async with running(setup, sim, environ=Desk.ENVIRON, clock=clock, public_url=public) as bridge:
        desk = Desk(bridge)
        await eventually(lambda: desk.bot.trouble is None)
        assert desk.bot.hears == hears
        await eventually(lambda: desk.bot.socket.connected == (hears == "websocket"))
        if hears == "websocket":
            assert desk.world.bot.hooks == []


async def test_the_token_goes_to_nobody_else(sim: Simulator, clock: ShiftedClock) -> None:
    """An address that is neither Webex's nor the API's own is not called, whatever a catalogue says."""
    socket = BotSocket("https://webexapis.com/v1", "token", None)  # type: ignore[arg-type]
    assert socket.is_webex("https://wdm-a.wbx2.com/wdm/api/v1")
    assert socket.is_webex("wss://mercury-connection-a.wbx2.com/v1/apps")
    others = (
        "http://wdm-a.wbx2.com",
        "https://wbx2.com.evil.example",
        "https://evilwbx2.com",
        "https://webexapis.com.evil.example",
        "ws://127.0.0.1",
        "::",
    )
    assert not any(socket.is_webex(address) for address in others)
