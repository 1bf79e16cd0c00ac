"""What must not leave for Webex."""

import pytest

from bridge.domain.masking import mask


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "my card: 378282246310005."],
)
def test_card_numbers_are_masked(text):
    """A number that passes the Luhn check loses all but its last four digits."""
    masked = mask(text, ["card-number"])
    assert "•••• " in masked
    assert sum(char.isdigit() for char in masked) == 4


@pytest.mark.parametrize(
    "text", ["order 1234567890123456", "5512", "2026-11-22 10:15", "4111 1111 1111 1112"]
)
def test_other_numbers_stay(text):
    """An order number, a date and a mistyped card are not card numbers."""
    assert mask(text, ["card-number"]) == text


def test_e_mail_addresses_and_telephones_are_masked_only_when_asked():
    """Each kind is masked by its own name."""
    text = "write to ada@example.com or call +1 (312) 555-0199"
    assert mask(text, []) == text
    assert "ada@" not in mask(text, ["email"])
    assert "555" in mask(text, ["email"])
    assert "555" not in mask(text, ["phone"])
    assert "ada@example.com" in mask(text, ["phone"])


def test_masking_a_hostile_text_is_quick():
    """Sixty thousand digits and at-signs do not make the patterns wander."""
    for text in ("1 " * 30_000, "a@" * 30_000, "+1" * 30_000, "(1)" * 20_000):
        mask(text, ["card-number", "email", "phone"])
