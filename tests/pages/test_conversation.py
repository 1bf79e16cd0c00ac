"""Words and files both ways, on the kiosk and in the form."""

from __future__ import annotations

import struct
import zlib

import pytest
from playwright.async_api import expect

from .conftest import Open
from .fake_api import FakeBridge, Fault
from .steps import FORM, KIOSK, begin, bubbles, listening, say, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def picture() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0\xff\0\0\0\xff\0" * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("address", [KIOSK, FORM])
async def test_words_go_both_ways(open_page: Open, bridge: FakeBridge, address: str) -> None:
    """The start carries name, store, topic and language; then both sides read each other in order, each word once."""
    page = await open_page(address)
    talk = await begin(page, bridge, "It is broken", "Ada L.")
    assert talk.wish["displayName"] == "Ada L."
    assert talk.wish["message"] == "It is broken"
    assert talk.wish["topic"] == ("returns" if address == KIOSK else "orders")
    assert talk.wish["language"] == "en"
    assert talk.wish.get("store") == ("S12" if address == KIOSK else None)
    talk.open("Amy Chen")
    talk.add("agent", "Hello Ada")
    await expect(page.get_by_role("heading", name="Amy Chen")).to_be_visible()
    await say(page, "Thank you\nvery much")
    await until(page, lambda: talk.customer_words() == ["It is broken", "Thank you\nvery much"])
    await expect(bubbles(page)).to_have_text(["It is broken", "Hello Ada", "Thank youvery much"])
    await expect(page.locator(".delivery").last).to_have_text("Sending…")
    talk.deliver(talk.items[-1], "sent")
    await expect(page.locator(".delivery").last).to_have_text("Sent")


async def test_the_line_tells_the_state(open_page: Open, bridge: FakeBridge) -> None:
    """The customer reads the place in the line, when the shop opens, what the server says, and who has come."""
    page = await open_page(KIOSK)
    talk = await begin(page, bridge)
    line = page.locator(".line")
    await expect(line).to_have_text("You are next in line")
    talk.wait(position=3)
    await expect(line).to_have_text("You are number 3 in line")
    talk.wait(opens_at="2026-11-23T09:00:00Z")
    await expect(line).to_contain_text("We open again Monday")
    talk.add("system", "We open again soon.")
    await expect(page.locator('.bubble[data-from="system"]')).to_have_text("We open again soon.")
    talk.open("Bo")
    await expect(line).to_have_text("Is here to help")


async def test_a_message_keeps_its_writers_name(open_page: Open, bridge: FakeBridge) -> None:
    """What Amy wrote stays Amy's when Bo takes over."""
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    talk.open("Amy")
    talk.add("agent", "one")
    await expect(bubbles(page)).to_have_count(2)
    talk.open("Bo")
    await expect(page.get_by_role("heading", name="Bo")).to_be_visible()
    talk.add("agent", "two")
    await expect(page.locator('.bubble[data-from="agent"] .who')).to_have_text(["Amy", "Bo"])


@pytest.mark.parametrize("address", [KIOSK, FORM])
async def test_a_customers_file_arrives(open_page: Open, bridge: FakeBridge, address: str) -> None:
    """A picked file is shown before it goes, and arrives whole under its name, beside the words written with it."""
    page = await open_page(address)
    talk = await begin(page, bridge)
    file = {"name": "receipt.txt", "mimeType": "text/plain", "buffer": b"one two three"}
    await page.locator("input[type=file]").set_input_files(file)
    await expect(page.locator(".chosen")).to_contain_text("receipt.txt")
    await say(page, "Here it is")
    await until(page, lambda: "file-0" in talk.files)
    assert talk.files["file-0"] == ("text/plain", b"one two three")
    await expect(page.locator('.bubble[data-from="customer"]')).to_have_count(3)
    await expect(page.locator(".bubble").last.locator(".file-name")).to_have_text("receipt.txt")


async def test_a_dropped_file_is_taken_and_two_are_not(open_page: Open, bridge: FakeBridge) -> None:
    """The form takes one dropped file; of several it says that one is enough."""
    page = await open_page(FORM)
    await begin(page, bridge)
    drop = """(names) => {
        const data = new DataTransfer();
        for (const name of names) data.items.add(new File(["x"], name));
        document.querySelector(".panel").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
    }"""
    await page.evaluate(drop, ["a.pdf", "b.pdf"])
    await expect(page.locator(".composer-notice")).to_have_text("One file at a time, please.")
    await expect(page.locator(".chosen")).to_be_hidden()
    await page.evaluate(drop, ["a.pdf"])
    await expect(page.locator(".chosen .file-name")).to_have_text("a.pdf")
    await page.get_by_role("button", name="Remove file a.pdf").click()
    await expect(page.locator(".chosen")).to_be_hidden()


