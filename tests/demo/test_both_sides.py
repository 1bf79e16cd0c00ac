"""One person plays both sides: the kiosk's page and the agent's inbox, on the demo's own parts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from rich.console import Console

from bridge.commands.demo import Stage, staged
from bridge.commands.timeline import Timeline
from tests.harness import free_port

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000a49444154789c6360000000020001e527de"
    "fc0000000049454e44ae426082"
)

pytestmark = pytest.mark.browser


@asynccontextmanager
async def sides() -> AsyncIterator[tuple[Stage, Browser]]:
    """The demo and a browser."""
    if not CHROMIUM.exists():  # noqa: ASYNC240 - one look at a local disk
        if os.environ.get("CI"):
            pytest.fail(f"no {CHROMIUM}: the browser tests must run here")
        pytest.skip(f"no {CHROMIUM}: install Debian's chromium to run the browser tests")
    timeline = Timeline(Console(quiet=True))
    async with staged(timeline, free_port(), once=False) as stage, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield stage, browser
        await browser.close()


async def kiosk(stage: Stage, browser: Browser, name: str = "Ada", words: str = "My order broke") -> Page:
    context = await browser.new_context(viewport={"width": 1080, "height": 1400})
    page = await context.new_page()
    await page.goto(f"{stage.root}/kiosk/store?store=S12")
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Your question").fill(words)
    await page.get_by_role("button", name="Start the conversation").click()
    await expect(page.get_by_text(words)).to_be_visible()
    return page


async def inbox(stage: Stage, browser: Browser, name: str = "Ada", agent: str = "amy@example.com") -> Page:
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{stage.agents}?as={agent}")
    await (
        page.locator("#threads").get_by_text(name, exact=True).first.click()
    )  # not the bot's card about them
    return page


async def answer(page: Page, words: str) -> None:
    await page.get_by_label("Your answer").fill(words)
    await page.get_by_role("button", name="Send", exact=True).click()


async def test_a_whole_conversation_between_kiosk_and_agent(tmp_path):
    """Words and a file go both ways, the customer ends, the screen is wiped, reload and Back show nothing."""
    async with sides() as (stage, browser):
        customer = await kiosk(stage, browser)
        agent = await inbox(stage, browser)
        await expect(agent.get_by_text("My order broke").last).to_be_visible()
        await answer(agent, "So sorry, Ada!")
        await expect(customer.get_by_text("So sorry, Ada!")).to_be_visible()

        picture = tmp_path / "broken.png"
        picture.write_bytes(PNG)
        await customer.locator("input[type=file]").set_input_files(picture)
        send = customer.get_by_role("button", name="Send", exact=True)
        if await send.is_enabled():
            await send.click()
        await expect(agent.locator("#messages").get_by_text("broken.png")).to_be_visible()
        label = tmp_path / "return-label.png"
        label.write_bytes(PNG)
        await agent.locator("#file").set_input_files(label)
        await agent.get_by_role("button", name="Send", exact=True).click()
        await expect(
            customer.get_by_text("return-label.png").or_(customer.get_by_alt_text("return-label.png")).first
        ).to_be_visible()

        await customer.get_by_role("button", name="End", exact=True).click()
        await customer.get_by_role("button", name="End it").click()
        await expect(customer.get_by_text("My order broke")).to_have_count(0)
        await customer.reload()
        await expect(customer.get_by_role("button", name="Start", exact=True)).to_be_visible()
        assert "My order broke" not in await customer.content()
        await customer.go_back()
        assert "My order broke" not in await customer.content()
        assert stage.world.violations() == []


async def test_the_next_kiosk_sees_nothing_of_the_first():
    """Two customers at once, two threads; the agent's words reach only the one they are meant for."""
    async with sides() as (stage, browser):
        first = await kiosk(stage, browser, "Ada", "My order broke")
        second = await kiosk(stage, browser, "Bob", "Where is my coat?")
        amy = await inbox(stage, browser, "Ada")
        bo = await inbox(stage, browser, "Bob", "bo@example.com")
        await answer(amy, "Hello Ada")
        await answer(bo, "Hello Bob")
        await expect(first.get_by_text("Hello Ada")).to_be_visible()
        await expect(second.get_by_text("Hello Bob")).to_be_visible()
        assert "Hello Bob" not in await first.content()
        assert "Hello Ada" not in await second.content()


async def test_the_agent_ends_it_with_done():
    """/done is never shown, the customer is told, and late words stay with the agent."""
    async with sides() as (stage, browser):
        customer = await kiosk(stage, browser)
        agent = await inbox(stage, browser)
        await answer(agent, "All done, goodbye!")
        await answer(agent, "/done")
        await expect(agent.locator("#messages").get_by_text("/done")).to_be_visible()
        await expect(customer.get_by_text("This conversation has ended").first).to_be_visible()
        await answer(agent, "one more thing")
        assert "one more thing" not in await customer.content()
        assert "/done" not in await customer.content()
