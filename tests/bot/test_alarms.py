"""What leads are told is wrong: grouped, at most once a minute, and told again when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from bridge.simulator import Simulator
from tests.bot.talk import KIM, Desk, desk_config, ref
from tests.harness import AMY, BO, ShiftedClock, eventually, running


def alarming(**team: Any) -> dict[str, Any]:
    setup = desk_config()
    setup["teams"]["front-desk"].update(team)
    return setup


async def test_nobody_on_duty_is_told_and_cleared(desk: Desk) -> None:
    """Open and unstaffed: one alert, and an all-clear when somebody comes; never more than one a minute."""
    await desk.ask(KIM, "off amy for 2h")
    await desk.ask(KIM, "off bo for 2h")
    await desk.look_for_trouble()
    assert await desk.told(KIM, "nobody is on duty") == "front-desk is open and nobody is on duty."
    await desk.look_for_trouble()
    await desk.ask(KIM, "on amy")
    await desk.look_for_trouble()
    await desk.ask(KIM, "off cy for 1h")
    await desk.look_for_trouble()
    await desk.ask(KIM, "board")  # answers do not wait behind alerts
    assert not [one for one in desk.texts(KIM) if "All clear" in one]
    await desk.bridge.advance(61)
    grouped = await desk.told(KIM, "All clear")
    assert grouped.splitlines() == [
        "All clear: front-desk is staffed again, or closed.", "back-office is open and nobody is on duty."
    ]  # fmt: skip


async def test_waiting_too_long_is_told_and_cleared(sim: Simulator, clock: ShiftedClock) -> None:
    """Two who wait make one alert; when both are served the leads hear that it is over."""
    setup = alarming(alert_after_seconds=60)
    async with running(setup, sim, public_url=True, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await Desk(bridge).ready()
        await desk.ask(KIM, "pause front-desk")
        ada, eve = await desk.opened(store="S1"), await desk.opened("eve")
        await eventually(lambda: desk.waiting(2))
        await bridge.advance(61)
        text = await desk.told(KIM, "has waited")
        assert f"{ref(ada)} (front-desk, S1) has waited" in text
        await desk.look_for_trouble()
        await desk.ask(KIM, "resume front-desk")
        await desk.card(AMY)
        await desk.card(BO)
        await desk.look_for_trouble()
        await bridge.advance(61)
        assert "All clear: nobody waits too long for front-desk any more." in await desk.told(
            KIM, "All clear"
        )
        assert sum(ref(eve) in one for one in desk.texts(KIM)) <= 1


async def test_no_answer_is_told_and_cleared(sim: Simulator, clock: ShiftedClock) -> None:
    """Nobody else being there, the lead hears that Amy does not answer; her answer clears it."""
    setup = alarming(answer_within_seconds=30, agents=["amy"])
    async with running(setup, sim, public_url=True, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await Desk(bridge).ready()
        ada = await desk.opened()
        await desk.card(AMY)
        guest = desk.guest_thread(AMY)
        await bridge.advance(31)
        assert f"{ref(ada)} (front-desk): Amy Chen has not answered" in await desk.told(
            KIM, "has not answered"
        )
        await desk.look_for_trouble()
        desk.world.say(AMY, guest, text="sorry!")
        await eventually(ada.heard)
        await desk.look_for_trouble()
        await bridge.advance(61)
        await desk.told(KIM, "All clear: everybody of front-desk who waited for an answer got one")


async def test_configuration_refused_is_told_and_cleared(desk: Desk) -> None:
    """A mistake in the file reaches the leads where they are, and so does its mending."""
    desk.bridge.write("teams: [")
    await desk.bridge.service.reloader.look()
    await desk.look_for_trouble()
    await desk.told(KIM, "The changed configuration has a mistake and is not in force")
    desk.bridge.write(desk_config(privacy={"keep_days": 31}))
    await desk.bridge.service.reloader.look()
    await desk.look_for_trouble()
    await desk.bridge.advance(61)
    await desk.told(KIM, "All clear: the configuration is in force.")


async def test_dead_letters_are_told_and_get_worse(desk: Desk) -> None:
    """A message that Webex refuses for good is told; another one is told again; the bot's own are not."""
    await desk.kill_letter("one")
    await desk.look_for_trouble()
    await desk.told(KIM, "1 messages could not be delivered")
    await desk.look_for_trouble()
    await desk.kill_letter("two")
    await desk.look_for_trouble()
    await desk.bridge.advance(61)
    await desk.told(KIM, "2 messages could not be delivered")
    await desk.kill_letter("three", kind="note")
    await desk.look_for_trouble()
    await desk.bridge.advance(61)
    await desk.settled()
    assert not [one for one in desk.texts(KIM) if one.startswith("3 messages")]


