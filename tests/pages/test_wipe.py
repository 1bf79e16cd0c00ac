"""The next person at a shared screen finds nothing of the former one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, Route, expect

from .conftest import Open
from .fake_api import FakeBridge, Talk
from .steps import FORM, KIOSK, begin, bubbles, end, listening, say, traces, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SECRETS = ("Zenobia", "kidney stones", "rare answer", "half typed")


async def visited(page: Page, bridge: FakeBridge) -> Talk:
    talk = await begin(page, bridge, "kidney stones", "Zenobia")
    talk.open("Amy")
    talk.add("agent", "rare answer")
    await expect(bubbles(page)).to_have_text(["kidney stones", "rare answer"])
    await page.get_by_label("Write a message").fill("half typed")
    return talk


async def expect_nothing(page: Page, talk: Talk) -> None:
    left = await traces(page)
    for secret in (*SECRETS, talk.key, talk.id):
        assert secret not in left


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_end_wipes_the_kiosk(open_page: Open, bridge: FakeBridge) -> None:
    """END asks first, ends on the server, says goodbye, and leaves nothing in page, storage or addresses."""
    page = await open_page(KIOSK)
    talk = await visited(page, bridge)
    await page.get_by_role("button", name="End", exact=True).click()
    await page.get_by_role("button", name="Keep talking").click()
    await expect(bubbles(page)).to_have_count(2)
    assert talk.ends == 0
    await end(page)
    await expect(page.get_by_role("heading", name="Thank you!")).to_be_focused()
    await until(page, lambda: talk.ends == 1 and talk.key_dead)
    await expect_nothing(page, talk)
    await page.get_by_role("button", name="Done").click()
    await expect(page.get_by_role("button", name="Start", exact=True)).to_be_focused()
    await expect_nothing(page, talk)
    assert await page.evaluate("history.length") <= 2


async def test_the_next_customer_sees_a_conversation_of_their_own(
    open_page: Open, bridge: FakeBridge
) -> None:
    """A late word of the former agent reaches nobody; the next visit starts empty."""
    page = await open_page(KIOSK)
    first = await visited(page, bridge)
    await end(page)
    await page.get_by_role("button", name="Done").click()
    second = await begin(page, bridge, "another matter", "Bob")
    first.add("agent", "too late")
    second.add("agent", "hello Bob")
    await expect(bubbles(page)).to_have_text(["another matter", "hello Bob"])
    await expect_nothing(page, first)


async def test_reload_ends_the_visit(open_page: Open, bridge: FakeBridge) -> None:
    """A reload in mid-conversation shows the start screen, and the agent is not left alone."""
    page = await open_page(KIOSK)
    talk = await visited(page, bridge)
    await page.reload()
    await expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    await expect_nothing(page, talk)
    await until(page, lambda: talk.ends == 1)


async def test_back_shows_nothing(open_page: Open, bridge: FakeBridge) -> None:
    """Leaving the kiosk page ends the visit; Back brings the start screen."""
    page = await open_page(KIOSK)
    talk = await visited(page, bridge)
    await page.goto(f"{bridge.address}/pages/static/icon.svg")
    await until(page, lambda: talk.ends == 1)
    await page.go_back()
    await expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    await expect_nothing(page, talk)


async def test_idleness_ends_the_visit(open_page: Open, bridge: FakeBridge) -> None:
    """Nobody touches, nobody answers the question: it counts down, ends and wipes."""
    page = await open_page(f"{KIOSK}&idle=2")
    talk = await visited(page, bridge)
    dialog = page.get_by_role("alertdialog", name="Are you still there?")
    await expect(dialog).to_be_visible()
    await expect(page.get_by_role("timer")).to_have_text("1 s")
    await expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    await until(page, lambda: talk.ends == 1)
    await expect_nothing(page, talk)


async def test_one_touch_says_still_here(open_page: Open, bridge: FakeBridge) -> None:
    """The answer to the question brings the conversation back as it was, half-typed words included."""
    page = await open_page(f"{KIOSK}&idle=2")
    talk = await visited(page, bridge)
    await page.get_by_role("button", name="Yes, I am here").click()
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    await expect(page.get_by_label("Write a message")).to_have_value("half typed")
    assert talk.ends == 0
    assert talk.customer_words() == ["kidney stones"]


async def test_an_abandoned_question_is_wiped(open_page: Open, bridge: FakeBridge) -> None:
    """A name typed and left behind is gone after the idle time, without any conversation."""
    page = await open_page("/kiosk/lobby?idle=1")
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_label("Your name").fill("Zenobia")
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await expect(page.locator("body")).to_have_attribute("data-screen", "attract")
    assert "Zenobia" not in await traces(page)
    assert bridge.talks == []


async def test_the_servers_warning_counts_down(open_page: Open, bridge: FakeBridge) -> None:
    """The server's own warning is answered with the customer's words, which are what keeps it open."""
    page = await open_page(KIOSK)
    talk = await visited(page, bridge)
    talk.warn(soon(60))
    await expect(page.get_by_role("alertdialog")).to_contain_text(
        "Without a word from you the conversation ends."
    )
    await page.get_by_role("button", name="I am still here").click()
    await until(page, lambda: talk.customer_words() == ["kidney stones", "I am still here."])
    await expect(page.get_by_role("alertdialog")).to_have_count(0)


async def test_an_ignored_warning_ends_it(open_page: Open, bridge: FakeBridge) -> None:
    """When the warned moment comes the kiosk wipes by itself."""
    page = await open_page(KIOSK)
    talk = await visited(page, bridge)
    talk.warn(soon(1))
    await expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    await expect_nothing(page, talk)


async def test_an_idle_end_by_the_server_wipes_both(open_page: Open, bridge: FakeBridge) -> None:
    """An idle end kills the key: kiosk and form take everything off the screen and say that it is over."""
    for address in (KIOSK, FORM):
        page = await open_page(address)
        talk = await visited(page, bridge)
        talk.end("idle")
        await expect(page.get_by_text("This conversation is over.")).to_be_visible()
        await expect_nothing(page, talk)


async def test_a_dead_key_wipes(open_page: Open, bridge: FakeBridge) -> None:
    """A 410 to a message, with no event before it, wipes as well."""
    page = await open_page(KIOSK)
    talk = await visited(page, bridge)
    talk.key_dead = True
    await say(page, "half typed")
    await expect(page.get_by_text("This conversation is over.")).to_be_visible()
    await expect_nothing(page, talk)


async def test_an_end_by_the_agent_can_be_read(open_page: Open, bridge: FakeBridge) -> None:
    """After the agent's end the last words stay for a while with nothing to write in; Done wipes them."""
    page = await open_page(KIOSK)
    talk = await visited(page, bridge)
    talk.end("agent")
    done = page.get_by_role("button", name="Done")
    await expect(done).to_be_focused()
    await expect(page.get_by_text("This screen is cleared in")).to_be_visible()
    await expect(bubbles(page)).to_have_count(2)
    await expect(page.get_by_role("textbox")).to_have_count(0)
    await done.click()
    await expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    await expect_nothing(page, talk)


