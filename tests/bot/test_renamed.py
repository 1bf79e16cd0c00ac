"""A lead or an agent whom Webex has given another address since the configuration was written."""

from __future__ import annotations

from bridge.domain.bot.words import STRANGER
from bridge.simulator import BOT_EMAIL, Simulator
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
