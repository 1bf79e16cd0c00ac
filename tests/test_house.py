"""The rules of the house (docs/architecture.md), executable: walls, sizes, packaging, the schema."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from setuptools.dist import Distribution
from sqlalchemy import Column, Connection, Integer, MetaData, text

from bridge.store.engine.migrate import migrate
from bridge.store.engine.open import open_engine
from bridge.store.tables import metadata
from tests.checkout import ROOT, texts, tracked

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {one["name"]: one for one in PYPROJECT["tool"]["importlinter"]["contracts"]}
ROOMS = [
    room.strip(" ()")
    for layer in CONTRACTS["Imports point down"]["layers"]
    for room in re.split("[|:]", layer)
]

MOST_LINES = 340
LONGER = {  # and why
    "bridge/service/app.py": "the composition root: every part is built and connected in one place",
    "bridge/store/tables.py": "the whole schema at a glance",
    "tests/harness.py": "what every scenario stands on",
    "tests/webex/test_client.py": "a case for each call of the client",
    "tests/webex/test_service_app.py": "the life of one credential, story by story",
}


def test_imports_point_down() -> None:
    """Every import contract of pyproject.toml is kept."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_its_place() -> None:
    """A new module of `bridge` is put into a layer before it can be imported from anywhere."""
    found = {f"bridge.{Path(name).parts[1].removesuffix('.py')}" for name in tracked() if _is_room(name)}
    assert found - set(ROOMS) == set()


def _is_room(name: str) -> bool:
    parts = Path(name).parts
    return parts[0] == "bridge" and name.endswith(".py") and parts[1] != "__init__.py"


def test_the_simulator_is_kept_from_every_room() -> None:
    """One misreading of Webex cannot hide on both sides: the simulator may import no other room."""
    forbidden = CONTRACTS["The simulator imports nothing of ours"]["forbidden_modules"]
    assert set(forbidden) == set(ROOMS) - {"bridge.simulator"}


def test_files_stay_small() -> None:
    """No file of code is longer than 340 lines, unless it is listed here with its reason."""
    long = {
        name: content.count("\n")
        for name, content in texts(".py", ".js", ".css", ".html").items()
        if content.count("\n") > MOST_LINES
    }
    assert {name: lines for name, lines in long.items() if name not in LONGER} == {}
    assert set(LONGER) - set(tracked()) == set()


# Written in pieces, so that this file does not hold them either.
_NOT_OURS = {
    "a path of somebody's machine": r"(?<![\w.])/(?:" + "|".join(["work", "root", "Users", "home"]) + r")/\w",
    "a package registry": r"(?i)py" + r"pi\.org|python" + r"hosted|--(?:extra-)?" + r"index-url [^-\s]",
    "work left for later": r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b",
    "a conflict": r"^(?:<{7}|>{7}) ",
}


@pytest.mark.parametrize("what", _NOT_OURS)
def test_no_file_holds_what_does_not_belong(what: str) -> None:
    """Nothing of the machine it was written on, nothing half done."""
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, content in texts().items()
        for number, line in enumerate(content.splitlines(), 1)
        if re.search(_NOT_OURS[what], line)
    ]
    assert found == []


def test_requirements_are_locked() -> None:
    """Every requirement is one version with its hashes; where to get it from is the machine's business."""
    for name in ("build", "run", "test", "sdks", "socket"):
        locked = (ROOT / f"requirements/{name}.txt").read_text().replace("\\\n", " ")
        lines = [line for line in locked.splitlines() if line.strip() and not line.startswith("#")]
        assert lines
        assert [
            line for line in lines if not re.match(r"[\w.\-\[\],]+==\S+ .*--hash=sha256:\w{64}", line)
        ] == []
        assert "://" not in locked


