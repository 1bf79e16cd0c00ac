from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import Loaded
from config.model_messages import PLACEHOLDERS, Messages
from config.texts import TextKey, Texts, shipped
from tests.checkout import texts as sources
from tests.config.conftest import MINIMAL

KEYS = get_args(TextKey)


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_the_set_of_texts_is_closed_and_complete_in_every_language() -> None:
    """Every key has a meaning, its placeholders, and a text in each language that ships."""
    assert set(KEYS) == set(PLACEHOLDERS) == set(Messages.model_fields)
    assert set(shipped()) == {"en", "es", "de", "fr", "ar"}
    for texts in shipped().values():
        assert set(texts.model_dump(exclude_none=True)) == set(KEYS)
    assert {"queued", "closed", "ended"} <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_every_text_is_said_somewhere(key: str) -> None:
    """A decision names it."""
    decisions = [text for name, text in sources(".py").items() if name.startswith("bridge/domain/")]
    assert any(f'"{key}"' in text for text in decisions)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("language", ["en", "es", "de", "fr", "ar"])
def test_every_text_shows_what_it_is_given_and_reads_well_without(key: TextKey, language: str) -> None:
    """A sentence whose value is not known is left out; no brace reaches a customer."""
    values = {name: f"<{name}>" for name in PLACEHOLDERS[key]}
    assert "{" not in Texts().get(key, language, **values)
    bare = Texts().get(key, language)
    assert bare
    assert "{" not in bare


def test_the_language_falls_back_to_its_base_and_then_to_english() -> None:
    """es-MX reads Spanish, and who writes a language without texts reads English."""
    texts = Texts()
    spanish, english = texts.get("ended", "es"), texts.get("ended", "en")
    assert spanish != english
    assert {texts.get("ended", language) for language in ("es-MX", "ES", "es_mx", " es ")} == {spanish}
    assert {texts.get("ended", language) for language in ("tlh", "", None, "-", "x" * 999)} == {english}


def test_a_value_may_be_told_in_the_language_of_its_text() -> None:
    """Where a language has no text, its times are not told in it either."""
    texts = Texts({"it": Messages(closed="Riapriamo {opens_at}.")})
    for language, told in (
        ("it-CH", "Riapriamo <it>."),
        ("sv", "We open again <en>."),
        ("de", "wieder <de>."),
    ):
        assert told in texts.get("closed", language, opens_at=lambda written: f"<{written}>")


def test_the_configuration_s_texts_win_where_they_say_something() -> None:
    """What is left out keeps the shipped text; a regional text is preferred to its base."""
    texts = Texts(
        {
            "en": Messages(closed="We open again {opens_at}."),
            "es-MX": Messages(ended="¡Órale!"),
            "sv": Messages(ended="Slut."),
        }
    )
    assert texts.get("closed", "en", opens_at="Monday 09:00") == "We open again Monday 09:00."
    assert texts.get("ended", "es-MX") == "¡Órale!"
    assert texts.get("ended", "es") == Texts().get("ended", "es")
    assert texts.get("ended", "sv-FI") == "Slut."
    assert texts.get("closed", "sv", opens_at="måndag") == "We open again måndag."


def test_a_text_of_nothing_but_an_unknown_value_gives_way_to_the_shipped_one() -> None:
    """A team that never opens has no opens_at."""
    texts = Texts({"en": Messages(closed="We open again {opens_at}.")})
    assert texts.get("closed", "en", opens_at=None) == texts.get("closed", "en")
    assert texts.get("closed", "en").startswith("We are closed")


def test_values_are_put_in_once_and_as_they_are() -> None:
    """A customer-made name cannot pull other values in, and a value without a text is left out."""
    texts = Texts({"en": Messages(moved="Hello. {agent} of {team}.")})
    assert texts.get("moved", "en", agent="{team}", team="T") == "Hello. {team} of T."
    assert texts.get("moved", "en", agent=Unprintable(), team="T") == "Hello."
    assert texts.get("queued", "en", position=3).count("3") == 1


@given(st.sampled_from(KEYS), st.one_of(st.none(), st.text()), st.dictionaries(st.text(), st.text()))
def test_odd_values_and_languages_never_raise(
    key: TextKey, language: str | None, values: dict[str, str]
) -> None:
    """There is always something to say."""
    values = {name: value for name, value in values.items() if name not in ("self", "key", "language")}
    assert Texts().get(key, language, **values)


def test_a_text_that_is_never_said_any_more_is_warned_of_and_loads(read: Callable[..., Loaded]) -> None:
    """A file that names one stays valid, and whoever wrote it hears that nothing comes of it."""
    own = (
        'messages: {en: {opened: "{agent} is here.", file_too_large: "{file} > {max_mb} MB.", ended: Bye.}}\n'
    )
    loaded = read(MINIMAL + own)
    assert {(item.where, item.severity) for item in loaded.warnings} == {
        ("messages.en.opened", "warning"),
        ("messages.en.file_too_large", "warning"),
    }
    assert all("never said" in item.message for item in loaded.warnings)
    assert loaded.config.messages["en"].ended == "Bye."
