"""`bridge ARGS` as a process of its own, forked from one that has everything imported.

Most of the time of a short command is Python's imports, and the tests run some hundreds of them. Those of
`test_plain.py`, `test_help.py` and `test_sign.py` that look at the process itself start real ones.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_IMPORTED = [
    "bridge.__main__",
    "bridge.service.app",
    "bridge.commands.asking",
    "bridge.commands.live_check",
    "bridge.store.engine.migrate",
    "config.load",
    "rich.table",
]
_SECONDS = 60


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def run(args: Sequence[object], cwd: Path | None, environ: Mapping[str, str]) -> Ran:
    """Waits for its end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    with tempfile.TemporaryDirectory(prefix="bridge-test-") as folder:
        files = [Path(folder, name) for name in ("out", "err")]
        process = context.Process(
            target=_become, args=([str(arg) for arg in args], cwd, dict(environ), files)
        )
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"bridge {args} did not end")
        out, err = (path.read_bytes().decode() for path in files)
        return Ran(process.exitcode, out, err)


def _become(args: list[str], cwd: Path | None, environ: dict[str, str], files: list[Path]) -> None:
    for number, path in enumerate(files, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    if cwd is not None:
        os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.argv = ["bridge", *args]
    from bridge.__main__ import main

    main()
