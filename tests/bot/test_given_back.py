"""An agent gets a conversation back: only what they have not got is said to them, and nothing twice."""

from __future__ import annotations

from bridge.domain.conversation.splitting import split_text
from bridge.simulator import Simulator
from tests.bot.talk import Desk, desk_config
from tests.customers import Customer
from tests.harness import AMY, BO, ShiftedClock, eventually, running
from tests.scenarios.steps import all_sent

PATIENT = 60.0
FIRST = "my order broke"
LONG = " ".join(f"word{number}-äöü" for number in range(600))
GUESTS = "guest:"


async def there_and_back(desk: Desk, while_at_bo: str | None = None, ada: Customer | None = None) -> None:
    """Amy hands the conversation to Bo, who hands it back."""
    desk.press(AMY, await desk.card(AMY), "transfer", to="bo")
    card = await desk.card(BO)
    if ada and while_at_bo:
        await ada.say(while_at_bo)
    desk.press(BO, card, "transfer", to="amy")
    await eventually(lambda: not desk.cards(BO), PATIENT)
    await eventually(lambda: desk.cards(AMY), PATIENT)


async def test_words_in_doubt_are_looked_for(desk: Desk) -> None:
    """Amy has them, though Webex's answer was lost: they are found, and what Bo was to get follows."""
    ada = await desk.opened()
    await eventually(lambda: all_sent(ada), PATIENT)
    reading = desk.world.fault("GET /v1/messages/direct", status=429, retry_after=40, owner=GUESTS)
    desk.world.fault("POST /v1/messages", "drop_after", owner=GUESTS)
    await ada.say("two")
    await eventually(lambda: reading.used, PATIENT)
    await there_and_back(desk, "three", ada)
    await desk.bridge.advance(41)
    await eventually(lambda: all_sent(ada), PATIENT)
    assert desk.texts_of_guest(AMY) == [FIRST, "two", "three"]
    assert desk.texts_of_guest(BO) == []


async def test_words_on_their_way_are_awaited(sim: Simulator, clock: ShiftedClock) -> None:
    """They were taken back while Webex was at them: what comes of it counts for the words that are to be said again."""
    places = {"public_url": True, "environ": Desk.ENVIRON}
    async with running(desk_config(), sim, clock=clock, webex_timeout=PATIENT, **places) as bridge:
        desk = await Desk(bridge).ready()
        ada = await desk.opened()
        held = desk.world.fault("POST /v1/messages", "hold", owner=GUESTS)
        await ada.say("two")
        await eventually(lambda: held.used, PATIENT)
        await there_and_back(desk)
        held.release()
        await ada.say("three")
        await eventually(lambda: all_sent(ada), PATIENT)
        assert desk.texts_of_guest(AMY) == [FIRST, "two", "three"]


async def test_of_a_long_text_the_rest(desk: Desk) -> None:
    """Amy had its first part when it went to Bo; she gets the others, once."""
    ada = await desk.opened()
    held = desk.world.fault("POST /v1/messages", status=429, retry_after=40, after=1, owner=GUESTS)
    await ada.say(LONG)
    await eventually(lambda: held.used, PATIENT)
    await there_and_back(desk)
    await desk.bridge.advance(41)
    await eventually(lambda: all_sent(ada), PATIENT)
    assert desk.texts_of_guest(AMY) == [FIRST, *split_text(LONG)]
