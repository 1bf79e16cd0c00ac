"""Whatever goes wrong, a command ends with a sentence and an exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from bridge.commands.common import DEFAULT_CONFIG
from config.settings import Settings
from tests.commands.conftest import BRIDGE, EXAMPLE_CHAIN, SMALLEST, environment

COVERAGE = ["coverage", "--config", str(EXAMPLE_CHAIN), "--from", "2026-01-01", "--to", "2027-12-31"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["preveiw"], "Did you mean 'preview'"),
        (["preview", "--att", "x"], "--at"),
        (["dead-letters"], "list"),
        (["dead-letters", "lst"], "list"),
        (["check", "surplus"], "unexpected extra argument"),
        (["demo", "--port", "70000"], "65535"),
        ([], "Commands:"),
    ],
)
def test_wrong_use_is_2_with_a_hint(bridge, args: list[str], words: str) -> None:
    """A mistyped command or option is answered with what was probably meant."""
    ran = bridge(*args)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_default_configuration_is_the_settings(bridge) -> None:
    """Commands that read only files look where the service looks."""
    assert Settings.model_fields["bridge_config"].default == DEFAULT_CONFIG


@pytest.mark.parametrize("command", [["list"], ["show", "1"], ["replay", "--all"], ["drop", "1"]])
def test_database_that_was_never_made_is_not_made(bridge, tmp_path, command: list[str]) -> None:
    """A look into a database that is not there says so and leaves the folder as it was."""
    ran = bridge("dead-letters", *command)
    assert (ran.code, ran.out) == (1, "")
    assert "there is no database var/bridge.db yet" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_file_that_is_no_database(bridge, tmp_path) -> None:
    """Neither an empty file nor one of something else is made a database."""
    (tmp_path / "x.db").write_bytes(b"")
    ran = bridge("dead-letters", "list", DATABASE_URL="sqlite:///x.db")
    assert (ran.code, ran.out) == (1, "")
    assert "bridge run makes its tables" in ran.err
    (tmp_path / "x.db").write_text("this is no database at all " * 100)
    ran = bridge("dead-letters", "list", DATABASE_URL="sqlite:///x.db")
    assert (ran.code, ran.out) == (1, "")
    assert "not a database" in ran.err


def test_database_server_that_does_not_answer(bridge) -> None:
    """PostgreSQL that is not there: a sentence, without the address's password."""
    url = "postgresql://bridge:hush-hush@127.0.0.1:1/bridge"
    ran = bridge("dead-letters", "list", DATABASE_URL=url, BRIDGE_SECRET_KEY="A" * 43 + "=")
    assert (ran.code, ran.out) == (1, "")
    assert "the database cannot be used" in ran.err
    assert "hush-hush" not in ran.err


def test_wrong_environment_is_2(bridge, tmp_path) -> None:
    """Every wrong variable is named, before anything is done."""
    ran = bridge("dead-letters", "list", PORT="many", DATABASE_URL="oracle://x")
    assert (ran.code, ran.out) == (2, "")
    assert "PORT: must be" in ran.err
    assert "DATABASE_URL: must be" in ran.err


@pytest.mark.parametrize("command", [["check"], ["preview", "--at", "2026-11-28T10:00"], ["run"]])
def test_unreadable_configuration(bridge, tmp_path, command: list[str]) -> None:
    """Bytes that are no text, and a folder without a file: sentences."""
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00sources")
    (tmp_path / "empty").mkdir()
    for path, words in (("c.yaml", "c.yaml"), ("empty", "holds no *.yaml")):
        ran = bridge(*command, "--config", path)
        assert ran.code in (1, 2)
        assert words in ran.out + ran.err


def test_arguments_that_are_no_text(bridge, tmp_path, write) -> None:
    """Bytes that are not UTF-8 in an argument are refused or shown as escapes."""
    write(SMALLEST)
    ran = bridge("erase", "--subject", os.fsdecode(b"\xff"))
    assert (ran.code, ran.err) == (2, "--subject is not text in UTF-8\n")
    ran = bridge("preview", "--at", os.fsdecode(b"\xff"))
    assert ran.code == 2
    assert bridge("preview", "--at", "2026-11-28T10:00", "--config", os.fsdecode(b"\xff.yaml")).code == 2


def test_terminal_without_unicode(bridge, write) -> None:
    """A name that the terminal's encoding lacks is written as an escape."""
    write(SMALLEST.replace("amy:", "zoë☂:").replace("[amy]", "[zoë☂]"))
    ran = bridge("preview", "--at", "2026-11-28T10:00", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.code == 0
    assert "zo\\xeb\\u2602" in ran.out


def test_reader_that_goes_away(tmp_path) -> None:
    """`bridge coverage | head -1` prints its line and nothing else, on either stream."""
    command = " ".join([*BRIDGE, *COVERAGE])
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1"],
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("Open, and nobody on duty:\n", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk(tmp_path) -> None:
    """An answer that cannot be written is no success."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*BRIDGE, *COVERAGE],
            cwd=tmp_path,
            env=environment({}),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_interrupted(tmp_path) -> None:
    """Ctrl-C ends the simulator quietly."""
    process = subprocess.Popen(
        [*BRIDGE, "simulator", "--port", "0"], cwd=tmp_path, env=environment({}), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Simulated Webex")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")


def test_folder_that_is_gone(tmp_path) -> None:
    """Help is given also where the current folder was deleted."""
    gone = tmp_path / "gone"
    done = subprocess.run(
        ["sh", "-c", f"mkdir '{gone}' && cd '{gone}' && rmdir '{gone}' && exec {sys.executable} -m bridge --help"],
        env=environment({}), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Commands:" in done.stdout
