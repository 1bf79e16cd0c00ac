"""A lead or an agent whom Webex has given another address since the configuration was written."""

from __future__ import annotations

from bridge.domain.bot.words import STRANGER
from bridge.simulator import BOT_EMAIL, Simulator, World
from tests.bot.talk import KIM, Desk, desk_config
from tests.harness import AMY, ShiftedClock, eventually, running

NEW = "renamed.person@example.com"


async def test_who_was_renamed_is_known_by_the_1_to_1(desk: Desk) -> None:
    """Words and presses from the new address count: of the two in a 1:1, who is not the bot is the person."""
    await desk.ask(KIM, "board")
    customer = await desk.opened()
    card = await desk.card(AMY)
    for email in (KIM, AMY):
        desk.world.people_by_email[email].email = f"new.{email}"
    assert "front-desk: open" in await desk.ask(KIM, "board")
    desk.press(AMY, card, "done")
    await eventually(lambda: desk.ended(customer))
    assert STRANGER not in desk.texts(KIM) + desk.texts(AMY)


async def test_who_was_renamed_is_known_where_the_bot_looks(sim: Simulator, clock: ShiftedClock) -> None:
    """Before the bot has said a word: its look at the 1:1 was for the configured address."""
    setup = desk_config()
    setup["webex"] = {**setup.get("webex", {}), "bot_events": "poll"}
    async with running(setup, sim, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await Desk(bridge).ready()
        sim.world.people_by_email[KIM].email = NEW
        sim.world.say(KIM, BOT_EMAIL, text="board")
        await desk.bot.look_for_news()
        assert "front-desk: open" in await desk.told(KIM, "front-desk")
        assert STRANGER not in desk.texts(KIM)


async def test_leads_are_told_of_another_address_once(desk: Desk, world: World) -> None:
    """Which it is, not again after a restart, and no all-clear when nobody remembers it any more."""
    customer = await desk.opened()
    await eventually(lambda: len(world.hooks) >= 3)
    guest = desk.guest_thread(AMY)
    world.people_by_email[AMY].email = NEW
    world.say(AMY, guest, text="hello")
    await eventually(lambda: desk.heard_by(customer, "hello"))
    await desk.look_for_trouble()
    told = await desk.told(KIM, NEW)
    assert told == f"{AMY} writes in Webex as {NEW}: put that address into the configuration."
    desk.bridge.service.listener.other_addresses.clear()  # as after a start
    await desk.look_for_trouble()
    await desk.bridge.advance(61)
    world.say(AMY, guest, text="still me")
    await eventually(lambda: desk.heard_by(customer, "still me"))
    await desk.look_for_trouble()
    await desk.bridge.advance(61)
    await desk.settled()
    assert [one for one in desk.texts(KIM) if NEW in one or "All clear" in one] == [told]
