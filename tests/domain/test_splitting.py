"""Long texts in parts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.conversation.splitting import MOST_BYTES, split_text


def test_a_text_that_fits_stays_whole():
    """A text below the limit is one part, exactly as it was."""
    assert split_text("hello  there\n") == ["hello  there\n"]


def test_parts_are_below_the_limit_and_break_between_words():
    """Every part is below 7439 UTF-8 bytes, and no word is cut that need not be."""
    words = ["größe"] * 4000
    parts = split_text(" ".join(words))
    assert all(len(part.encode()) < MOST_BYTES for part in parts)
    assert " ".join(parts).split() == words


def test_the_limit_itself_is_too_much():
    """7438 bytes are one part, 7439 are two."""
    assert len(split_text("a" * 7438)) == 1
    assert len(split_text("a" * 7439)) == 2


def test_a_word_longer_than_the_limit_is_cut_between_characters():
    """Without white space the text is cut, but never inside a character."""
    text = "🙂" * 5000
    parts = split_text(text)
    assert "".join(parts) == text
    assert all(len(part.encode()) < MOST_BYTES for part in parts)


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from("ab \n\té🙂"), max_size=400), st.integers(8, 40))
def test_nothing_but_white_space_at_the_cuts_is_lost(text, most):
    """Joined without white space, the parts are the text without white space."""
    parts = split_text(text, most)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(len(part.encode()) < most for part in parts) or len(parts) == 1