async def test_the_servers_limit_is_explained(open_page: Open, bridge: FakeBridge) -> None:
    """A refused file shows the server's own sentence, and a further try may succeed."""
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    bridge.faults.append(Fault(413, "Files may have up to 20 MB."))
    file = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"x" * 100}
    await page.locator("input[type=file]").set_input_files(file)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator('[data-state="failed"]')).to_have_text(
        "Not delivered · Files may have up to 20 MB."
    )
    assert talk.files == {}
    await page.get_by_role("button", name="Try again").click()
    await until(page, lambda: len(talk.files) == 1)
    await expect(page.locator('[data-state="failed"]')).to_have_count(0)


async def test_an_agents_file_is_saved_from_the_form(open_page: Open, bridge: FakeBridge) -> None:
    """In the form an agent's file is downloaded under its name, fetched with the key."""
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    talk.attach("agent", "label.pdf", "application/pdf", b"%PDF-1.7")
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Download label.pdf, 8 B").click()
    download = await waiting.value
    assert download.suggested_filename == "label.pdf"
    assert (await download.path()).read_bytes() == b"%PDF-1.7"


@pytest.mark.parametrize("address", [KIOSK, FORM])
async def test_an_agents_picture_is_shown(open_page: Open, bridge: FakeBridge, address: str) -> None:
    """A picture is previewed from memory and can be enlarged; the page asks nobody else for it."""
    page = await open_page(address)
    talk = await begin(page, bridge)
    talk.attach("agent", "map.png", "image/png", picture())
    image = page.get_by_role("img", name="Picture map.png")
    await expect(image).to_be_visible()
    assert (await image.get_attribute("src") or "").startswith("blob:")
    assert await image.evaluate("(image) => image.naturalWidth") == 2
    await page.get_by_role("button", name="Enlarge picture map.png").click()
    await expect(page.get_by_role("dialog", name="map.png")).to_be_visible()
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_kiosk_saves_no_files(open_page: Open, bridge: FakeBridge) -> None:
    """On the shared screen a file that is no picture is named, but nothing can be saved or followed."""
    page = await open_page(KIOSK)
    talk = await begin(page, bridge)
    talk.attach("agent", "label.pdf", "application/pdf", b"%PDF", text="see https://example.com/x")
    await expect(page.locator(".file")).to_contain_text("Files cannot be saved on this screen.")
    await expect(page.get_by_text("see https://example.com/x")).to_be_visible()
    assert await page.locator("a, button.file").count() == 0


async def test_a_broken_send_is_repeated_once(open_page: Open, bridge: FakeBridge) -> None:
    """A line that breaks before or after the server accepted, and a busy server, cost no word and double none."""
    page = await open_page(FORM)
    talk = await begin(page, bridge, "zero")
    bridge.faults += [Fault(0), Fault(0, accepted=True), Fault(503, headers={"Retry-After": "1"})]
    await say(page, "one")
    await say(page, "two")
    await until(page, lambda: talk.customer_words() == ["zero", "one", "two"])
    await expect(bubbles(page)).to_have_text(["zero", "one", "two"])
    await until(page, lambda: not bridge.faults)
    await expect(bubbles(page)).to_have_text(["zero", "one", "two"])


async def test_equal_words_twice_are_two_messages(open_page: Open, bridge: FakeBridge) -> None:
    """Saying the same thing twice on purpose shows and sends it twice."""
    page = await open_page(FORM)
    talk = await begin(page, bridge, "hello")
    await say(page, "hello")
    await say(page, "hello")
    await until(page, lambda: talk.customer_words() == ["hello"] * 3)
    await expect(bubbles(page)).to_have_text(["hello"] * 3)


async def test_words_that_the_server_changed_are_not_doubled(open_page: Open, bridge: FakeBridge) -> None:
    """Where the server masks a card number the customer sees one message, as the server keeps it."""
    page = await open_page(FORM)
    talk = await begin(page, bridge, "4111 1111 1111 1111")
    talk.items[0]["text"] = "**** 1111"
    talk.deliver(talk.items[0], "sent")
    await expect(bubbles(page)).to_have_text(["**** 1111"])


async def test_a_failed_delivery_can_be_said_again(open_page: Open, bridge: FakeBridge) -> None:
    """What the server could not deliver is marked, and one touch says it anew."""
    page = await open_page(KIOSK)
    talk = await begin(page, bridge, "are you there")
    talk.deliver(talk.items[0], "failed")
    await expect(page.locator('[data-state="failed"]')).to_have_text("Not delivered")
    await page.get_by_role("button", name="Try again").click()
    await until(page, lambda: talk.customer_words() == ["are you there"] * 2)


