"""What README, CHANGELOG and docs promise is there: commands, settings, targets, links, metrics, log events."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.__main__ import app
from bridge.service.metrics import Metrics
from bridge.simulator import World
from config.load import load
from config.settings import Settings
from tests.checkout import ROOT, code, papers, texts

README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_LOGGED = re.compile(
    r"(?:(?:log|logger\(\))\.(?:debug|info|warning|error|exception)|level)\(\s*\"([a-z_]+\.[a-z_]+)\""
    r"|\.log\.append\(\s*\(\s*\"([a-z_]+\.[a-z_]+)\""
)
COMMAND = re.compile(r"(?:^|[\s=/])bridge ([a-z][a-z-]*)((?: [^|;#&>]*)?)")


def commands() -> dict[tuple[str, ...], set[str]]:
    """Each command that a paper shows, with its sub-command, and the options that are shown with it."""
    found: dict[tuple[str, ...], set[str]] = {}
    for paper in papers().values():
        for line in code(paper):
            for name, rest in COMMAND.findall(line):
                words = rest.split()
                sub = (words[0],) if name == "dead-letters" and words and words[0][0].isalpha() else ()
                options = {
                    word.partition("=")[0].rstrip("],") for word in rest.split() if word.startswith("--")
                }
                found.setdefault((name, *sub), set()).update(options)
    return found


@lru_cache
def help_of(*command: str) -> str:
    answer = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert answer.exit_code == 0, f"bridge {' '.join(command)} --help: {answer.output}"
    return answer.output


def test_every_command_that_is_shown_exists() -> None:
    """`bridge COMMAND --help` answers for each command, and knows each option that is shown with it."""
    shown = commands()
    assert ("run",) in shown
    missing = {
        (*command, option)
        for command, options in shown.items()
        for option in options
        if option not in help_of(*command)
    }
    assert missing == set()


def test_every_command_is_shown() -> None:
    """Whoever reads the papers learns of each command."""
    named = {command[0] for command in commands()}
    offered = {one.name or getattr(one.callback, "__name__", "") for one in app.registered_commands}
    offered |= {group.name or "" for group in app.registered_groups}
    assert {name.replace("_", "-") for name in offered} - named == set()


def test_every_make_target_that_is_shown_exists() -> None:
    """`make x` in a paper is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    shown = {
        target
        for paper in papers().values()
        for line in code(paper)
        for target in re.findall(r"(?:^|\s)make ([a-z]+)", line)
    }
    assert {"setup", "demo", "test"} <= shown
    assert shown - targets == set()


def test_the_readme_names_every_setting() -> None:
    """The table of the README has every variable of the environment."""
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", README))
    assert {name.upper() for name in Settings.model_fields} - named == set()


def test_every_setting_and_control_of_the_simulator_is_explained() -> None:
    """docs/simulator.md has each of its settings, each address of its controls, and no other setting."""
    paper = (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([a-z_]+)`", paper, re.MULTILINE))
    assert named == set(World().settings())
    controls = set(re.findall(r'"(/[a-z]+)", [a-z_]+\)', (ROOT / "bridge/simulator/control.py").read_text()))
    assert "/say" in controls
    assert {path for path in controls if f"/_sim{path}`" not in paper} == set()


def test_the_readme_s_configuration_is_valid(tmp_path: Path) -> None:
    """Who pastes it has a configuration that works."""
    block = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert block
    lines = block[1].splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    (tmp_path / "bridge.yaml").write_text("\n".join(line[indent:] for line in lines))
    loaded = load(tmp_path / "bridge.yaml", {"KIOSK_SECRET": "whsec_" + "MDEy" * 8})
    assert list(loaded.config.teams) == ["front-desk"]


@pytest.mark.parametrize("paper", papers())
def test_links_lead_somewhere(paper: str) -> None:
    """Each relative link names a file of the checkout, and each anchor a heading in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", papers()[paper]):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / paper).parent / path if path else ROOT / paper
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file.read_text(encoding="utf-8")), target


def _anchors(paper: str) -> set[str]:
    """As GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", paper, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_leads_to_every_page() -> None:
    """No page of docs/ is lost."""
    pages = {name for name in papers() if name.startswith("docs/")}
    assert {page for page in pages if f"({page}" not in README} == set()


def test_every_metric_is_explained() -> None:
    """docs/operating.md has each metric under the name that Prometheus sees."""
    names = set()
    for family in Metrics().registry.collect():
        if not family.name.startswith("bridge_"):
            continue  # Prometheus' own, of every process in Python
        names.add(f"{family.name}_total" if family.type == "counter" else family.name)
    assert names
    assert {name for name in names if f"`{name}" not in OPERATING} == set()


def test_every_log_event_is_explained() -> None:
    """docs/operating.md has each event that the code logs."""
    logged = {
        first or second
        for name, content in texts(".py").items()
        if name.startswith(("bridge/", "handlers/", "config/")) and not name.startswith("bridge/simulator/")
        for first, second in _LOGGED.findall(content)
    }
    assert {"delivery.sent", "conversation.opened", "thread.not_read"} <= logged
    assert {event for event in logged if f"`{event}`" not in OPERATING} == set()


def test_what_each_dependency_is_for_is_written_down() -> None:
    """docs/architecture.md has a line for each entry of pyproject.toml, and for no other."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = page.partition("## What each dependency is for")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `([\w.-]+)` \|", section, re.MULTILINE))
    wanted = {re.split(r"[\[=<>;! ]", one, maxsplit=1)[0] for one in PROJECT["dependencies"]}
    assert explained == wanted


def test_the_changelog_has_this_version() -> None:
    """What changed in the version of pyproject.toml is told."""
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_architecture_names_files_that_are_there() -> None:
    """Every module that docs/architecture.md names by its path exists: a newcomer opens the right one."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:[a-z_]+/)+[a-z_]+\.py", page))
    assert named
    assert {one for one in named if not ((ROOT / one).exists() or (ROOT / "bridge" / one).exists())} == set()
