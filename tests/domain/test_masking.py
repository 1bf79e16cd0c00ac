"""What must not leave for Webex."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.bot.card import context_facts
from bridge.domain.conversation.masking import mask, masked, masked_words
from bridge.domain.conversation.model import Said, SourceRules
from bridge.domain.conversation.steps import sends_for
from tests.domain.decisions import conversation

CARDS = (
    ("4111", "1111", "1111", "1111"), ("5500", "0000", "0000", "0004"), ("3782", "822463", "10005"),
    ("6011", "0009", "9013", "9424"), ("3566", "0020", "2036", "0505"), ("3056", "930902", "5904"),
    ("6304", "0000", "0000", "0000"),
)  # fmt: skip
BLANKS = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2009", "\u202f", "\u200b"]
BETWEEN = st.one_of(
    st.sampled_from(["", "-", ".", "/", " / ", "\u2013", "_", ", ", *BLANKS]),
    st.text(st.sampled_from(" .-/\u00a0\u2009\n\u2014"), min_size=1, max_size=3),
)
AROUND = st.lists(
    st.sampled_from(["12", "12/27", "123", "5512", "my card", "exp.", "2026-11-22", "and"]), max_size=3
)


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


@given(st.sampled_from(CARDS), BETWEEN, AROUND, AROUND)
def test_a_card_is_found_among_other_numbers_however_it_is_parted(card, between, before, after):
    """Dots, slashes, blanks of all kinds, lines; a date, a code or an order before and behind it."""
    text = " ".join([*before, between.join(card), *after])
    shown = "".join(char for char in mask(text, ["card-number"]) if char.isdecimal())
    digits = "".join(card)
    assert digits[:-4] not in shown
    assert digits[:8] not in shown
    assert digits[4:12] not in shown


@given(st.sampled_from(CARDS), st.text(st.characters(categories=["Nd"]), max_size=4))
def test_a_card_is_found_inside_a_longer_number(card, more):
    """Written in one with what stands behind it: only those that most cards begin like."""
    digits = "".join(card)
    if digits.startswith(("4", "55", "37", "6011")):
        assert digits not in mask(digits + more, ["card-number"])


@given(st.lists(st.tuples(st.integers(10_000, 99_999_999), st.sampled_from([" and ", ": order ", "; x"]))))
def test_order_numbers_stay(orders):
    """Five to eight digits with a word between them are no card."""
    text = "".join(f"{number}{word}" for number, word in orders)
    assert mask(text, ["card-number"]) == text


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111 12/27 123",
        "12 4111 1111 1111 1111",
        "4111.1111.1111.1111",
        "4111/1111/1111/1111",
        "4111  1111  1111  1111",
        "4111\u00a01111\u20091111\n1111",
        "4111 1111 1111 1111123",
        "1227" + "4111 1111 1111 1111",
        "4111        1111        1111        1111",
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
    ],
)
def test_what_passed_unmasked(text):
    """Each was seen to leave as it is."""
    assert "1111 1111" not in mask(text, ["card-number"])
    assert "•••• 1111" in mask(text, ["card-number"])


def test_a_card_is_hidden_before_a_telephone_number_is():
    """Whatever the order in which they are asked for: half a card is no telephone number."""
    text = "4111  1111  1111 1111"
    assert mask(text, ["phone", "card-number"]) == mask(text, ["card-number", "phone"]) == "•••• 1111"


@pytest.mark.parametrize(
    "text",
    ["4" * 65_536, "4 " * 32_768, "41111111 " * 7_281, "1111 " * 13_107, "4" + "\n" * 6, "1-" * 32_768],
)
def test_digits_of_64_kib_are_masked_in_one_go(text):
    """Linear in the length, whatever the digits are."""
    mask(text, ["card-number", "email", "phone"])


CARD, KINDS = "4111 1111 1111 1111", ("card-number",)


def test_the_name_of_a_file_is_masked():
    """Of a customer's file, and of one that is repeated by the bot; the file stays what it is."""
    said = Said(
        1, "m1", "customer", CARD, 0, files=({"id": "f", "name": f"card {CARD}.png", "type": "image/png"},)
    )
    text, file = sends_for(said, SourceRules(mask=KINDS))
    assert text.text == "•••• 1111"
    assert file.file == {"id": "f", "name": "card •••• 1111.png", "type": "image/png"}
    (shown,) = masked_words([said], KINDS)
    assert (shown.text, shown.files[0]["name"]) == ("•••• 1111", "card •••• 1111.png")


def test_what_is_known_of_a_customer_is_masked():
    """Name, store, topic and context, keys and values, also in parts that would be cut in the middle."""
    known = conversation(display_name=f"Ada {CARD}", store=CARD, topic=f"card {CARD}", language="en")
    shown = masked(known, KINDS)
    assert (shown.display_name, shown.store, shown.topic) == ("Ada •••• 1111", "•••• 1111", "card •••• 1111")
    assert known.store == CARD
    context = json.dumps(
        {CARD: "x", "number": 4111111111111111, "list": [4111, 1111, 1111, 1111], "cut": "x" * 185 + CARD}
    )
    facts = context_facts(
        team="t", source="s", store=None, topic=None, language=None, context=context,
        hide=lambda text: mask(text, KINDS),
    )  # fmt: skip
    assert "1111" in str(facts)
    assert not any(part in str(facts) for part in ("4111", "1111 1111", "1111, 1111", "11111"))
