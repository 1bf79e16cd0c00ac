"""The agents' page in a real browser."""

import os
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from bridge.simulator import talk

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists() and not os.environ.get("CI"), reason="/usr/bin/chromium is not installed"
    ),
]
CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {
        "type": "AdaptiveCard",
        "version": "1.3",
        "body": [
            {"type": "TextBlock", "text": "Ada L. <i>asks</i>", "weight": "Bolder"},
            {"type": "FactSet", "facts": [{"title": "Store", "value": "S12"}]},
            {
                "type": "Input.ChoiceSet",
                "id": "to",
                "label": "Hand over to",
                "choices": [{"title": "Bo", "value": "bo"}],
            },
            {"type": "Input.Toggle", "id": "urgent", "title": "Urgent"},
        ],
        "actions": [
            {"type": "Action.Submit", "title": "Hand over", "data": {"verb": "transfer"}},
            {"type": "Action.OpenUrl", "title": "Bad", "url": "javascript:alert(1)"},
        ],
    },
}


@pytest.fixture
async def browser():
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(browser, sim):
    """Amy's inbox; whatever the page complains of fails the test."""
    tab = await browser.new_page()
    tab.set_default_timeout(10_000)
    troubles = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("console", lambda line: troubles.append(line.text) if is_trouble(line) else None)
    await tab.goto(f"{sim.root}/agent?as=amy@example.com")
    yield tab
    assert troubles == []


def is_trouble(line):
    """The browser itself remarks on every 4xx; everything else in the console is the page's fault."""
    return line.type == "error" and not line.text.startswith("Failed to load resource")


def write(world, text, name="Ada L.", **more):
    guest, amy = world.guest(name, name), world.find_person("amy@example.com")
    return talk.send(world, guest, talk.open_room(world, guest, amy), text, None, **more)


async def test_read_and_answer(page, world, until):
    """A customer's message appears with an unread mark; the answer, two lines, goes out with Enter."""
    await expect(page.get_by_text("No conversations yet")).to_be_visible()
    write(world, "My order <b>5512</b> arrived broken")
    thread = page.get_by_role("button", name="Ada L.")
    await expect(thread).to_contain_text("1 unread")
    await expect(page).to_have_title("(1) Agent inbox (simulated Webex)")
    await thread.click()
    log = page.get_by_role("log")
    await expect(log.get_by_text("My order <b>5512</b> arrived broken")).to_be_visible()
    await expect(thread).not_to_contain_text("unread")
    box = page.get_by_label("Your answer")
    await box.fill("Sorry!")
    await box.press("Shift+Enter")
    await box.press_sequentially("I will look.")
    await box.press("Enter")
    await expect(log.locator(".mine .bubble")).to_have_text("Sorry!\nI will look.")
    await expect(box).to_have_value("")
    write(world, "Thank you")
    await expect(log.get_by_text("Thank you")).to_be_visible()
    await expect(thread).not_to_contain_text("unread")


async def test_files_both_ways(page, world, tmp_path, until):
    """A customer's file can be downloaded, and the agent can send one."""
    write(world, "look", file=talk.keep_file(world, "photo.txt", b"bytes", "text/plain"))
    await page.get_by_role("button", name="Ada L.").click()
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="photo.txt").click()
    download = await coming.value
    await download.save_as(tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"bytes"
    (tmp_path / "label.pdf").write_bytes(b"pdf")
    await page.get_by_label("Attach a file").set_input_files(tmp_path / "label.pdf")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("link", name="label.pdf")).to_be_visible()
    assert [each.content for each in world.files.values()] == [b"bytes", b"pdf"]


async def test_cards_work(page, world, until):
    """A bot's card shows its facts, and its button submits what was chosen; a script address is no link."""
    amy = world.find_person("amy@example.com")
    talk.send(world, world.bot, talk.open_room(world, world.bot, amy), "card", None, None, [CARD])
    await page.get_by_role("button", name="Help").click()
    await expect(page.get_by_text("Ada L. <i>asks</i>")).to_be_visible()
    await expect(page.get_by_role("link", name="Bad")).to_have_count(0)
    await page.get_by_label("Hand over to").select_option("Bo")
    await page.get_by_label("Urgent").check()
    await page.get_by_role("button", name="Hand over").click()
    await until(lambda: len(world.actions) == 1)
    [(_, action)] = world.actions.values()
    assert action["inputs"] == {"verb": "transfer", "to": "bo", "urgent": "true"}


async def test_writing_to_the_bot_first_and_as_another_agent(page, world, until):
    """Any agent can be played, and may write to the bot before it wrote."""
    await page.get_by_label("You are").select_option(label="Bo Diaz")
    await page.get_by_role("button", name="Help").click()
    await page.get_by_label("Your answer").fill("status")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log").get_by_text("status")).to_be_visible()
    assert [each["personEmail"] for each in world.bot.inbox] == ["bo@example.com"]


async def test_a_refused_answer_comes_back(page, world):
    """What Webex refuses is explained, and the text is still there."""
    world.max_text_bytes = 10
    write(world, "hi")
    await page.get_by_role("button", name="Ada L.").click()
    await page.get_by_label("Your answer").fill("far too long a text")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Message length limited")
    await expect(page.get_by_label("Your answer")).to_have_value("far too long a text")


async def test_the_list_and_the_thread_take_turns_on_a_phone(page, world):
    """On a narrow screen one thing is seen at a time, nothing sticks out, and there is a way back."""
    await page.set_viewport_size({"width": 360, "height": 640})
    write(world, "x" * 300)
    await page.get_by_role("button", name="Ada L.").click()
    await expect(page.get_by_role("navigation")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Back to the conversations").click()
    await expect(page.get_by_role("button", name="Ada L.")).to_be_focused()


async def test_nothing_comes_from_outside(nobody, sim):
    """The page is under a policy that lets it load and talk to nothing but the simulator.

    Who on this machine may show it in a frame (the demo does) is all that names another address: it loads nothing.
    """
    answer = await nobody("GET", f"{sim.root}/agent")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy.pop("frame-ancestors") == "http://127.0.0.1:* http://localhost:*"
    assert [rule for rule in policy.values() if "http" in rule or "unsafe" in rule or "*" in rule] == []
