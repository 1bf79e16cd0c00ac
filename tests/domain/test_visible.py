"""What can be seen of a text, and where it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.conversation.splitting import MOST_BYTES, split_text
from bridge.domain.visible import cut_before, is_visible

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1ea\U0001f1f8"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u200b",
        "\u200b\u200d\ufeff",
        "\u2060\n\t",
        "\u3164",
        "\u2800\u2800",
        "\u202e",
        "\u0301",
        "\ufe0f",
        "\U000e0100",
        "\ufff0\uffff",
    ],
)
def test_nothing_to_see(text: str) -> None:
    """White space, format characters, letters that are drawn as nothing."""
    assert not is_visible(text)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        ".",
        "\u200ba",
        "\u0639",
        FAMILY,
        "0\ufe0f\u20e3",
        "\u093f\u0915",
        "\U0001fa77",  # a pink heart of 2022, which the Unicode of Python 3.11 does not know
        "\U0001fae9",
        "\uf8ff",
    ],
)
def test_something_to_see(text: str) -> None:
    """Any letter, sign or picture."""
    assert is_visible(text)


@pytest.mark.parametrize("one", [FAMILY, FLAG, "e\u0301", "\U0001f44d\U0001f3fd", "\r\n", "\u0915\u093f"])
def test_what_is_read_as_one_stays_whole(one: str) -> None:
    """Wherever in it a cut would fall, it falls before it."""
    text = "ab" + one + one
    for most in range(3, 2 + len(one)):
        assert cut_before(text, most) == 2
    assert cut_before(text, 2 + len(one)) == 2 + len(one)


def test_a_family_at_the_limit_of_a_message_is_not_torn() -> None:
    """7439 bytes of emoji without a blank are parted between two of them."""
    parts = split_text("a" + FAMILY * 600)
    assert len(parts) > 1
    assert all(len(part.encode()) < MOST_BYTES for part in parts)
    assert all(part.removeprefix("a").replace(FAMILY, "") == "" for part in parts)


@given(st.text(max_size=60), st.integers(1, 60))
def test_a_cut_is_always_made(text: str, most: int) -> None:
    """However odd the text: somewhere after its beginning, not behind the limit."""
    assert 0 < cut_before(text, most) <= most


def test_a_pile_of_accents_is_cut_all_the_same() -> None:
    """A cluster that is longer than a message."""
    parts = split_text("e" + "\u0301" * 9000)
    assert all(len(part.encode()) < MOST_BYTES for part in parts)
    assert "".join(parts) == "e" + "\u0301" * 9000
