"""The video page of examples/video: a shop's page, the bridge and Webex, with a stand-in for Webex's JavaScript SDK."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, async_playwright, expect

from bridge.simulator import Simulator
from tests.harness import AMY, RunningBridge, ShiftedClock, config, eventually, running
from tests.scenarios.steps import answer, guest_of

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "video"
STAND_IN = Path(__file__).parent / "webex_stand_in.js"
# How long anything takes is the machine's affair; what a test waits for is exact.
PATIENCE_MS = 60_000

pytestmark = pytest.mark.browser


@dataclass
class Store:
    """What stands in the store, and what it talks to."""

    page: Page
    bridge: RunningBridge
    sim: Simulator

    async def asked(self, what: str) -> list[Any]:
        """What was asked of the SDK by this name."""
        asked = await self.page.evaluate("window.asked")
        return [one[1:] for one in asked if one[0] == what]

    async def call(self) -> None:
        await self.page.get_by_label("Your name").fill("Ada")
        await self.page.get_by_role("button", name="Call").click()
        await expect(self.page.get_by_role("status")).to_have_text(
            "You are talking to us.", timeout=PATIENCE_MS
        )


async def _stand_in(request: web.Request) -> web.FileResponse:
    return web.FileResponse(STAND_IN)


@asynccontextmanager
async def store(**changes: Any) -> AsyncIterator[Store]:
    """The page at the shop's own address, which is an origin of the source."""
    if not CHROMIUM.exists():  # noqa: ASYNC240 - one look at a local disk
        if os.environ.get("CI"):
            pytest.fail(f"no {CHROMIUM}: the browser tests must run here")
        pytest.skip(f"no {CHROMIUM}: install Debian's chromium to run the browser tests")
    shop = web.Application()
    shop.router.add_get("/webex.min.js", _stand_in)
    shop.router.add_static("/", EXAMPLE)
    async with TestServer(shop) as server, Simulator() as sim, async_playwright() as playwright:
        origin = str(server.make_url("")).rstrip("/")
        source = {"auth": {"scheme": "page"}, "origins": [origin], "share_guest_token": True, **changes}
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        async with running(config(sources={"video": source}), sim, clock=ShiftedClock()) as bridge:
            page = await browser.new_page()
            await page.goto(f"{origin}/index.html?bridge={bridge.url}&source=video")
            yield Store(page, bridge, sim)
            await browser.close()


async def test_the_agent_is_called_with_the_guests_token_and_both_hang_up() -> None:
    """Both pictures are seen; at the end the call is left, the camera is free and the conversation is over."""
    async with store() as place:
        await place.call()
        guest = guest_of(place.sim.world)
        assert await place.asked("create") == [[AMY]]
        assert await place.asked("join") == [["camera,microphone"]]
        ((token,),) = await place.asked("init")
        known = place.sim.world.tokens.find(token)
        assert known is not None
        assert known.person.id == guest.id
        for sink in ("#remote", "#local"):
            await place.page.wait_for_function(
                f"document.querySelector('{sink}').videoWidth > 0", timeout=PATIENCE_MS
            )
        await place.page.get_by_role("button", name="End the call").click()
        await expect(place.page.get_by_role("status")).to_have_text("Thank you!")
        await eventually(lambda: place.asked("unregister"))
        assert len(await place.asked("leave")) == 1
        assert len(await place.asked("stop")) == 2
        assert await place.page.evaluate("document.querySelector('#remote').srcObject") is None
        assert await place.page.get_by_label("Your name").input_value() == ""


async def test_a_re_issued_token_is_taken_over_and_the_call_goes_on() -> None:
    """The SDK gets the new one, forgets what it derived from the old one, and nothing of the call is touched."""
    async with store() as place:
        place.sim.world.guest_expires_in = 600
        await place.call()
        ((first,),) = await place.asked("init")
        await place.bridge.advance(500)
        ((second,),) = await eventually(lambda: place.asked("token"))
        assert second != first
        assert place.sim.world.tokens.find(second) is not None
        await place.page.wait_for_function("window.derived.length === 0", timeout=PATIENCE_MS)
        assert len(await place.asked("join")) == 1
        assert await place.asked("leave") == []


async def test_the_agent_ends_it_in_webex() -> None:
    """`/done`, or hanging up: the page is ready for the next customer."""
    async with store() as place:
        await place.call()
        answer(place.sim.world, "/done")
        await expect(place.page.get_by_role("status")).to_have_text(
            "The call is over. Thank you!", timeout=PATIENCE_MS
        )
        await eventually(lambda: place.asked("unregister"))
        await place.call()
        await place.page.evaluate("window.meeting.emit('meeting:self:left')")
        await expect(place.page.get_by_role("button", name="Call")).to_be_visible()


async def test_a_source_that_shares_no_token_says_so() -> None:
    """The customer is sent to a person instead of waiting before a black picture."""
    async with store(share_guest_token=False) as place:
        await place.page.get_by_label("Your name").fill("Ada")
        await place.page.get_by_role("button", name="Call").click()
        await expect(place.page.get_by_role("status")).to_have_text(
            "The call did not work. Please ask somebody in the store.", timeout=PATIENCE_MS
        )
        assert await place.asked("init") == []
