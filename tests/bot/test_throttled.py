"""429 to the bot: what it asks and what it says wait each for themselves, over a restart too."""

from __future__ import annotations

from bridge.domain.throttling import BOT, SENDING
from bridge.store import gates
from tests.bot.talk import Desk
from tests.harness import AMY, BO, eventually


def calls(desk: Desk, method: str, path: str) -> int:
    """How often the bot asked for this or what is below it; who it is itself does not count."""
    mine = [one.path for one in desk.world.calls if (one.method, one.owner) == (method, "bot")]
    return sum(one.startswith(f"/v1{path}") and one != "/v1/people/me" for one in mine)


async def test_restart_does_not_forget_that_the_bot_must_wait(desk: Desk) -> None:
    """Another agent's first card waits, although no lane of theirs was ever parked."""
    desk.world.fault("POST /v1/messages", status=429, retry_after=600, owner="bot", times=1)
    await desk.opened()
    await eventually(lambda: not desk.world.faults)
    await desk.bridge.restart()
    await desk.opened("eve")
    await desk.bridge.advance(500)
    assert len(await desk.states("open")) == 2
    assert calls(desk, "POST", "/messages") == 1
    await desk.bridge.advance(101)
    await desk.card(BO)
    await desk.card(AMY)


async def test_429_for_taking_a_card_away_parks_what_the_bot_says(desk: Desk) -> None:
    """Deleting is sending: no other card is said before the time is over."""
    ada = await desk.opened()
    await desk.card(AMY)
    desk.world.fault("DELETE /v1/messages", status=429, retry_after=30, owner="bot", times=1)
    await ada.end()
    await eventually(lambda: not desk.world.faults)
    await desk.opened("eve")
    await desk.bridge.advance(20)
    assert not desk.cards(BO)
    assert calls(desk, "POST", "/messages") == 1
    await desk.bridge.advance(11)
    await desk.card(BO)
    await desk.told(AMY, "the customer has left")


async def test_bot_that_may_not_read_goes_on_saying(desk: Desk) -> None:
    """A 429 for what was said to it parks hearing; a card is said meanwhile, and the answer comes later."""
    await eventually(lambda: calls(desk, "GET", "/messages") == 4)  # the look at the start
    desk.world.fault("GET /v1/messages", status=429, retry_after=30, owner="bot", times=1)
    desk.world.say(AMY, desk.world.bot.email, text="mine")
    await eventually(lambda: not desk.world.faults)
    await desk.opened()
    await desk.card(AMY)
    await desk.bridge.restart()
    desk.world.say(BO, desk.world.bot.email, text="mine")
    await desk.bridge.advance(20)
    asked = calls(desk, "GET", "/messages")
    await desk.bridge.advance(11)
    await desk.told(AMY, "waiting for your answer")
    await desk.told(BO, "You have no open conversation.")
    assert asked == 5


async def test_presence_and_webhooks_have_clocks_of_their_own(desk: Desk) -> None:
    """After a 429 neither is asked for again before its time, by a restarted service neither; notes are said."""
    await desk.look_at_presence()
    desk.world.fault("GET /v1/people$", status=429, retry_after=600, owner="bot", times=1)
    desk.world.fault("GET /v1/webhooks", status=429, retry_after=600, owner="bot", times=1)
    await desk.look_at_presence()
    await desk.reconcile()
    assert not desk.world.faults
    asked = calls(desk, "GET", "/people"), calls(desk, "GET", "/webhooks")
    await desk.bridge.restart()
    await desk.ready()
    await desk.bridge.advance(100)  # the leases of the process before are over
    await desk.look_at_presence()
    await desk.reconcile()
    await desk.opened()
    await desk.card(AMY)
    assert (calls(desk, "GET", "/people"), calls(desk, "GET", "/webhooks")) == asked
    await desk.bridge.advance(501)
    await desk.look_at_presence()
    await desk.reconcile()
    assert calls(desk, "GET", "/people") > asked[0]
    assert calls(desk, "GET", "/webhooks") == asked[1] + 1


async def test_another_process_hears_of_it(desk: Desk) -> None:
    """What one process was told by Webex keeps the others from saying anything."""
    until = desk.bridge.clock.now() + 60
    await desk.bridge.service.store.do(gates.close, gates.Gate(BOT, SENDING, until))
    await desk.opened()
    await desk.bridge.advance(50)
    assert calls(desk, "POST", "/messages") == 0
    await desk.bridge.advance(11)
    await desk.card(AMY)
