"""What others write is text, whatever it looks like."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from bridge import pages

from .conftest import Open
from .fake_api import FakeBridge
from .steps import FORM, KIOSK, begin, bubbles, say, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "</div></article><h1>fake</h1>",
    "javascript:window.hacked=1 &lt;b&gt; {{7*7}} %s \u202egnp.exe",
]
HOSTILE_HTML = (
    "<p>kept <strong>bold</strong><script>window.hacked = 1</script></p>"
    "<img src=x onerror='window.hacked = 1'><svg onload='window.hacked = 1'><a href='javascript:1'>in svg</a></svg>"
    "<a href='javascript:window.hacked=1'>one</a> <a href='data:text/html,x'>two</a> "
    "<a href='https://example.com/ok' onclick='window.hacked=1' style='position:fixed'>three</a>"
    "<iframe src='https://example.com'></iframe><form action='https://example.com'><input name=q></form>"
    "<template><script>window.hacked=1</script></template><style>* { display: none }</style>"
    "<div id='app' class='panel'><ul><li>four</li></ul></div>"
)


@pytest.mark.parametrize("address", [KIOSK, FORM])
async def test_markup_is_shown_as_it_was_written(open_page: Open, bridge: FakeBridge, address: str) -> None:
    """Tags in names, messages, file names and the server's sentences are letters on the screen, nothing more."""
    page = await open_page(address)
    talk = await begin(page, bridge, HOSTILE[0], HOSTILE[1])
    talk.open(HOSTILE[1])
    await expect(page.locator(".agent")).to_have_text(HOSTILE[1])
    for words in HOSTILE[1:]:
        talk.add("agent", words)
    await say(page, HOSTILE[1])
    await expect(bubbles(page)).to_have_count(1 + len(HOSTILE))
    talk.attach("agent", "<b onclick=1>.pdf", "application/pdf", b"x")
    talk.add("system", HOSTILE[2])
    await expect(bubbles(page)).to_have_text([HOSTILE[0], *HOSTILE[1:], HOSTILE[1], HOSTILE[2]])
    await expect(page.locator(".file-name")).to_have_text("<b onclick=1>.pdf")
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("h1").count() == 1
    assert await page.locator(".log :is(img, script, b, h1)").count() == 0


async def test_only_safe_tags_survive(open_page: Open, bridge: FakeBridge) -> None:
    """Even if the server's cleaning failed, html keeps only the small allow-list, and links only to http(s)."""
    # The browser reports what it refused to run or to style while the text was looked through.
    open_page.forgiven += ["Executing inline event handler violates", "Applying inline style violates"]
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    talk.add("agent", "plain", html=HOSTILE_HTML)
    text = bubbles(page).last
    await expect(text.locator("strong")).to_have_text("bold")
    names = await text.evaluate(
        "(text) => [...new Set([...text.querySelectorAll('*')].map((e) => e.tagName))].sort()"
    )
    assert names == ["A", "LI", "P", "STRONG", "UL"]
    links = await text.evaluate(
        """(text) => [...text.querySelectorAll('a')].map(
            (a) => [a.textContent, a.href, a.target, a.rel, a.attributes.length])"""
    )
    assert links == [["three", "https://example.com/ok", "_blank", "noopener noreferrer nofollow", 3]]
    assert (
        await text.evaluate("(text) => text.querySelectorAll('[id], [class], [style], [onclick]').length")
        == 0
    )
    assert await page.evaluate("window.hacked") is None


async def test_the_kiosk_follows_no_link(open_page: Open, bridge: FakeBridge) -> None:
    """A shared screen names an address instead of linking to it."""
    page = await open_page(KIOSK)
    talk = await begin(page, bridge)
    talk.add(
        "agent",
        "x",
        html="<p>see <a href='https://example.com/a'>here</a> or <a href='https://b.example/'>b.example</a></p>",
    )
    await expect(bubbles(page).last).to_have_text("see here (https://example.com/a) or b.example")
    assert await page.locator("a").count() == 0


async def test_addresses_in_words_become_links(open_page: Open, bridge: FakeBridge) -> None:
    """In the form http(s) addresses are linked without the sentence's own punctuation; other schemes are not."""
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    words = (
        "See https://example.com/a?b=1&c=2, (http://x.example/y). Not ftp://x.example or javascript:alert(1)"
    )
    talk.add("agent", words)
    text = bubbles(page).last
    await expect(text).to_have_text(words)
    links = await text.evaluate(
        "(text) => [...text.querySelectorAll('a')].map((a) => [a.textContent, a.rel])"
    )
    assert [link[0] for link in links] == ["https://example.com/a?b=1&c=2", "http://x.example/y"]
    assert {link[1] for link in links} == {"noopener noreferrer nofollow"}


async def test_the_key_is_not_lured_away(open_page: Open, bridge: FakeBridge) -> None:
    """A file's address of another origin is not asked at all."""
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    file = {"name": "x.png", "type": "image/png", "size": 10, "url": "http://127.0.0.1:9/x.png"}
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    talk.add("agent", "look", files=[file])
    await expect(page.get_by_text("This file could not be loaded.")).to_be_visible()
    assert not [url for url in asked if ":9/" in url]


async def test_a_false_picture_is_a_file(open_page: Open, bridge: FakeBridge) -> None:
    """Bytes that only call themselves a picture are offered like any other file."""
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    talk.attach("agent", "x.png", "image/png", b"<script>window.hacked = 1</script>")
    await expect(page.get_by_role("button", name="Download x.png")).to_be_visible()
    assert await page.locator(".log img").count() == 0


async def test_half_characters_and_nul_are_not_sent(open_page: Open, bridge: FakeBridge) -> None:
    """What the server would refuse to store is mended before it goes."""
    page = await open_page(FORM)
    talk = await begin(page, bridge)
    await page.get_by_label("Write a message").evaluate("(field) => (field.value = 'a\\0b \\ud83d c')")
    await page.get_by_role("button", name="Send", exact=True).click()
    await until(page, lambda: talk.customer_words()[-1] == "ab \ufffd c")


async def test_the_policy_forbids_inline_code(open_page: Open, bridge: FakeBridge) -> None:
    """The pages live under a policy without inline code or styles, other origins or frames of strangers."""
    headers = pages.page_headers(["https://shop.example.com"])
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'self' https://shop.example.com" in policy
    assert headers["Cache-Control"] == "no-store"
    page = await open_page("/form/shop")
    await page.evaluate(
        "document.body.append(Object.assign(document.createElement('div'), {innerHTML: '<i>x</i>'}))"
    )
    for name in pages.PAGES:
        body = pages.page_body(name).decode()
        assert "style=" not in body
        assert "<script>" not in body


def no_static_file() -> list[str]:
    return [
        "",
        ".",
        "..",
        "../__init__.py",
        "/etc/passwd",
        "kiosk.html",
        "a\0b",
        "kiosk.js/",
        "KIOSK.JS",
        "x" * 5000,
    ]


@pytest.mark.parametrize("name", no_static_file())
async def test_only_the_pages_own_files_are_served(name: str) -> None:
    """Whatever name a stranger asks for, nothing but the files of one folder is answered."""
    assert pages.static_file(name) is None


async def test_the_demo_escapes_its_addresses() -> None:
    """The two addresses of the demo page cannot leave their attributes."""
    body = pages.demo_body('/kiosk/x"><script>1</script>', "/agent").decode()
    assert "<script>1" not in body
    assert 'data-agent="/agent"' in body
