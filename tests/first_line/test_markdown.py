"""Which lines of a Markdown file are headings, and what they ask."""

from __future__ import annotations

import pytest

from bridge.domain.first_line.markdown import sections


@pytest.mark.parametrize(
    ("line", "question"),
    [
        ("# Repairs?", "Repairs?"),
        ("### Repairs? ###", "Repairs?"),
        ("   ## C#", "C#"),
        ("#", ""),
        ("# #", ""),
        ("#hashtag", None),
        ("####### seven", None),
        ("    # code", None),
    ],
)
def test_what_is_a_heading(line: str, question: str | None) -> None:
    """As CommonMark has it: one to six '#', then a blank; a closing row of '#' is no part of the words."""
    assert [one.question for one in sections(line)] == ([] if question is None else [question])


def test_a_file_of_nothing_but_blanks_and_marks_is_read_in_one_pass() -> None:
    """A long line costs its length: a million characters in one heading are read at once."""
    found = sections("# x" + " " * 500_000 + "y" + " #" * 250_000 + "y")
    assert found[0].question.endswith("#y")
