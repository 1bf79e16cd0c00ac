"""`first_line` in the configuration: what is taken, and what is wrong with file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.first_lines import answers_of
from config.load import Loaded
from config.problems import ConfigError, Problem
from tests.config.conftest import MINIMAL

WHOLE = """\
first_line:
  desk:
    greeting: {en: "Hello! What is it about?"}
    menu:
      - {label: {en: Return something}, topic: returns}
      - {label: {en: Opening hours}, answer: hours}
      - {label: {en: Talk to a person}, person: true}
    ask: {returns: [{id: order, question: {en: "Which order number?"}, pattern: "[0-9]{4,8}"}]}
    answers:
      hours: {when: {en: ["when are you open", "opening hours"]}, text: {en: "We are open {hours}."}}
    files: [faq.md]
"""
FAQ = "# Questions\n\n## Do you repair bicycles?\n\nYes, in the yard.\n\n```\n# no heading\n```\n"
HOURS = 'hours: {when: {en: ["when are you open", "opening hours"]}, text: {en: "We are open {hours}."}}'
DESK = "first_line.desk"


@pytest.fixture(autouse=True)
def faq(tmp_path: Path) -> Path:
    file = tmp_path / "faq.md"
    file.write_text(FAQ, encoding="utf-8")
    return file


def test_the_contracts_example_is_taken(read: Callable[..., Loaded], tmp_path: Path) -> None:
    """Answers come from the configuration and from Markdown; a source that names it is warned of, for now."""
    loaded = read(MINIMAL + WHOLE, ("  kiosk:\n", "  kiosk:\n    first_line: desk\n"))
    found = answers_of(loaded.config.first_line["desk"], tmp_path)
    assert [(one.key, one.language) for one in found] == [("hours", "en"), ("faq.md:3", "en")]
    assert found[1].phrases == ("Do you repair bicycles?",)
    assert found[1].text.startswith("Yes, in the yard.")
    assert [one.where for one in loaded.warnings] == ["sources.kiosk.first_line"]


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        (("answer: hours", "answer: horus"), f"{DESK}.menu[1].answer", "no answer named"),
        (("person: true", "person: true, answer: hours"), f"{DESK}.menu[2]", "does one thing"),
        (('"[0-9]{4,8}"', '"["'), f"{DESK}.ask.returns[0].pattern", "no regular expression"),
        (("[faq.md]", "[nofaq.md]"), f"{DESK}.files[0]", "not there"),
        (("[faq.md]", "[faq.txt]"), f"{DESK}.files[0]", "not a Markdown file"),
        ((HOURS, HOURS + '\n      b: {text: {en: "x"}}'), f"{DESK}.answers.b", "no phrase and no button"),
        (
            (HOURS, HOURS + '\n      b: {when: {en: [Opening hours]}, text: {en: "x"}}'),
            f"{DESK}.answers.b.when.en[0]",
            "already asks for hours",
        ),
        (('"opening hours"]', '"the"]'), f"{DESK}.answers.hours.when.en[1]", "no word that tells"),
        (('hours"]}', 'hours"], es: [horario]}'), f"{DESK}.answers.hours.text", "asked for in es"),
        (("files:", "file:"), f"{DESK}.file", ""),
    ],
)
def test_a_mistake_is_told_with_its_place(
    read: Callable[..., Loaded], change: tuple[str, str], where: str, said: str
) -> None:
    """Each mistake names its place and line."""
    with pytest.raises(ConfigError) as caught:
        read(MINIMAL + WHOLE, change)
    assert [one.where for one in caught.value.problems] == [where]
    assert said in caught.value.problems[0].message
    assert caught.value.problems[0].line


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("# A bicycle?\n\n# Repairs?\nYes.\n", 1, "nothing stands under"),
        ("# Repairs?\nYes.\n\n#\nNo.\n", 4, "empty"),
        ("# Repairs?\nYes.\n\n## repairs\nNo.\n", 4, "already asks for faq.md:1"),
        ("# Repairs?\nYes.\n\n# Opening hours\nNo.\n", 4, "already asks for hours"),
        ("# The\nYes.\n", 1, "no word that tells"),
    ],
)
def test_a_mistake_in_markdown_has_its_own_line(
    read: Callable[..., Loaded], faq: Path, content: str, line: int, said: str
) -> None:
    """The file that is named is the Markdown file, and the line is its heading's."""
    faq.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read(MINIMAL + WHOLE)
    problem: Problem = caught.value.problems[0]
    assert len(caught.value.problems) == 1
    assert (problem.file, problem.line) == (str(faq), line)
    assert said in problem.message


def test_an_unknown_line_and_a_private_answerer_are_errors(
    faults: Callable[..., dict[str, Problem]],
) -> None:
    """A source names a line there is; an answerer is held to the rules of callbacks."""
    found = faults(
        MINIMAL + WHOLE + '    answerer: {url: "https://127.0.0.1/x", secret: env:KIOSK_SECRET}\n',
        ("  kiosk:\n", "  kiosk:\n    first_line: dsek\n"),
    )
    assert set(found) == {"sources.kiosk.first_line", f"{DESK}.answerer.url"}
    assert "desk" in found["sources.kiosk.first_line"].remedy
