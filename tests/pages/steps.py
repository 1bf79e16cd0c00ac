"""What a customer does and sees, in one word each."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from .fake_api import FakeBridge, Talk

KIOSK = "/kiosk/lobby-page?store=S12&topic=returns"
FORM = "/form/shop-page?topic=orders"


async def begin(
    page: Page, bridge: FakeBridge, message: str = "My order arrived broken", name: str = "Ada"
) -> Talk:
    """From the first screen of either page into a conversation; returns the server's side of it, being listened to."""
    before = len(bridge.talks)
    start = page.get_by_role("button", name="Start", exact=True)
    if "/kiosk/" in page.url:
        await start.click()
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Your question").fill(message)
    await page.get_by_role("button", name="Start the conversation").click()
    await expect(page.get_by_role("button", name="End", exact=True)).to_be_visible()
    assert len(bridge.talks) == before + 1
    await listening(page, bridge.talk)
    return bridge.talk


async def listening(page: Page, talk: Talk, streams: int = 1) -> None:
    """Waits until the page hears the server, so that what a test says next is news."""
    for _ in range(2400):
        if len(talk.streams) >= streams:
            return
        await page.wait_for_timeout(25)
    raise AssertionError("the page never listened")


async def until(page: Page, what: object, true: str = "") -> None:
    """Waits for something on the server's side: `what` is a function without arguments."""
    assert callable(what)
    for _ in range(2400):
        if what():
            return
        await page.wait_for_timeout(25)
    raise AssertionError(f"never came true: {true or what}")


def bubbles(page: Page) -> Locator:
    return page.locator(".bubble .text")


async def say(page: Page, words: str) -> None:
    await page.get_by_label("Write a message").fill(words)
    await page.get_by_role("button", name="Send", exact=True).click()


async def end(page: Page) -> None:
    await page.get_by_role("button", name="End", exact=True).click()
    await page.get_by_role("button", name="End it").click()


async def traces(page: Page) -> str:
    """Everything of the page in which something of a customer could stay behind, as one text."""
    return await page.evaluate(
        """() => JSON.stringify([
            document.documentElement.outerHTML, location.href, document.title, history.state, window.name,
            {...sessionStorage}, {...localStorage}, document.cookie,
            [...document.querySelectorAll("input, textarea")].map((field) => field.value),
            performance.getEntriesByType("resource").map((entry) => entry.name),
        ])"""
    )
