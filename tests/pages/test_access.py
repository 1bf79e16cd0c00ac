"""Everybody can use the pages: with keys only, on any screen, in any colour scheme, with a screen reader."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from bridge import pages

from .conftest import Open
from .fake_api import FakeBridge
from .steps import FORM, KIOSK, begin, bubbles, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Text against the nearest solid background behind it; gradients are judged by their own test.
CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      const colour = parse(style.backgroundColor);
      if ((colour[3] ?? 1) === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const ground = own && element.checkVisibility({opacityProperty: true}) && behind(element);
    if (!ground) continue;
    const pair = [light(parse(getComputedStyle(element).color)), light(ground)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) poor.push([element.className, element.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  return poor;
}"""
SMALL = """(least) => [...document.querySelectorAll("button, input:not([type=file]), textarea")]
  .filter((control) => control.checkVisibility())
  .map((control) => [control.textContent || control.id, control.getBoundingClientRect()])
  .filter(([, box]) => box.height < least - 0.5 || box.width < least - 0.5)
  .map(([name, box]) => [name, box.width, box.height])"""
NAMELESS = """() => [...document.querySelectorAll("button, input:not([type=file]), textarea, iframe, a")]
  .filter((c) => c.checkVisibility())
  .filter((c) => !(c.getAttribute("aria-label") || c.title || c.textContent.trim() || c.labels?.length))
  .map((control) => control.outerHTML)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def sound(page: Page, least: int) -> None:
    assert await page.evaluate(NAMELESS) == []
    assert await page.evaluate(SMALL, least) == []
    assert await page.evaluate(SIDEWAYS) <= 0
    assert await page.evaluate(CONTRAST) == []
    assert await page.locator("h1").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(320, 568), (844, 390), (1080, 1920), (1920, 1080)])
@pytest.mark.parametrize(("address", "least"), [(KIOSK, 64), (FORM, 44)])
async def test_every_screen_is_sound(
    open_page: Open, bridge: FakeBridge, address: str, least: int, width: int, height: int, scheme: str
) -> None:
    """On each size, light and dark: named controls, big targets, contrast of 4.5, no sideways scroll, on every step."""
    options = {"color_scheme": scheme, "reduced_motion": "reduce"}
    page = await open_page(address, width=width, height=height, **options)
    await sound(page, least)
    talk = await begin(page, bridge)
    talk.open("A name as long as names may be in some places of the world, and then some")
    talk.add("agent", "unbroken" * 40, html=f"<pre>{'wide ' * 80}</pre><p>{'unbroken' * 40}</p>")
    talk.attach("agent", f"{'long-name' * 12}.pdf", "application/pdf", b"x" * 3000)
    talk.deliver(talk.items[0], "failed")
    await expect(page.locator(".file-name")).to_have_count(1)
    await expect(page.locator('[data-state="failed"]')).to_have_count(1)
    await sound(page, least)
    end = page.get_by_role("button", name="End", exact=True)
    await expect(end).to_be_in_viewport(ratio=1)
    await end.click()
    await expect(page.get_by_role("button", name="End it")).to_be_in_viewport(ratio=1)
    await sound(page, least)


async def test_the_kiosk_works_with_keys_only(open_page: Open, bridge: FakeBridge) -> None:
    """From START to a wiped screen without touching anything but keys, the focus always where one goes on."""
    page = await open_page(KIOSK)
    await page.keyboard.press("Enter")
    await page.keyboard.type("Ada")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Where is my order?")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Write a message")).to_be_focused()
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await until(page, lambda: bridge.talk.customer_words() == ["Where is my order?", "one\ntwo"])
    for _ in range(8):
        await page.keyboard.press("Shift+Tab")
        if await page.evaluate("document.activeElement.classList.contains('end')"):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Keep talking")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="End", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Thank you!")).to_be_focused()
    await until(page, lambda: bridge.talk.ends == 1)


@pytest.mark.parametrize("address", [KIOSK, FORM])
async def test_the_focus_is_seen(open_page: Open, address: str) -> None:
    """A control reached by key carries a ring of at least three pixels."""
    page = await open_page(address)
    await page.keyboard.press("Tab")
    style = await page.evaluate(
        "(() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]; })()"
    )
    assert style == ["solid", "3px"]


async def test_a_screen_reader_hears_each_message_once(open_page: Open, bridge: FakeBridge) -> None:
    """The log is a polite live region, and a message's delivery changes without its words being put in again."""
    page = await open_page(FORM)
    talk = await begin(page, bridge, "hello")
    log = page.get_by_role("log", name="Conversation")
    await expect(log).to_have_attribute("aria-live", "polite")
    await bubbles(page).first.evaluate("(text) => (text.dataset.same = 'yes')")
    talk.deliver(talk.items[0], "failed")
    await expect(page.locator('[data-state="failed"]')).to_be_visible()
    talk.deliver(talk.items[0], "sent")
    await expect(page.locator('[data-state="sent"]')).to_be_visible()
    await expect(bubbles(page).first).to_have_attribute("data-same", "yes")


