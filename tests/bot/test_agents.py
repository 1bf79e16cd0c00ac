"""What an agent does with the bot: the card, its buttons, the commands."""

from __future__ import annotations

import jsonschema
import pytest

from bridge.domain.bot.commands import THREAD_HELP
from bridge.simulator import BOT_EMAIL, Simulator
from tests.bot.adaptive import CARD
from tests.bot.talk import KIM, Desk, desk_config, ref
from tests.harness import AMY, BO, ShiftedClock, eventually, running


async def test_card_tells_who_and_why(desk: Desk) -> None:
    """Store, topic, language, context, new or returning, the reference: the agent need not ask."""
    ada = await desk.opened(store="S12", topic="returns", language="en", context={"order": "5512"})
    card = await desk.card(AMY)
    content = card["attachments"][0]["content"]
    jsonschema.validate(content, CARD)
    shown = {fact["title"]: fact["value"] for part in content["body"] for fact in part.get("facts", ())}
    assert shown == {
        "Store": "S12", "Topic": "returns", "Language": "en", "Source": "kiosk", "Team": "front-desk", "order": "5512"
    }  # fmt: skip
    assert content["body"][0]["text"] == f"Ada ({ref(ada)})"
    assert content["body"][1]["text"] == "New customer, did not wait"
    assert "order: 5512" in card["text"]
    assert len(desk.cards(AMY)) == 1


async def test_returning_customer_is_told(desk: Desk) -> None:
    """The second visit of the same guest says so."""
    first = await desk.opened()
    await desk.card(AMY)
    await first.end()
    await desk.told(AMY, "the customer has left")
    await desk.opened()
    assert "Returning customer, 1 earlier" in (await desk.card(BO))["text"]


async def test_done_button_ends_it(desk: Desk) -> None:
    """The card goes, a line says it, the customer is told."""
    ada = await desk.opened()
    desk.press(AMY, await desk.card(AMY), "done")
    await desk.told(AMY, f"Ada ({ref(ada)}) is closed.")
    await eventually(lambda: not desk.cards(AMY))
    assert (await ada.state())["endReason"] == "agent"


async def test_transfer_button_moves_it_with_a_summary(desk: Desk) -> None:
    """The new agent reads who it comes from and the last words; the old one where it went; the card moves."""
    ada = await desk.opened()
    card = await desk.card(AMY)
    guest = desk.guest_thread(AMY)
    desk.world.say(AMY, guest, text="what is broken?")
    await eventually(ada.heard)
    desk.press(AMY, card, "transfer", to="bo")
    assert (
        await desk.told(AMY, "moved to Bo Diaz") == f"Ada ({ref(ada)}) moved to Bo Diaz: it was handed over."
    )
    fresh = await desk.card(BO)
    for part in ("From Amy Chen: handed over", "Ada: my order broke", "Agent: what is broken?"):
        assert part in fresh["text"]
    await eventually(lambda: "my order broke" in desk.texts_of_guest(BO))
    assert not desk.cards(AMY)
    assert (await ada.state())["agent"]["name"] == "Bo Diaz"


async def test_transfer_button_without_a_choice_asks_for_one(desk: Desk) -> None:
    """Nothing moves until somebody is chosen."""
    await desk.opened()
    desk.press(AMY, await desk.card(AMY), "transfer", to="")
    await desk.told(AMY, "Choose somebody on the card first")
    assert desk.cards(AMY)
    assert not desk.heard(BO)


async def test_not_me_asks_the_next(desk: Desk) -> None:
    """Bo gets the customer's words; nobody being left then, Bo's own 'not me' is explained."""
    ada = await desk.opened()
    desk.press(AMY, await desk.card(AMY), "not-me")
    card = await desk.card(BO)
    desk.press(BO, card, "not-me")
    refusal = await desk.told(BO, "was not handed over")
    assert ref(ada) in refusal
    assert desk.cards(BO)
    assert await ada.status() == "open"


async def test_away_switches_off_and_hands_over(desk: Desk) -> None:
    """The customer goes to Bo, and so does the next one."""
    await desk.opened()
    desk.press(AMY, await desk.card(AMY), "away")
    await desk.told(AMY, "You are off")
    await desk.card(BO)
    await desk.opened("eve")
    await eventually(lambda: len(desk.cards(BO)) == 2)
    assert not desk.cards(AMY)
    assert "switched off" in await desk.ask(AMY, "status")


async def test_stale_button_is_answered_politely(desk: Desk) -> None:
    """A press that was on its way when the conversation moved does nothing, and says so."""
    ada = await desk.opened()
    card = await desk.card(AMY)
    desk.world.fault("DELETE /v1/messages", status=503, times=None)  # the card stays on Amy's screen
    desk.press(AMY, card, "transfer", to="bo")
    await desk.card(BO)
    await desk.told(AMY, "moved to Bo Diaz")
    assert desk.cards(AMY)
    desk.world.clear_faults()
    desk.press(AMY, card, "done")
    text = await desk.told(AMY, "out of date")
    assert text == f"That card is out of date: Ada ({ref(ada)}) is no longer with you, so nothing was done."
    assert await ada.status() == "open"
    assert not desk.cards(AMY)


