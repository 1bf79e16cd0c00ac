"""An agent whom Webex refuses: leads hear of it, can see it, and can end it."""

from __future__ import annotations

from tests.bot.talk import KIM, Desk
from tests.harness import AMY, eventually


async def test_on_ends_a_refusal(desk: Desk) -> None:
    """The one customer who was refused waits, two take Amy out of rotation; `on amy` brings her both."""
    await desk.ask(KIM, "off bo")
    amy = desk.world.find_person(AMY)
    amy.external_blocked = True
    await desk.opened("ada")
    await eventually(desk.waiting)
    await desk.told(KIM, "Webex does not let customers write to Amy Chen (one so far, who is moved on): 403")
    assert "gets nobody" not in await desk.ask(KIM, "who")
    await desk.opened("eve")
    await eventually(lambda: desk.waiting(2))
    await desk.bridge.advance(61)  # a lead gets one alert a minute
    await desk.told(KIM, "Webex does not let customers write to Amy Chen: 403")
    assert "Amy Chen: 0 open, but gets nobody: 403" in await desk.ask(KIM, "who")
    amy.external_blocked = False
    answer = await desk.ask(KIM, "on amy")
    assert answer == "Amy Chen is on duty. Whom Webex refused is tried again."
    await eventually(lambda: desk.texts_of_guest(AMY) == ["my order broke"] * 2)
    assert await desk.ask(KIM, "on amy") == "Amy Chen is on duty."