async def test_agent_whom_webex_refuses_is_told(desk: Desk) -> None:
    """The lead hears why, the agent too, and the customer is with the next one."""
    desk.world.fault("POST /v1/messages", "block_agent", owner="guest:", times=1)
    await desk.opened()
    await desk.card(BO)
    assert "Webex does not let customers write to Amy Chen" in await desk.told(KIM, "does not let customers")
    assert "Webex does not let this customer write to you" in await desk.told(AMY, "moved to")


async def test_dead_credential_is_told(sim: Simulator, clock: ShiftedClock) -> None:
    """Nobody can be brought to Webex any more: the leads hear it, not only the log."""
    environ = {**Desk.ENVIRON, "WEBEX_SERVICE_APP_REFRESH_TOKEN": "revoked"}
    async with running(
        desk_config(), sim, public_url=True, environ=environ, clock=clock, wait_ready=False
    ) as bridge:
        desk = await Desk(bridge).ready()
        await eventually(lambda: bridge.service.minter.report().dead)
        await desk.look_for_trouble()
        assert "revoked" not in await desk.told(KIM, "New customers cannot be brought to Webex")


async def test_tokens_that_are_not_renewed_are_told_and_cleared(sim: Simulator, clock: ShiftedClock) -> None:
    """In the last tenth of its life, with re-issues failing, a customer is about to be cut off."""
    async with running(desk_config(), sim, public_url=True, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await Desk(bridge).ready()
        desk.world.guest_expires_in = 1000
        await desk.opened()
        await desk.card(AMY)
        await eventually(lambda: desk.texts_of_guest(AMY))
        desk.world.fault("POST /v1/guests/token", status=503, times=None)
        await bridge.advance(950)
        await bridge.service.ticks.reissue()
        await desk.look_for_trouble()
        await desk.told(KIM, "1 customers will soon be cut off")
        desk.world.clear_faults()
        await bridge.advance(30)
        await bridge.service.ticks.reissue()
        await desk.look_for_trouble()
        await bridge.advance(61)
        await desk.told(KIM, "All clear: the customers' tokens are renewed again.")


async def test_the_next_weeks_holes_are_told_on_thursday_once(sim: Simulator, clock: ShiftedClock) -> None:
    """Not again by a service that is started anew; a team that has whom it asks for is not spoken of."""
    now = datetime.fromtimestamp(clock.now(), UTC)
    thursday = datetime.combine(now.date() + timedelta(days=(3 - now.weekday()) % 7 + 7), time(14), UTC)
    clock.shift += (thursday - now).total_seconds()
    setup = alarming(coverage=[{"at_least": 3}])
    async with running(setup, sim, public_url=True, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await Desk(bridge).ready()
        await desk.look_for_trouble()
        note = await desk.told(KIM, "Next week")
        monday = (thursday + timedelta(days=4)).date()
        assert note.splitlines() == [
            "Next week in front-desk some hours lack people:",
            f"- Mon {monday} 00:00 - Mon {monday + timedelta(days=7)} 00:00  (168 h)  3 agents",
        ]
        await bridge.restart()
        desk = await Desk(bridge).ready()
        await desk.look_for_trouble()
        await desk.ask(KIM, "off amy for 2h")
        await desk.ask(KIM, "off bo for 2h")
        await desk.look_for_trouble()
        await bridge.advance(61)
        await desk.told(KIM, "nobody is on duty")
        assert len([one for one in desk.texts(KIM) if "Next week" in one]) == 1