async def test_somebody_elses_conversation_is_not_pressed_away(desk: Desk) -> None:
    """A press with another conversation's id is judged by whose it is, not by what the card said."""
    ada = await desk.opened()
    mine = await desk.card(AMY)
    await desk.opened("eve")
    theirs = await desk.card(BO)
    desk.world.press(BO, theirs["id"], {**_data(mine), "do": "done"})
    desk.world.press(BO, theirs["id"], {"do": ["x"], "conversation": {"a": 1}})
    await eventually(lambda: sum("out of date" in one for one in desk.texts(BO)) == 2)
    assert await ada.status() == "open"


def _data(card: dict) -> dict:  # type: ignore[type-arg]
    return dict(card["attachments"][0]["content"]["actions"][0]["data"])


async def test_commands_of_an_agent(desk: Desk) -> None:
    """Each of them, against a conversation that is going on."""
    ada = await desk.opened(store="S1")
    await desk.card(AMY)
    mine = await desk.ask(AMY, "mine")
    assert mine.startswith(f"{ref(ada)} Ada (front-desk, S1), waiting for your answer")
    assert "on duty, 1 open" in await desk.ask(AMY, "Status")
    history = await desk.ask(AMY, f"history {ref(ada).lower()}")
    assert "Ada: my order broke" in history
    assert (await desk.ask(AMY, "off for 30m")).startswith("You are off until ")
    assert "switched off until" in await desk.ask(AMY, "status")
    assert await desk.ask(AMY, "on") == "You are on duty."
    assert "on duty, 1 open" in await desk.ask(AMY, "status")
    assert "moved to Bo Diaz" in await desk.ask(AMY, f"transfer {ref(ada)} bo")
    assert (
        await desk.ask(AMY, f"done {ref(ada)}") == f"You have no conversation {ref(ada)}. Say mine for yours."
    )
    assert await desk.ask(BO, "done") != ""
    await eventually(lambda: desk.ended(ada))
    assert await desk.ask(AMY, "mine") == "You have no open conversation."


async def test_refused_transfers_are_explained(desk: Desk) -> None:
    """Off duty, full, unknown: each with its reason, and the conversation stays."""
    ada = await desk.opened()
    await desk.card(AMY)
    assert "Nobody and no team is called zoe" in await desk.ask(AMY, f"transfer {ref(ada)} zoe")
    await desk.ask(KIM, "off bo")
    assert "Bo Diaz is off duty" in await desk.ask(AMY, f"transfer {ref(ada)} bo")
    await desk.ask(AMY, f"transfer {ref(ada)} cy")  # Cy takes one at most
    await desk.card("cy@example.com")
    await desk.opened("eve")
    await eventually(lambda: len(desk.cards(AMY)) == 1)
    assert "is full (1 of 1)" in await desk.ask(AMY, "transfer cy")


async def test_nothing_said_to_the_bot_reaches_a_customer(desk: Desk) -> None:
    """The bot's 1:1 is not the customer's thread."""
    ada = await desk.opened()
    await desk.card(AMY)
    for text in ("hello?", "mine", "this is for nobody"):
        await desk.ask(AMY, text)
    assert await ada.heard() == []


async def test_commands_in_the_customers_thread_never_reach_them(desk: Desk) -> None:
    """/note is kept, an unknown command is held back and asked about, and edits change nothing about that."""
    ada = await desk.opened()
    await desk.card(AMY)
    guest = desk.guest_thread(AMY)
    said = desk.world.say(AMY, guest, text="first")
    await eventually(ada.heard)
    desk.world.say(AMY, guest, text="/note she is a regular")
    desk.world.say(AMY, guest, text="/dnoe")
    assert "/dnoe is no command I know, so I held it back" in await desk.told(AMY, "/dnoe")
    desk.world.edit(AMY, said["id"], text="/note she shouts")
    desk.world.say(AMY, guest, text="/help")
    await eventually(lambda: THREAD_HELP in desk.texts(AMY))
    await desk.told(AMY, "still reads what you had said")
    desk.world.say(AMY, guest, text="last")
    await eventually(lambda: desk.heard_by(ada, "last"))
    assert await ada.heard() == ["first", "last"]
    assert "she shouts" not in str(await ada.messages())
    history = await desk.ask(AMY, "history")
    assert f"note by {AMY}: she is a regular" in history