async def test_a_start_answered_too_late_is_ended(open_page: Open, bridge: FakeBridge) -> None:
    """Cancel while the conversation is being made: it is ended at once, so that no agent waits for nobody."""
    page = await open_page(KIOSK)
    cancelled = asyncio.Event()

    async def hold(route: Route) -> None:
        await cancelled.wait()
        await route.continue_()

    await page.route("**/v1/pages/**", hold)
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_label("Your name").fill("Zenobia")
    await page.get_by_role("button", name="Start the conversation").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("body")).to_have_attribute("data-screen", "attract")
    cancelled.set()
    await until(page, lambda: bridge.talks and bridge.talk.ends == 1)
    await expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()


async def test_the_form_survives_a_reload_until_its_end(open_page: Open, bridge: FakeBridge) -> None:
    """In its own tab the form comes back after a reload with everything said, and no longer once it has ended."""
    page = await open_page(FORM)
    talk = await visited(page, bridge)
    await page.reload()
    await listening(page, talk)
    await expect(bubbles(page)).to_have_text(["kidney stones", "rare answer"])
    assert talk.ends == 0
    talk.add("agent", "rare answer 2")
    await expect(bubbles(page)).to_have_count(3)
    await end(page)
    await until(page, lambda: talk.ends == 1)
    await expect(page.locator(".closing")).to_contain_text("This conversation has ended")
    await expect(bubbles(page)).to_have_count(3)
    assert await page.evaluate("sessionStorage.length") == 0
    await page.reload()
    await expect(page.get_by_role("heading", name="Write to us")).to_be_visible()
    await expect_nothing(page, talk)


async def test_the_form_wipes_when_left_after_its_end(open_page: Open, bridge: FakeBridge) -> None:
    """After an end by the agent the words stay to be read, and Back after leaving shows a blank form."""
    page = await open_page(FORM)
    talk = await visited(page, bridge)
    talk.end("agent")
    await expect(page.locator(".closing")).to_contain_text("The conversation was ended.")
    await page.goto(f"{bridge.address}/pages/static/icon.svg")
    await page.go_back()
    await expect(page.get_by_role("heading", name="Write to us")).to_be_visible()
    await expect_nothing(page, talk)


async def test_another_tab_does_not_see_the_form(open_page: Open, bridge: FakeBridge) -> None:
    """The conversation belongs to its tab: a second one starts blank."""
    page = await open_page(FORM)
    await visited(page, bridge)
    other = await page.context.new_page()
    await other.goto(bridge.address + FORM)
    await expect(other.get_by_label("Your name")).to_have_value("")
    await expect(bubbles(other)).to_have_count(0)


async def test_the_form_is_warned_beside_the_field(open_page: Open, bridge: FakeBridge) -> None:
    """In the form the warning takes no focus from who is writing, and any word answers it."""
    page = await open_page(FORM)
    talk = await visited(page, bridge)
    talk.warn(soon(60))
    await expect(page.get_by_role("alert")).to_contain_text("Are you still there?")
    await expect(page.get_by_label("Write a message")).to_be_focused()
    await say(page, "yes")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_the_shared_clipboard_stays_empty(open_page: Open, bridge: FakeBridge) -> None:
    """On a kiosk nothing is copied, cut or dragged away, and no menu opens."""
    page = await open_page(KIOSK)
    await visited(page, bridge)
    stopped = await page.evaluate(
        """() => ["copy", "cut", "contextmenu", "dragstart", "drop"].map((name) =>
            !document.querySelector("#words").dispatchEvent(new Event(name, {bubbles: true, cancelable: true})))"""
    )
    assert stopped == [True] * 5
