"""One Chromium for the session, a fresh context and bridge for each test; whatever a page did wrong fails it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from .fake_api import FakeBridge

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A refused request is logged by the browser itself; a page cannot keep it from doing so.
EXPECTED = "Failed to load resource"
# How long anything takes is the machine's affair; what a test waits for is exact.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


class Open(Protocol):
    """`await open_page("/kiosk/lobby", width=..., **context options)` gives a page of a new browser context."""

    forgiven: list[str]  # beginnings of the console errors that a test provokes on purpose

    async def __call__(
        self, path: str, *, width: int = 1080, height: int = 900, **options: object
    ) -> Page: ...


@pytest.fixture(scope="session")
def chromium() -> Path:
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"no {CHROMIUM}: the browser tests must run here")
        pytest.skip(f"no {CHROMIUM}: install Debian's chromium to run the browser tests")
    return CHROMIUM


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def bridge() -> AsyncIterator[FakeBridge]:
    fake = FakeBridge()
    server = TestServer(fake.app)
    await server.start_server()
    fake.address = str(server.make_url("")).rstrip("/")
    yield fake
    for talk in fake.talks:
        talk.drop_streams()
    await server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, bridge: FakeBridge) -> AsyncIterator[Open]:
    """Opens pages, and fails the test for script errors, breaches of the policy and requests that leave loopback."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED not in message.text:
            wrong.append(message.text)

    def watch(context: BrowserContext) -> None:
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        context.on("console", heard)
        context.on("request", lambda request: wrong.extend(outside(request.url)))

    async def open_(path: str, *, width: int = 1080, height: int = 900, **options: object) -> Page:
        options = {"locale": "en-GB", "viewport": {"width": width, "height": height}} | options
        context = await browser.new_context(**options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        watch(context)
        page = await context.new_page()
        await page.goto(bridge.address + path)
        return page

    open_.forgiven = []
    yield open_
    for context in contexts:
        await context.close()
    assert [words for words in wrong if not words.startswith(tuple(open_.forgiven))] == []


def outside(url: str) -> list[str]:
    parts = urlsplit(url)
    local = parts.scheme in {"blob", "data"} or parts.hostname in {"127.0.0.1", "localhost"}
    return [] if local else [f"left loopback: {url}"]
