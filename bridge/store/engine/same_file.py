"""Whether SQLite's path still leads to the file that is open: what goes into another is gone at the next start."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.domain.errors import BridgeError

_BESIDE = ("-wal", "-shm")  # what was committed last, and where in it what is

Identity = tuple[int, int] | None


class FileReplaced(BridgeError):
    """The file, or one beside it, was removed or replaced by another."""


class SameFile:
    """Looked at before and after each transaction: three `stat`, some microseconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._main: Identity = None
        self._beside: tuple[Identity, ...] | None = None

    def opened(self) -> None:
        """A connection was opened; the first one says which file it is for good."""
        self._main = self._main or _identity(self._path)
        self._beside = None

    def check(self, *, committed: bool = False) -> None:
        """Raises FileReplaced. The files beside it are known from the first commit on, which makes them."""
        if _identity(self._path) != self._main:
            raise FileReplaced(
                f"the database's file {self._path} was removed or replaced under the running service; "
                "put it back, or start the service again on the file that is there"
            )
        beside = tuple(_identity(_next_to(self._path, ending)) for ending in _BESIDE)
        if self._beside is None:
            self._beside = beside if committed else None
        elif beside != self._beside:
            raise FileReplaced(
                f"a file beside {self._path} ({' or '.join(_BESIDE)}) was removed or replaced under the running "
                "service; stop it, which writes what it holds into the database, and start it again"
            )


def _next_to(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _identity(path: Path) -> Identity:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
