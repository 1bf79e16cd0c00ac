"""Names of files."""

from __future__ import annotations

_LONGEST_ENDING = 20


def shortened(name: str, most: int) -> str:
    """At most so many characters of it, the ending among them: it says how to open the file."""
    if len(name) <= most:
        return name
    stem, dot, ending = name.rpartition(".")
    kept = ending[:_LONGEST_ENDING] if dot and stem else ""
    return (stem or name)[: most - len(kept) - 1] + f".{kept}" if kept else name[:most]
