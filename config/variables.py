"""Environment variables, each also as NAME_FILE naming a file that holds the value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

LARGEST_VALUE = 64 * 1024


class VariableError(Exception):
    """A variable that is there but cannot be used; the text says what is wrong and never holds the value."""


def read_variable(environ: Mapping[str, str], name: str) -> str | None:
    """The value of `name`, or of the file that `name_FILE` names; None where neither is given.

    An empty variable counts as not given. Raises VariableError.
    """
    value = environ.get(name, "").strip()
    file = environ.get(f"{name}_FILE", "").strip()
    if value and file:
        raise VariableError(f"{name} and {name}_FILE are both set; keep one of them.")
    if file:
        return _content(name, file)
    return value or None


def _content(name: str, file: str) -> str:
    try:
        path = Path(file)
        if not path.is_file():
            raise VariableError(f"{name}_FILE names {file!r}, which is not a readable file.")
        with path.open("rb") as stream:
            content = stream.read(LARGEST_VALUE + 1)
        text = content.decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        raise VariableError(f"{name}_FILE names {file!r}, which cannot be read: {_reason(error)}.") from error
    if len(content) > LARGEST_VALUE:
        raise VariableError(f"{name}_FILE names {file!r}, which is larger than 64 KiB; that is no value.")
    if not text:
        raise VariableError(f"{name}_FILE names {file!r}, which is empty.")
    return text


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "the system refuses it"
    return "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else "the name is no path"