async def test_late_words_are_told_once(desk: Desk) -> None:
    """Five lines to a customer who has left make one notice."""
    ada = await desk.opened()
    await desk.card(AMY)
    guest = desk.guest_thread(AMY)
    desk.world.say(AMY, guest, text="hello")
    await eventually(ada.heard)
    await ada.end()
    assert "the customer has left" in await desk.told(AMY, "the customer has left")
    for number in range(5):
        desk.world.say(AMY, guest, text=f"late {number}")
    await desk.told(AMY, "did not reach them")
    await desk.ask(AMY, "mine")  # what came before it in the lane is done
    assert sum("did not reach them" in one for one in desk.texts(AMY)) == 1


async def test_bot_without_a_public_address_polls(sim: Simulator, clock: ShiftedClock) -> None:
    """Commands are read from the 1:1s; cards have no buttons, and say what to type instead."""
    setup = desk_config(webex={"poll_seconds": 1, "bot_events": "poll"})
    async with running(setup, sim, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await Desk(bridge).ready()
        ada = await desk.opened()
        card = await desk.card(AMY)
        assert "actions" not in card["attachments"][0]["content"]
        assert f"done {ref(ada)}" in card["text"]
        desk.world.say(AMY, BOT_EMAIL, text=f"done {ref(ada)}")
        await bridge.service.bot.look_for_news()  # type: ignore[union-attr]
        await desk.told(AMY, "is closed.")
        await eventually(lambda: desk.ended(ada))
        await bridge.service.bot.look_for_news()  # type: ignore[union-attr]
        assert sum("is closed." in one for one in desk.texts(AMY)) == 1


async def test_what_was_said_while_nobody_listened_is_read_at_the_start(desk: Desk) -> None:
    """A restart loses no command, and does none twice."""
    await desk.ask(AMY, "mine")
    await desk.bridge.stop()
    desk.world.say(AMY, BOT_EMAIL, text="off")
    await desk.bridge.start()
    await desk.told(AMY, "You are off")
    assert desk.texts(AMY).count("You have no open conversation.") == 1


@pytest.mark.parametrize("action", ["drop_after", "status=503"])
async def test_doubtful_note_is_looked_for_before_it_is_said_again(desk: Desk, action: str) -> None:
    """Whatever Webex's answer was: one card."""
    desk.world.fault("POST /v1/messages", action, owner="bot", times=1, effect=True)
    await desk.opened()
    await desk.card(AMY)
    await desk.settled()
    assert len(desk.cards(AMY)) == 1


async def test_throttled_bot_holds_up_nobody(desk: Desk) -> None:
    """A 429 on a card parks all that the bot says, for its time; the customers' words go on."""
    desk.world.fault("POST /v1/messages", status=429, retry_after=30, owner="bot", times=1)
    await desk.opened()
    await eventually(lambda: not desk.world.faults)
    await desk.opened("eve")
    await eventually(lambda: "my order broke" in desk.texts_of_guest(BO))
    await desk.bridge.advance(20)
    assert len(await desk.states("open")) == 2
    assert not desk.cards(AMY) + desk.cards(BO)
    await desk.bridge.advance(11)
    await desk.card(AMY)
    await desk.card(BO)


async def test_agent_whom_the_bot_cannot_reach_is_a_dead_letter(desk: Desk) -> None:
    """A definite no is kept for the operator, and stops nothing."""
    desk.world.fault("POST /v1/messages", status=403, owner="bot", times=1)
    ada = await desk.opened()
    await eventually(lambda: desk.dead())
    desk.world.say(AMY, desk.guest_thread(AMY), text="hello")
    await eventually(ada.heard)


async def test_story_on_every_database(sim: Simulator, clock: ShiftedClock, database_url: str) -> None:
    """A card, a hand-over, late words, an end: the same on SQLite and PostgreSQL."""
    setup = desk_config()
    async with running(
        setup, sim, public_url=True, environ=Desk.ENVIRON, clock=clock, database_url=database_url
    ) as bridge:
        desk = await Desk(bridge).ready()
        ada = await desk.opened()
        card = await desk.card(AMY)
        guest = desk.guest_thread(AMY)
        assert ref(ada) in await desk.ask(AMY, "mine")
        await desk.ask(KIM, "off cy for 1h")
        await desk.look_for_trouble()
        await desk.told(KIM, "back-office is open and nobody is on duty.")
        desk.press(AMY, card, "transfer", to="front-desk")
        fresh = await desk.card(BO)
        for text in ("still there?", "hello?"):
            desk.world.say(AMY, guest, text=text)
        await desk.told(AMY, "is with somebody else now")
        await desk.look_at_presence()
        desk.press(BO, fresh, "done")
        await eventually(lambda: desk.ended(ada))
        await eventually(lambda: not desk.cards(BO))
        await desk.settled()
        assert sum("with somebody else" in one for one in desk.texts(AMY)) == 1
