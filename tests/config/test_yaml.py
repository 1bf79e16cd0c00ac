from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.load import Loaded, load
from config.problems import ConfigError, Problem
from tests.config.conftest import ENVIRON, MINIMAL

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)


def refusal(folder: Path, content: bytes) -> list[Problem]:
    file = folder / "bridge.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, ENVIRON)
    assert caught.value.problems
    return caught.value.problems


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"agents:\n\tamy: x\n", 2, "a tab is used"),
        (b"a: 1\n---\nb: 2\n", 2, "several documents"),
        (b"- a\n- b\n", 1, "must consist of sections"),
        (b"hello", 1, "must consist of sections"),
        (b"agents: [a\n", 2, "began in line 1"),
        (b"agents: a: b\n", 1, "colon"),
        (b"routes:\n  - when: {store: *}\n", 2, "YAML"),
        (b"routes: *all\n", 1, "alias"),
        (b"agents: @x\n", 1, "YAML"),
        (b"agents:\n  amy: \x00\n", 2, "does not allow"),
        (b"agents:\n  amy: \xff\n", 2, "UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00\xff\xfe", 1, "UTF-8"),
        ("agents: x".encode("utf-16"), 1, "UTF-8"),
        (b"#" * (1024 * 1024 + 1), 1, "larger than 1 MiB"),
        (b"[" * 3000, 1, "nested too deeply"),
        (b"agents: !!python/object:os.system x\n", 1, "no meaning"),
        (b"agents: !secret {a: b}\n", 1, "no meaning"),
        (b"? [a]\n: b\n", 1, "plain text"),
        (b"a: " + b"{a: " * 30 + b"1" + b"}" * 30, 1, "nested too deeply"),
        (b"agents: {<<: 1}\n", 1, "takes over a mapping"),
        (b'agents: "\\ud800"\n', 1, "no text may hold"),
        (b'agents: {amy: {name: "a\\0b"}}\n', 1, "no text may hold"),
        (BOMB.encode(), 1, "too many values"),
        (b"agents: &a {x: *a}\n", 1, "contains itself"),
        (b"agents: &a {<<: *a}\n", 1, "contains itself"),
        (b"%YAML 9.9\n---\na: 1", 1, "YAML"),
    ],
)
def test_a_file_that_is_hardly_yaml_is_refused_in_plain_words(
    tmp_path: Path, content: bytes, line: int, said: str
) -> None:
    """The line is named and nothing but ConfigError comes out."""
    problems = refusal(tmp_path, content)
    assert any(said in problem.message and problem.line == line for problem in problems), problems


def test_an_empty_file_lacks_every_section(tmp_path: Path) -> None:
    """Nothing in it is not the same as nothing to say about it."""
    for content in (b"", b"# only a comment\n", b"\xef\xbb\xbf"):
        places = [problem.where for problem in refusal(tmp_path, content)]
        assert sorted(places) == ["agents", "routes", "sources", "teams"]


def test_every_key_given_twice_is_told_with_both_lines(faults: Callable[..., dict[str, Problem]]) -> None:
    """YAML readers usually take the last one without a word."""
    found = faults(
        MINIMAL + "routes: []\n", ("timezone: Europe/London", "timezone: UTC, timezone: Europe/London")
    )
    assert found["routes"].line == 10
    assert "first in line 8" in found["routes"].message
    assert "first in line 7" in found["teams.front-desk.timezone"].message


def test_anchors_and_merged_mappings_may_be_used(read: Callable[..., Loaded]) -> None:
    """What several teams share is written once; a team's own value wins."""
    text = MINIMAL.replace(
        "  front-desk: {timezone: Europe/London, agents: [amy]}",
        "  front-desk: &desk {timezone: Europe/London, agents: [amy], hours: &h [daily 09:00-18:00]}\n"
        "  back-office: {timezone: Europe/Paris, <<: *desk, pick: least-busy}",
    )
    teams = read(text).roster.teams
    assert teams["back-office"].timezone == "Europe/Paris"
    assert teams["back-office"].hours == teams["front-desk"].hours != ()


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    """Editors on Windows write them."""
    file = tmp_path / "bridge.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(file, ENVIRON).warnings == ()


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    """A missing file, an empty folder and a pipe are named; a pipe is not waited on."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    for name, said in (
        ("no.yaml", "no such file"),
        ("empty", "holds no"),
        ("pipe", "neither"),
        ("a\0b", "read"),
    ):
        with pytest.raises(ConfigError, match=said):
            load(tmp_path / name, ENVIRON)


words = st.sampled_from(
    [*MINIMAL.split(), "&a", "*a", "<<:", "!!int", "null", "~", "{", "}", "[", "]", "\n", "  "]
)


@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_junk_raises_nothing_but_config_error(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in any other way."""
    refusal(tmp_path, content)


@given(st.lists(words, max_size=40), st.integers(0, len(MINIMAL)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mangled_configuration_raises_nothing_but_config_error(
    tmp_path: Path, parts: list[str], position: int
) -> None:
    """Nearly right files are loaded or refused, never anything else."""
    file = tmp_path / "bridge.yaml"
    file.write_text(MINIMAL[:position] + " ".join(parts) + MINIMAL[position:])
    with suppress(ConfigError):
        assert load(file, ENVIRON).roster.routes


anything = st.recursive(
    st.one_of(
        st.none(), st.text(max_size=8), st.integers(), st.sampled_from(["amy", "mon 09:00-10:00", "env:X"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = (
    "auth",
    "callback",
    "map",
    "files",
    "origins",
    "email",
    "shifts",
    "holidays",
    "agents",
    "overflow",
    "when",
    "team",
)


@given(
    st.dictionaries(
        st.sampled_from(["webex", "sources", "agents", "teams", "routes", "messages", "privacy"]),
        st.one_of(
            anything,
            st.dictionaries(
                st.text(max_size=5), st.dictionaries(st.sampled_from(KEYS), anything), max_size=3
            ),
            st.lists(st.dictionaries(st.sampled_from(KEYS), anything), max_size=3),
        ),
    )
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_shape_of_data_raises_nothing_but_config_error(tmp_path: Path, data: dict[str, object]) -> None:
    """Every value may stand in every place: JSON is YAML."""
    file = tmp_path / "bridge.yaml"
    file.write_text(json.dumps(data))
    with suppress(ConfigError):
        assert load(file, ENVIRON).roster.routes
