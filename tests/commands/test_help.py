"""Every command explains itself, at once, and docs/commands.md explains them all."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.main import get_command

from bridge.__main__ import app
from tests.commands.conftest import ROOT

DOCS = (ROOT / "docs/commands.md").read_text()
CONTRACT = {"run", "demo", "simulator", "check", "preview", "coverage", "sign", "dead-letters", "erase", "export",
            "guests", "callback-test", "init", "ask"}  # fmt: skip


def commands() -> dict[str, object]:
    """Every command by its whole name, those of a group too."""
    found = {}
    for name, command in get_command(app).commands.items():
        inner = getattr(command, "commands", None)
        found.update({f"{name} {sub}": each for sub, each in inner.items()} if inner else {name: command})
    return found


ALL = commands()


def test_commands_are_the_contracts() -> None:
    """No command is missing and none is there that nobody was promised."""
    assert {name.split()[0] for name in ALL} == CONTRACT
    assert {name for name in ALL if " " in name} == {
        f"dead-letters {x}" for x in ("list", "show", "replay", "drop")
    }


def test_help_names_each_command_in_one_line(bridge) -> None:
    """`bridge --help` has a whole sentence for each command in a terminal of 80 columns, without colours."""
    ran = bridge("--help", COLUMNS="80")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    lines = dict(line.split(maxsplit=1) for line in ran.out.partition("Commands:\n")[2].splitlines())
    assert set(lines) == CONTRACT
    assert all(sentence.endswith(".") and not sentence.endswith("...") for sentence in lines.values())


@pytest.mark.parametrize("name", sorted(ALL))
def test_help_of_each_command(bridge, name: str) -> None:
    """--help exits 0 and explains each option."""
    ran = bridge(*name.split(), "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: bridge {name}")
    for parameter in ALL[name].params:
        assert parameter.help, f"{name} {parameter.name}"


def test_help_loads_no_heavy_library() -> None:
    """Help answers at once because libraries are loaded only by commands that need them."""
    heavy = ["sqlalchemy", "aiohttp", "pydantic", "rich.console", "cryptography", "alembic", "webexteamssdk"]
    code = f"import sys, bridge.__main__\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_preview_loads_no_database_and_no_network_library() -> None:
    """preview reads only files, and loads only what that needs."""
    code = (
        "import sys\nfrom bridge.__main__ import app\n"
        "try:\n    app(['preview', '--config', 'config/example-chain', '--store', 'S150', '--at',"
        " '2026-11-28T11:00'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print([name for name in ['sqlalchemy', 'aiohttp', 'cryptography'] if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", sorted(ALL))
def test_docs_name_every_command_and_option(name: str) -> None:
    """docs/commands.md has a section for each command, with an example, that names every option."""
    group = name.split()[0]
    section = DOCS.partition(f"\n## `bridge {group}")[2].partition("\n## ")[0]
    assert f"$ bridge {name}" in section
    for parameter in ALL[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert option in section, f"{name} {option}"


def test_version(bridge) -> None:
    """The version that is installed."""
    ran = bridge("--version")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"bridge {version('webex-guest-bridge')}\n"
