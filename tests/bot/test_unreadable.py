"""What Webex does not give the bot of somebody's words silences nobody, and they hear of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from bridge.simulator import BOT_EMAIL
from tests.bot.talk import Desk
from tests.harness import AMY, BO, eventually

TOLD = "I could not read what you just said"


@pytest.mark.parametrize("trouble", [403, 400, 503, "kms", "shape"])
async def test_unreadable_words_to_the_bot_end_in_two_minutes(desk: Desk, trouble: Any) -> None:
    """Refused, failing, undecryptable or malformed: whoever said them is told, and what they say next is done."""
    odd = _say(desk, "status", trouble)
    if trouble in (503, "kms", "shape"):
        await eventually(lambda: _asked(desk, odd), within=60)
        assert desk.texts(AMY) == []
        await desk.bridge.advance(121)
    await eventually(lambda: [one for one in desk.texts(AMY) if TOLD in one], within=60)
    desk.world.clear_faults()
    desk.world.say(AMY, BOT_EMAIL, text="off for 30m")
    await desk.told(AMY, "You are off")
    assert len([one for one in desk.texts(AMY) if TOLD in one]) == 1


def _say(desk: Desk, text: str, trouble: Any) -> str:
    """Somebody's words to the bot, spoiled before their webhook is sent."""
    ident = ""
    if trouble in ("kms", "shape"):
        watch = desk.world.watch(lambda: desk.world.messages and _spoil_last(desk, trouble))
        ident = str(desk.world.say(AMY, BOT_EMAIL, text=text)["id"])
        watch()
        return ident
    desk.world.fault("GET /v1/messages/", trouble, times=None, owner="bot")
    return str(desk.world.say(AMY, BOT_EMAIL, text=text)["id"])


def _spoil_last(desk: Desk, how: str) -> None:
    desk.world.spoil(list(desk.world.messages)[-1], how)


def _asked(desk: Desk, message_id: str) -> bool:
    return any(call.path.endswith(message_id) for call in desk.world.calls)


async def test_words_to_the_bot_outlast_an_outage(desk: Desk) -> None:
    """Webex gives nothing at all for longer than that: what was said is done when it is back."""
    for path in ("GET /v1/messages/", "GET /v1/people"):
        desk.world.fault(path, 503, times=None, owner="bot")
    odd = str(desk.world.say(AMY, BOT_EMAIL, text="off for 30m")["id"])
    await eventually(lambda: _asked(desk, odd), within=60)
    await desk.bridge.advance(200)
    before = len(desk.world.calls)
    await eventually(lambda: len(desk.world.calls) > before, within=60)
    desk.world.clear_faults()

    async def done_by_the_next_try() -> bool:
        # A try that was under way may have been refused yet, and sets the next one only now.
        await desk.bridge.advance(61)
        with suppress(AssertionError):
            return bool(
                await eventually(lambda: [1 for one in desk.texts(AMY) if "You are off" in one], within=3)
            )
        return False

    await eventually(done_by_the_next_try, within=60)


async def test_agents_hear_which_file_did_not_get_through(desk: Desk) -> None:
    """By its name and with the reason."""
    ada = await desk.opened()
    desk.world.fault("GET /v1/contents", 403, times=None)
    desk.world.say(AMY, desk.guest_thread(AMY), text="see", file=("form.pdf", b"%PDF", "application/pdf"))
    assert "Webex does not give it out" in await desk.told(AMY, "Your file form.pdf did not reach Ada")
    await eventually(lambda: desk.heard_by(ada, "see"), within=60)


async def test_agents_hear_what_could_not_be_read(desk: Desk) -> None:
    """Words of theirs that Webex lists in no form that can be read: please again."""
    await desk.opened()
    watch = desk.world.watch(lambda: _spoil_last(desk, "content"))
    desk.world.say(AMY, desk.guest_thread(AMY), text="odd")
    watch()
    await desk.told(AMY, "Please write it again.")


async def test_lost_answer_to_a_note_and_no_look_is_said_again(desk: Desk) -> None:
    """The bot's own 1:1 is not shown to it: a note is said twice rather than never."""
    desk.world.fault("POST /v1/messages", "drop_before", owner="bot")
    desk.world.fault("GET /v1/messages/direct", 403, times=None, owner="bot")
    desk.world.say(BO, BOT_EMAIL, text="status")
    await eventually(lambda: ("GET", "/v1/messages/direct", 403) in desk.bridge.calls(), within=60)
    await desk.bridge.advance(5)
    await desk.told(BO, "front-desk")
    assert await desk.dead() == []
