"""bridge init, and check --rota: for those who have neither a checkout nor the secrets."""

from __future__ import annotations

from pathlib import Path


def test_writes_a_configuration_that_is_right(bridge, tmp_path: Path) -> None:
    """0; what it wrote passes the check for a rota; a second time nothing is overwritten, and it says so: 1."""
    folder = tmp_path / "new" / "folder"
    ran = bridge("init", str(folder))
    assert (ran.code, ran.err) == (0, "")
    assert f"wrote {folder}/bridge.yaml\n" in ran.out
    assert (folder / "bridge.schema.json").exists()
    checked = bridge("check", "--rota", "--config", str(folder / "bridge.yaml"))
    assert (checked.code, checked.out) == (0, "no errors, no warnings\n")
    (folder / "bridge.yaml").write_text("mine")
    again = bridge("init", str(folder))
    assert again.code == 1
    assert "was there already and is as it was" in again.err
    assert (folder / "bridge.yaml").read_text() == "mine"


def test_a_folder_that_cannot_be_written(bridge, tmp_path: Path) -> None:
    """A sentence and 1."""
    (tmp_path / "file").write_text("")
    ran = bridge("init", str(tmp_path / "file"))
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "cannot be written" in ran.err


def test_a_rota_is_checked_without_secrets(bridge, write) -> None:
    """Faults of the file are told, the environment is nobody's business; --live and --rota exclude each other."""
    write(
        "sources: {kiosk: {auth: {secrets: [env:NOBODY_SET_THIS]}}}\n"
        "agents: {amy: {email: amy@example.com}}\n"
        "teams: {desk: {timezone: Europe/Londno, agents: [amy]}}\n"
        "routes: [{team: desk}]\n"
    )
    ran = bridge("check", "--rota")
    assert ran.code == 1
    assert "Europe/London" in ran.out
    assert "NOBODY_SET_THIS" not in ran.out
    assert bridge("check", "--rota", "--live").code == 2