async def test_a_dropped_stream_loses_and_doubles_nothing(open_page: Open, bridge: FakeBridge) -> None:
    """What was said while the line was down is there afterwards, in order, once; also after a refused return."""
    page = await open_page(FORM)
    talk = await begin(page, bridge, "zero")
    talk.open("Amy")
    talk.add("agent", "one")
    bridge.refuse_streams = 2
    talk.drop_streams()
    await until(page, lambda: not talk.streams, "dropped")
    talk.add("agent", "two")
    talk.deliver(talk.items[0], "failed")
    await listening(page, talk)
    talk.add("agent", "three")
    await expect(bubbles(page)).to_have_text(["zero", "one", "two", "three"])
    await expect(page.locator('[data-state="failed"]')).to_have_count(1)
    await expect(page.locator(".line")).to_have_text("Is here to help")


async def test_a_line_that_is_open_and_silent_is_given_up(open_page: Open, bridge: FakeBridge) -> None:
    """A cut cable breaks no line: the page asks for a new one itself, and loses nothing by it; pings keep a line."""
    page = await open_page(FORM)
    await page.clock.install()
    talk = await begin(page, bridge, "zero")
    await listening(page, talk)
    (first,) = talk.streams
    for _ in range(4):
        await page.clock.run_for(20_000)
        talk.ping()
        talk.add("agent", "heard")
        await expect(bubbles(page).last).to_have_text("heard")
    assert talk.streams == {first}
    talk.deaf = True
    talk.add("agent", "lost on the way")
    talk.deaf = False
    await page.clock.run_for(41_000)
    await until(page, lambda: first not in talk.streams or len(talk.streams) > 1, "a new line")
    await expect(bubbles(page).last).to_have_text("lost on the way")


async def test_no_network_is_seen_at_once(open_page: Open, bridge: FakeBridge) -> None:
    """The browser knows before any line breaks."""
    page = await open_page(FORM)
    talk = await begin(page, bridge, "zero")
    talk.open("Amy")
    await expect(page.locator(".line")).to_have_text("Is here to help")
    await page.context.set_offline(True)
    await expect(page.locator(".line")).to_contain_text("Connection lost")
    await page.context.set_offline(False)
    await expect(page.locator(".line")).to_have_text("Is here to help")


async def test_a_busy_start_says_so(open_page: Open, bridge: FakeBridge) -> None:
    """A start that is refused for now says when to come back and keeps what was typed."""
    page = await open_page(FORM)
    bridge.start_faults.append(Fault(429, headers={"Retry-After": "7"}))
    await page.get_by_label("Your name").fill("Ada")
    button = page.get_by_role("button", name="Start the conversation")
    await button.click()
    await expect(page.get_by_role("alert")).to_have_text(
        "We are very busy right now. Please try again in 7 s."
    )
    await expect(page.get_by_label("Your name")).to_have_value("Ada")
    await button.click()
    await expect(page.get_by_role("button", name="End", exact=True)).to_be_visible()


async def test_a_refused_field_is_blamed(open_page: Open, bridge: FakeBridge) -> None:
    """A missing name and a name that the server refuses are said beside the field, which has the focus."""
    page = await open_page(FORM)
    name = page.get_by_label("Your name")
    button = page.get_by_role("button", name="Start the conversation")
    await button.click()
    await expect(name).to_be_focused()
    await expect(name).to_have_accessible_description(
        "Please enter your name. So that we know how to greet you."
    )
    await name.fill("refuse me")
    await button.click()
    await expect(page.locator("#name-error")).to_have_text("This name cannot be used.")
    await expect(name).to_have_attribute("aria-invalid", "true")
    assert bridge.talks == []


async def test_several_topics_are_a_choice(open_page: Open, bridge: FakeBridge) -> None:
    """Topics in the address, separated by commas, become buttons of which one must be chosen."""
    page = await open_page("/kiosk/lobby?topic=returns,orders&lang=es")
    await page.get_by_role("button", name="Empezar").click()
    await page.get_by_label("Tu nombre").fill("Ada")
    await page.get_by_role("button", name="Empezar la conversación").click()
    await expect(page.locator("#topic-error")).to_have_text("Elige una opción, por favor.")
    await page.get_by_label("orders").check()
    await page.get_by_role("button", name="Empezar la conversación").click()
    await until(page, lambda: len(bridge.talks) == 1)
    assert bridge.talk.wish["topic"] == "orders"
    assert bridge.talk.wish["language"] == "es"
    assert await page.evaluate("document.documentElement.lang") == "es"
