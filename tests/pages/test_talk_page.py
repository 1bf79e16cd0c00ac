"""The page behind `conversationUrl`: one conversation, whose key stands in the address only for a moment."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import Open
from .fake_api import FakeBridge, Talk
from .steps import bubbles, listening, say, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def under_way(bridge: FakeBridge) -> Talk:
    """A conversation that began elsewhere, by an event."""
    talk = Talk("c0ffee", {})
    bridge.talks.append(talk)
    talk.add("customer", "It arrived broken")
    talk.open("Amy Chen")
    return talk


async def test_the_link_goes_on_with_the_conversation(open_page: Open, bridge: FakeBridge) -> None:
    """What was said is there, words go both ways, and a reload in the same tab finds it again without the key."""
    talk = under_way(bridge)
    page = await open_page(f"/talk/{talk.id}#key={talk.key}")
    await expect(bubbles(page)).to_have_text(["It arrived broken"])
    assert page.url.endswith(f"/talk/{talk.id}")
    await listening(page, talk)
    talk.add("agent", "Hello Ada")
    await say(page, "Thank you")
    await until(page, lambda: "Thank you" in talk.customer_words())
    await expect(bubbles(page)).to_have_text(["It arrived broken", "Hello Ada", "Thank you"])
    await page.reload()
    await expect(bubbles(page)).to_have_text(["It arrived broken", "Hello Ada", "Thank you"])


async def test_a_link_that_opens_nothing_says_so(open_page: Open, bridge: FakeBridge) -> None:
    """No key, a wrong key, a conversation that is over: the same sentence, and nothing to fill in."""
    talk = under_way(bridge)
    for address in (f"/talk/{talk.id}", f"/talk/{talk.id}#key=wrong", "/talk/nothing#key=wrong"):
        page = await open_page(address)
        await expect(page.get_by_role("status")).to_contain_text("is over")
        assert await page.get_by_role("textbox").count() == 0


async def test_after_the_end_the_words_stay_to_be_read(open_page: Open, bridge: FakeBridge) -> None:
    """There is no new conversation to begin here: whose it would be is not known."""
    talk = under_way(bridge)
    page = await open_page(f"/talk/{talk.id}#key={talk.key}")
    await listening(page, talk)
    talk.end("agent")
    await expect(page.get_by_role("status").last).to_be_visible()
    await expect(bubbles(page)).to_have_text(["It arrived broken"])
    await expect(page.get_by_role("button", name="New conversation")).to_have_count(0)
    assert await page.evaluate("sessionStorage.length") == 0
