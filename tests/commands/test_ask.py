"""bridge ask, as leads use it to try their answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import SMALLEST

LINE = """\
first_line:
  desk:
    answers:
      hours: {when: {en: [when are you open, opening hours, closing time]}, text: {en: "We are open {hours}."}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "bridge.yaml"
    file.write_text(SMALLEST + LINE, encoding="utf-8")
    return file


def test_ask_says_what_how_sure_and_why(bridge, shop: Path) -> None:
    """The answer, how sure, the reason; 0 for an answer."""
    ran = bridge("ask", "--config", shop, "--line", "desk", "when do you close")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("hours (en), ")
    assert "We are open {hours}." in ran.out
    assert "closing time" in ran.out


def test_ask_exits_1_for_nothing(bridge, shop: Path) -> None:
    """What nothing answers is 1, in JSON too, with the line taken where there is one."""
    ran = bridge("ask", "--config", shop, "--json", "do you repair bicycles")
    assert ran.code == 1
    answer = json.loads(ran.out)
    assert answer["answer"] is None
    assert answer["why"]


def test_ask_says_where_a_person_is_asked_for(bridge, shop: Path) -> None:
    """Words that ask for a person are no question for the answers."""
    ran = bridge("ask", "--config", shop, "I want to talk to a person")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("a person\n")


@pytest.mark.parametrize(("line", "said"), [("dsek", "did you mean desk"), ("", "no first line")])
def test_ask_refuses_an_unknown_line(bridge, shop: Path, line: str, said: str) -> None:
    """2 and the nearest name."""
    ran = bridge("ask", "--config", shop, "--line", line, "hours")
    assert ran.code == 2
    assert said in ran.err