async def test_old_words_stay_in_sight_while_reading(open_page: Open, bridge: FakeBridge) -> None:
    """Who has scrolled up is told of a new message instead of being moved; who is at the end follows."""
    page = await open_page(FORM, height=500)
    talk = await begin(page, bridge)
    for number in range(30):
        talk.add("agent", f"line {number}")
    await expect(page.get_by_text("line 29")).to_be_in_viewport()
    await page.locator(".log").evaluate("(log) => (log.scrollTop = 0)")
    jump = page.get_by_role("button", name="New message")
    talk.add("agent", "news")
    await expect(jump).to_be_visible()
    await expect(page.get_by_text("line 0", exact=True)).to_be_in_viewport()
    await jump.click()
    await expect(page.get_by_text("news")).to_be_in_viewport()
    await expect(jump).to_be_hidden()


async def test_motion_stops_where_it_is_not_wanted(open_page: Open) -> None:
    """With reduced motion nothing on the start screen moves; without it, the rings do."""
    still = await open_page(KIOSK, reduced_motion="reduce")
    assert await still.evaluate("document.getAnimations().length") == 0
    moving = await open_page(KIOSK, reduced_motion="no-preference")
    assert await moving.evaluate("document.getAnimations().length") > 0


async def test_forced_colours_keep_the_shapes(open_page: Open, bridge: FakeBridge) -> None:
    """In high contrast a bubble and START still have an edge or a ground of their own."""
    page = await open_page(KIOSK, forced_colors="active")
    await begin(page, bridge)
    assert (
        await page.locator(".bubble .body").first.evaluate("(body) => getComputedStyle(body).borderTopStyle")
        == "solid"
    )


async def test_the_browsers_language_is_used(open_page: Open) -> None:
    """Without ?lang= the browser's language counts, a strange one means English, and the kiosk offers the choice."""
    page = await open_page(KIOSK, locale="es-MX")
    await expect(page.get_by_role("heading", name="Habla con una persona")).to_be_visible()
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Talk to a person")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "en"
    strange = await open_page(FORM, locale="fi-FI")
    await expect(strange.get_by_role("heading", name="Write to us")).to_be_visible()


def all_scripts() -> str:
    return "".join(path.read_text() for path in (pages.PAGES_ROOT / "static").glob("*.js"))


async def test_both_languages_say_the_same(open_page: Open) -> None:
    """Every text exists in every language, with the same holes."""
    page = await open_page("/kiosk/lobby")
    strings = await page.evaluate("import('/pages/static/strings.js').then((module) => module.STRINGS)")
    holes = {
        code: {name: sorted(re.findall(r"\{\w+\}", text)) for name, text in texts.items()}
        for code, texts in strings.items()
    }
    assert set(strings) == {"en", "es"}
    assert holes["en"] == holes["es"]
    scripts = all_scripts()
    unused = [
        name for name in strings["en"] if scripts.count(f'"{name}"') == 0 and f"texts.{name}" not in scripts
    ]
    assert unused == []


@pytest.mark.parametrize(("width", "stacked"), [(1366, False), (390, True)])
async def test_the_demo_shows_both_sides(open_page: Open, width: int, stacked: bool) -> None:
    """The demo frames the kiosk and the agent's page, side by side where there is room, else one above the other."""
    page = await open_page("/demo", width=width)
    await expect(page.frame_locator("#kiosk").get_by_role("button", name="Start", exact=True)).to_be_visible()
    await expect(page.frame_locator("#agent").get_by_label("Your name")).to_be_visible()
    kiosk = await page.locator("#kiosk").bounding_box()
    agent = await page.locator("#agent").bounding_box()
    assert kiosk
    assert agent
    assert (agent["y"] > kiosk["y"]) is stacked
    assert await page.evaluate(SIDEWAYS) <= 0
    assert await page.evaluate(NAMELESS) == []
