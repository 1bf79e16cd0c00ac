"""`bridge init`: a first configuration, for those who installed the package without a checkout."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.common import fail, say

_FILES = ("bridge.yaml", "bridge.schema.json")


def init(
    folder: Annotated[
        Path, typer.Argument(help="Where it is written; made if it is not there.", metavar="[FOLDER]")
    ] = Path("config"),
) -> None:
    """Write a commented first configuration.

    The folder gets bridge.yaml and the schema by which editors check it. What is there already stays as it is, and the
    exit status then is 1.

    \b
    bridge init
    bridge init /etc/webex-guest-bridge
    """
    there: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            path = folder / name
            content = (files("config") / name).read_bytes()
            try:
                with path.open("xb") as file:
                    file.write(content)
                say(f"wrote {path}")
            except FileExistsError:
                there.append(path)
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror or error}")
    if there:
        fail(f"{', '.join(map(str, there))} was there already and is as it was")
    say(f"Next: put your agents in, then bridge check --config {folder / _FILES[0]}")
