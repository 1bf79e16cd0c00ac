"""What `privacy.mask` hides reaches Webex by no way: not by the guest, not by the bot."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest

from bridge.simulator import Simulator, World
from tests.bot.talk import KIM, Desk, desk_config, ref
from tests.harness import AMY, BO, ShiftedClock, eventually, running

CARD = "4111 1111  1111\u00a01111 12/27 123"
PIECES = re.compile(r"4111\W{0,6}1111|1111\W{0,6}1111")  # eight digits of it


@pytest.fixture
async def masked(sim: Simulator, clock: ShiftedClock) -> AsyncIterator[Desk]:
    setup = desk_config(privacy={"mask": ["card-number", "email", "phone"]})
    async with running(setup, sim, public_url=True, environ=Desk.ENVIRON, clock=clock) as bridge:
        yield await Desk(bridge).ready()


async def test_nothing_masked_reaches_webex(masked: Desk, world: World) -> None:
    """Words, names, files, topic and context; the card, the hand-over, history, queue, mine and alerts."""
    ada = await masked.opened(
        displayName=f"Ada {CARD}",
        store=f"S {CARD}",
        topic=f"card {CARD}",
        context={f"card {CARD}": CARD, "mail": "ada@home.example", "phone": "+1 (312) 555-0199"},
    )
    await ada.say(f"my card is {CARD}, my address ada@home.example")
    assert (await ada.upload(f"card {CARD}.png", "image/png", b"\x89PNG\r\n\x1a\n")).status == 202
    await eventually(lambda: len(masked.texts_of_guest(AMY)) == 3, within=60)
    await masked.card(AMY)
    world.say(AMY, masked.guest_thread(AMY), text=f"/note her card: {CARD}")
    for question in (f"history {ref(ada)}", "mine", f"transfer {ref(ada)} {CARD}", CARD):
        await masked.ask(AMY, question)
    await masked.ask(KIM, "queue")
    await masked.ask(AMY, f"transfer {ref(ada)} bo")
    card = await masked.card(BO)
    await masked.told(AMY, "moved to Bo")
    await masked.settled()
    seen = [message.data for message in world.messages.values() if message.sender.email not in (AMY, KIM)]
    everything = json.dumps([seen, card, [guest.name for guest in world.guests.values()]], ensure_ascii=False)
    everything += str([file.name for file in world.files.values()])
    assert PIECES.findall(everything) == []
    assert "ada@home.example" not in everything
    assert "555-0199" not in everything
    assert "Ada ••••" in everything
    assert "card ••••" in everything
