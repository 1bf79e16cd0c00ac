"""The commands of docs/backup.md, run: what is backed up can be restored, and goes on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.simulator import Simulator
from tests.checkout import ROOT
from tests.harness import SMALLEST, RunningBridge, eventually, running

PAGE = (ROOT / "docs/backup.md").read_text(encoding="utf-8")


def commands(section: str) -> list[str]:
    """The shell blocks of a section, without comments."""
    part = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return [re.sub(r" +#.*", "", block) for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL)]


def shell(command: str, folder: Path, **environ: str) -> str:
    """What a block says; fails where it fails."""
    path = f"{Path(shutil.which('pg_dump') or '/usr/bin/pg_dump').parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-euc", command],
        cwd=folder,
        env={"PATH": path, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", [0, 1])
async def test_sqlite_is_backed_up_while_it_runs_and_restored(tmp_path: Path, block: int) -> None:
    """What was said before the backup is there after the restore, and the conversation goes on."""
    backup, with_python, restore = commands("SQLite")
    if block == 0 and shutil.which("sqlite3") is None:
        pytest.skip("sqlite3 is not on this machine")
    (tmp_path / "var").mkdir()
    url = f"sqlite:///{tmp_path}/var/bridge.db"
    async with Simulator() as sim, running(SMALLEST, sim, database_url=url) as bridge:
        customer = await bridge.opened(message="before")
        await eventually(lambda: bridge.texts() == ["before"])
        said = shell((backup, with_python)[block], tmp_path)
        assert block or said.strip() == "ok"
        await customer.say("after")
        await eventually(lambda: bridge.texts() == ["before", "after"])
        await bridge.stop()
        shell(restore, tmp_path)
        await bridge.start()
        await goes_on(bridge, customer)


@pytest.mark.postgres
async def test_postgresql_is_backed_up_while_it_runs_and_restored(tmp_path: Path, postgres_url: str) -> None:
    """The same with pg_dump and pg_restore, into an empty database."""
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not on this machine")
    backup, restore = commands("PostgreSQL")
    async with Simulator() as sim, running(SMALLEST, sim, database_url=postgres_url) as bridge:
        customer = await bridge.opened(message="before")
        await eventually(lambda: bridge.texts() == ["before"])
        shell(backup, tmp_path, DATABASE_URL=postgres_url)
        await customer.say("after")
        await eventually(lambda: bridge.texts() == ["before", "after"])
        await bridge.stop()
        shell(restore, tmp_path, DATABASE_URL=postgres_url)
        await bridge.start()
        await goes_on(bridge, customer)


async def goes_on(bridge: RunningBridge, customer: object) -> None:
    """The transcript is that of the backup, and new words arrive."""
    await eventually(bridge.ready)
    texts = [item["text"] for item in await customer.messages()]  # type: ignore[attr-defined]
    assert texts == ["before"]
    await customer.say("restored")  # type: ignore[attr-defined]
    await eventually(lambda: bridge.texts()[-1] == "restored")
