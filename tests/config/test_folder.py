from __future__ import annotations

from pathlib import Path

import pytest

from config.load import fingerprint, load
from config.problems import ConfigError
from tests.config.conftest import ENVIRON

SOURCES = "sources:\n  kiosk: {auth: {secrets: [env:KIOSK_SECRET]}}\n"
AMY = "agents:\n  amy: {email: amy@example.com}\n"
BO = "agents:\n  bo: {email: bo@example.com}\n"
DESK = (
    "teams:\n  desk: {timezone: Europe/London, agents: [amy, bo], calendar: rotas}\nroutes:\n  - team: desk\n"
)
FIRST = "teams:\n  vip: {timezone: Europe/Paris, agents: bo}\nroutes:\n  - {when: {store: S1}, team: vip}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rotas").mkdir()
    (tmp_path / "rotas" / "one.ics").write_text("x")
    for name, text in {"a.yaml": SOURCES + AMY, "b.yml": FIRST + BO, "c.yaml": DESK}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_is_read_as_one_file(folder: Path) -> None:
    """Sections are put together key by key; routes follow one another in the order of the files' names."""
    (folder / ".c.yaml.swp.yaml").write_text("junk: [")
    (folder / "notes.txt").write_text("junk: [")
    loaded = load(folder, ENVIRON)
    assert list(loaded.roster.agents) == ["amy", "bo"]
    assert [route.team for route in loaded.roster.routes] == ["vip", "desk"]
    assert loaded.roster.teams["desk"].calendar == str(folder / "rotas")
    assert loaded.calendars == (folder / "rotas",)


def test_the_same_key_in_two_files_names_both_places(folder: Path) -> None:
    """Neither of the two silently wins."""
    (folder / "d.yaml").write_text("# again\n" + AMY + "routes: {}\n")
    with pytest.raises(ConfigError) as caught:
        load(folder, ENVIRON)
    first, second = caught.value.problems
    assert (first.file, first.line, first.where) == (str(folder / "d.yaml"), 3, "agents.amy")
    assert f"{folder / 'a.yaml'}:4" in first.message
    assert second.where == "routes"


def test_problems_name_the_file_they_are_in(folder: Path) -> None:
    """References across files are checked, and a fault is told where it is written."""
    (folder / "c.yaml").write_text(DESK.replace("bo]", "bob]"))
    (folder / "d.yaml").write_text("routes:\n  - {team: nowhere}\n")
    with pytest.raises(ConfigError) as caught:
        load(folder, ENVIRON)
    assert [(Path(item.file).name, item.line, item.where) for item in caught.value.problems] == [
        ("c.yaml", 2, "teams.desk.agents[1]"),
        ("d.yaml", 2, "routes[2].team"),
    ]


def test_one_unreadable_file_hides_no_other_and_invents_nothing(folder: Path) -> None:
    """What refers to the broken file is not called unknown."""
    (folder / "a.yaml").write_text("agents: [")
    (folder / "b.yml").write_text("agents: {x: 1, x: 2}")
    with pytest.raises(ConfigError) as caught:
        load(folder, ENVIRON)
    assert [Path(item.file).name for item in caught.value.problems] == ["a.yaml", "b.yml"]


def test_the_fingerprint_of_a_folder_sees_files_come_and_go(folder: Path) -> None:
    """Also a new calendar in a folder of calendars."""
    loaded = load(folder, ENVIRON)
    assert fingerprint(folder, loaded.calendars) == loaded.fingerprint
    (folder / "rotas" / "two.ics").write_text("y")
    with_calendar = fingerprint(folder, loaded.calendars)
    (folder / "e.yaml").write_text("")
    assert len({loaded.fingerprint, with_calendar, fingerprint(folder, loaded.calendars)}) == 3
