"""The checkout as git has it: which files are in it, and what they say."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BINARY = (".png", ".jpg", ".ico", ".woff2")


@lru_cache
def tracked() -> tuple[str, ...]:
    """Paths from the top, without what is deleted but not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return tuple(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def texts(*suffixes: str) -> dict[str, str]:
    """The tracked files that end so (without suffixes: all that are text), by path."""
    return {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in tracked()
        if name.endswith(suffixes or "") and not name.endswith(_BINARY)
    }


def papers() -> dict[str, str]:
    """README, CHANGELOG and docs, by path."""
    return texts(".md")


def code(paper: str) -> list[str]:
    """What stands between backticks: each inline span, and each line of a fenced block."""
    blocks = re.findall(r"^ *```[a-z]*\n(.*?)^ *```", paper, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```.*?^ *```", "", paper, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", prose)
