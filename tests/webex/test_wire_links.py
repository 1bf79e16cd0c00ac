from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bridge.webex.wire_links import file_name, next_link, same_origin

BASE = URL("https://webex.test/v1/messages")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["<https://webex.test/v1/messages?max=10&before&after=x>; rel=\"next\""],
        "https://webex.test/v1/messages?max=10&before&after=x"),
        (["<https://a.test/1>; rel=\"first\", <https://webex.test/v1/x?max=null&cursor=2>; rel=next"],
        "https://webex.test/v1/x?cursor=2"),
        (["<https://a.test/1>; rel=prev", "</v1/y?max=null>; title=\"t\"; REL=\"next\""],
        "https://webex.test/v1/y"),
        (["<https://webex.test/v1/z?q=%2Fa%20b>;rel=\"last next\""], "https://webex.test/v1/z?q=%2Fa%20b"),
        (["<https://a.test/1>; rel=\"previous\""], None), ([], None), (["rubbish"], None),
        (["<http://[>; rel=next"], None),
    ],
)  # fmt: skip
def test_the_next_page_is_found(values: list[str], found: str | None) -> None:
    """Several links and several headers, quoted or not; a stray max=null is taken out."""
    url = next_link(values, BASE)
    assert (str(url) if url else None) == found


@pytest.mark.parametrize(
    "url",
    [
        "http://webex.test/v1", "https://webex.test:8443/v1", "https://webex.test.evil.test/v1",
        "https://evil.test",
        "https://user@webex.test/v1", "https://:pw@webex.test/v1", "//evil.test/x", "/v1/x",
    ],
)  # fmt: skip
def test_another_origin_gets_no_token(url: str) -> None:
    """Scheme, host and port must be Webex's own, with no user in front."""
    assert not same_origin(URL(url), BASE)


def test_the_default_port_is_the_same_origin() -> None:
    """Writing :443 out changes nothing."""
    assert same_origin(URL("https://WEBEX.test:443/v1/contents/1"), BASE)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (None, "file"), ("", "file"), ("attachment", "file"), ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename=a.pdf", "a.pdf"), ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\dir\\\\x.exe"', "x.exe"),
        ('attachment; filename="a\\"b.txt"', "ab.txt"),
        ("attachment; filename=\"x.txt\"; filename*=UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
        ("attachment; filename*=iso-8859-1'en'%A3.txt", "£.txt"),
        ("attachment; filename*=UTF-8''..%2F..%2Fx", "x"),
        ('attachment; filename="a\x00b\x1b.txt"', "ab.txt"),
        ('attachment; filename="gpj\u202etxt.exe"', "gpjtxt.exe"),
        ('attachment; filename=".."', "file"), ("attachment; filename*=UTF-8''%ff%fe", "��"),
    ],
)  # fmt: skip
def test_a_file_name_is_safe(header: str | None, name: str) -> None:
    """No path, no control or direction-changing character, and always some name."""
    assert file_name(header) == name


def test_a_long_file_name_keeps_its_ending() -> None:
    """At most 200 characters, the ending among them."""
    name = file_name(f'attachment; filename="{"x" * 500}.pdf"')
    assert len(name) <= 200
    assert name.endswith(".pdf")


@given(st.text(max_size=80))
def test_no_header_breaks_the_name(text: str) -> None:
    """Junk gives a name without a slash, a quote or a line break."""
    name = file_name("attachment; filename*=" + text)
    assert name
    assert not set(name) & set('/\\"\r\n\x00')
    assert len(name) <= 200
    next_link([text], BASE)
