"""The key that encrypts tokens at rest, where the environment does not give one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import structlog
from cryptography.fernet import Fernet

from bridge.domain.errors import BridgeError

PATH = Path("var/secret.key")


class NoKey(BridgeError):
    """The file holds something else."""


def read_key(path: Path = PATH) -> str:
    """The key in `path`. Raises OSError or NoKey."""
    try:
        key = path.read_text().strip()
        Fernet(key)
    except ValueError:
        raise NoKey(f"{path} holds no key; put back the copy that you keep of it") from None
    return key


def own_key(path: Path = PATH) -> str:
    """The same; a key that is not there yet is made, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return read_key(path)
    fresh = Fernet.generate_key().decode()
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as file:  # 0600
        file.write(fresh + "\n")
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(file.name, path)  # all of it or nothing, also beside another first start
        except FileExistsError:
            return read_key(path)
    structlog.get_logger().warning(
        "secret_key.made",
        path=str(path),
        advice="keep a copy of it, or set BRIDGE_SECRET_KEY: without it the tokens in the database are lost",
    )
    return fresh