def test_what_the_project_needs_is_locked() -> None:
    """No dependency of pyproject.toml is missing from the locked file: `make lock` was run."""
    project = PYPROJECT["project"]
    for name, wanted in (
        ("run", project["dependencies"]),
        ("test", project["optional-dependencies"]["test"]),
    ):
        locked = (ROOT / f"requirements/{name}.txt").read_text()
        names = {_plain(line) for line in locked.splitlines() if "==" in line}
        assert {_plain(one) for one in wanted} - names == set()


def _plain(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>;! ]", requirement, maxsplit=1)[0].lower())


def test_the_procfile_starts_the_service() -> None:
    """Contract 9, to the letter."""
    assert (ROOT / "Procfile").read_text() == "web: HOST=0.0.0.0 bridge run\n"


def test_pages_load_nothing_from_outside() -> None:
    """A kiosk in a shop without the internet beyond us still works, and tells no third party anything."""
    found = {
        f"{name}: {address}"
        for name, content in texts(".html", ".js", ".css", ".svg").items()
        for address in re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"'`)]*""", content)
        if address != "http://www.w3.org/2000/svg"  # a namespace, which nobody fetches
    }
    assert found == set()


def test_everything_that_is_no_code_is_packaged() -> None:
    """An installed bridge has its pages, schema and texts: package-data of pyproject.toml names them all."""
    wanted = {
        name
        for name in tracked()
        if name.startswith(("bridge/", "config/", "handlers/")) and not name.endswith((".py", ".md"))
    }
    assert wanted - _packaged() == set()


def _packaged() -> set[str]:
    distribution: Any = Distribution({"src_root": str(ROOT)})
    distribution.parse_config_files([str(ROOT / "pyproject.toml")])
    distribution.include_package_data = False  # would ask git, not pyproject.toml
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()
    return {
        str((ROOT / folder / file).relative_to(ROOT))
        for _, folder, _, files in build.data_files
        for file in files
    }


def test_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    """A table that was changed without a migration is found: the migrated schema is the declared one."""
    engine = open_engine(f"sqlite:///{tmp_path}/migrated.db", writes=True)
    migrate(engine)
    with engine.begin() as connection:
        assert _differences(connection, metadata) == []
        migrated = _indexes(connection)
    engine.dispose()
    declared = open_engine(f"sqlite:///{tmp_path}/declared.db", writes=True)
    metadata.create_all(declared)
    with declared.begin() as connection:
        assert migrated == _indexes(connection)  # alembic does not compare what a partial index is over
    declared.dispose()


def test_a_forgotten_migration_is_found(tmp_path: Path) -> None:
    """The comparison above does see a column that no migration makes."""
    changed = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(changed)
    changed.tables["agents"].append_column(Column("forgotten", Integer))
    engine = open_engine(f"sqlite:///{tmp_path}/migrated.db", writes=True)
    migrate(engine)
    with engine.begin() as connection:
        assert "forgotten" in str(_differences(connection, changed))
    engine.dispose()


def _differences(connection: Connection, declared: MetaData) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), declared)


def _indexes(connection: Connection) -> dict[str, str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    return {row.name: " ".join(row.sql.split()) for row in connection.execute(query)}


# What one module alone may write, by the pattern that gives it away elsewhere. The first is a lane's name as text.
ONLY_THERE: dict[str, set[str]] = {
    r'f"((in|say|hear|call|hook|bot-in):|bot:(alerts|\{\w+\.?email))': set(),
    r"\b(insert|update|delete)\(lanes\)": {"bridge/store/lanes.py"},
    r"\binsert\w*\([^()]*\benvelopes\b": {"bridge/store/envelopes.py"},
    r"\binsert\w*\([^()]*\bdeliveries\b": {"bridge/store/delivering.py"},
}


@pytest.mark.parametrize("pattern", ONLY_THERE)
def test_invariants_have_one_place(pattern: str) -> None:
    """Lanes are named and written by one module; rows of envelopes and of deliveries are made by one each."""
    code = {name: text for name, text in texts(".py").items() if name.startswith(("bridge/", "handlers/"))}
    found = {name for name, text in code.items() if re.search(pattern, text)}
    assert found == ONLY_THERE[pattern]
