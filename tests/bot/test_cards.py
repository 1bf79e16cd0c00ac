"""The context card: valid against schema 1.3, small enough, and safe whatever the customer's side sends."""

from __future__ import annotations

import json

import jsonschema
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bridge.bot.cards import CONTENT_TYPE, attachment
from bridge.domain.bot.card import Context, choices, context_facts, escaped, plain_text
from bridge.domain.bot.words import one_line
from bridge.domain.duty.roster import Agent, Roster
from tests.bot.adaptive import CARD

MOST_BYTES = 22 * 1024
ROSTER = Roster({key: Agent(key, f"{key}@example.com", key.title()) for key in ("amy", "bo", "cy")}, {}, ())


def card(**changes: object) -> Context:
    values = {
        "conversation_id": "0123456789abcdefa1b2c3", "title": "Ada L. (A1B2C3)", "lead": "New customer, did not wait",
        "facts": (("Store", "S12"), ("order", "5512")), "choices": (("Bo Diaz", "bo"),),
    }  # fmt: skip
    return Context(**{**values, **changes})  # type: ignore[arg-type]


def test_card_is_valid() -> None:
    """With and without buttons, facts, and somebody to hand over to."""
    for one in (
        card(),
        card(facts=()),
        card(choices=()),
        card(handed="From Bo: handed over", last=("Ada: hi",)),
    ):
        for buttons in (True, False):
            made = attachment(one, buttons)
            assert made["contentType"] == CONTENT_TYPE
            jsonschema.validate(made["content"], CARD)


def test_buttons_are_there_only_where_they_are_heard() -> None:
    """Without webhooks a press would reach nobody, so there is none; without anybody on duty there is no Transfer."""
    titles = [one["title"] for one in attachment(card(), True)["content"]["actions"]]
    assert titles == ["Done", "Transfer", "Not me", "Away"]
    alone = attachment(card(choices=()), True)["content"]
    assert [one["title"] for one in alone["actions"]] == ["Done", "Not me", "Away"]
    silent = attachment(card(), False)["content"]
    assert "actions" not in silent
    assert "Input.ChoiceSet" not in json.dumps(silent)
    assert "transfer A1B2C3" in plain_text(card(), False)


def test_only_transfer_reads_the_choice() -> None:
    """Done, Not me and Away must work with nothing chosen."""
    actions = attachment(card(), True)["content"]["actions"]
    assert [one["associatedInputs"] for one in actions] == ["none", "auto", "none", "none"]


def test_choices_are_people_and_teams_on_duty_without_the_reader() -> None:
    """Nobody is offered themselves, nor a team in which nobody else is."""
    found = choices(ROSTER, {"front": ("amy", "bo"), "own": ("amy",), "none": ()}, "amy")
    assert found == (("Bo", "bo"), ("Team front", "front"))


def rendered(text: str) -> str:
    return MarkdownIt("commonmark").renderInline(text)


def test_markdown_in_a_context_is_shown_as_it_is() -> None:
    """No link, no emphasis and no date function comes out of what a customer's side sends."""
    for hostile in (
        "[click](http://evil.example)",
        "**bold** _it_ `code`",
        "<http://evil.example>",
        "![i](x)",
        "a\\*b*c*",
    ):
        html = rendered(escaped(hostile))
        assert "<a" not in html
        assert "<em" not in html
        assert "<strong" not in html
        assert "<code" not in html
        assert "<img" not in html
    assert "{{" not in escaped("{{DATE(2020-01-01T00:00:00Z)}}")
    assert not escaped("- a list").startswith("- ")


@given(
    st.dictionaries(
        st.text(max_size=50), st.one_of(st.text(max_size=500), st.integers(), st.none(), st.lists(st.text()))
    ),
    st.text(min_size=1, max_size=300),
)
def test_no_context_breaks_a_card(context: dict[str, object], name: str) -> None:
    """Any JSON, any characters: the card stays valid and below what Webex takes."""
    facts = context_facts(
        team="t",
        source="s",
        store=name,
        topic=name,
        language=None,
        context=json.dumps(context, ensure_ascii=False),
    )
    made = attachment(card(facts=facts, title=f"{one_line(name, 80)} (A1B2C3)"), True)
    jsonschema.validate(made["content"], CARD)
    assert len(json.dumps(made)) < MOST_BYTES
    assert len(plain_text(card(facts=facts), True).encode()) < 7439


def test_largest_context_fits() -> None:
    """64 KiB of wide characters and a full roster still make a card that Webex takes."""
    wide = json.dumps({f"{n}" * 40: "\U0001f600" * 2000 for n in range(8)}, ensure_ascii=False)
    facts = context_facts(team="t", source="s", store="*" * 200, topic="x", language="en", context=wide)
    crowd = tuple(("*" * 60, f"agent-{n:060}") for n in range(50))
    last = tuple("\u4e2d" * 200 for _ in range(4))
    made = attachment(card(facts=facts, choices=crowd, last=last, handed="x" * 200), True)
    assert len(json.dumps(made, ensure_ascii=False).encode()) < MOST_BYTES


def test_context_that_is_no_object_is_shown() -> None:
    """What is not JSON, or not an object, is a fact of its own."""
    assert ("context", "just text") in context_facts(
        team=None, source="s", store=None, topic=None, language=None, context="just text"
    )
    assert ("context", "[1, 2]") in context_facts(
        team=None, source="s", store=None, topic=None, language=None, context="[1,2]"
    )
