"""How every command ends: a sentence on stderr and an exit status, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from bridge.domain.errors import BridgeError


def fail(message: str, code: int = 1) -> NoReturn:
    """Ends with a sentence on stderr; 1: the answer is no."""
    complain(message)
    raise typer.Exit(code)


def misused(message: str) -> NoReturn:
    """Ends with a sentence on stderr and 2: the command was not used as it can be."""
    fail(message, 2)


def complain(message: str) -> None:
    """A sentence on stderr."""
    if sys.stderr is not None:  # print would take stdout instead
        print(message, file=sys.stderr)  # noqa: T201 - a command's voice


def say(message: str) -> None:
    """A line of the answer, at once also into a pipe."""
    print(message, flush=True)  # noqa: T201 - a command's voice


class PlainGroup(TyperGroup):
    """Makes sentences of the errors that commands let through."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever reads has seen enough; `finish` keeps quiet about it
        except BridgeError as error:
            fail(str(error))
        except OSError as error:
            fail(describe(error))


def describe(error: OSError) -> str:
    """`var/bridge.db: Permission denied`, without Python's number before it."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def prepare() -> None:
    """Characters that the terminal's encoding lacks are written as \\u escapes instead of failing.

    A standard file that is closed is opened as nothing, or the next file to be opened, the database say, would get
    its number, and what a library prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def give_up(error: Exception) -> NoReturn:
    """Ends after a fault of our own. LOG_LEVEL=debug shows where it happened."""
    if os.environ.get("LOG_LEVEL", "").lower() == "debug":
        raise error
    complain(
        f"this should not have happened: {type(error).__name__}: {error}\n"
        "please report it, with what LOG_LEVEL=debug shows"
    )
    sys.exit(1)


def finish() -> None:
    """Writes out what is left; a reader that has gone is no error to speak of, a full disk is."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python's own flush fails as well
        if not isinstance(error, BrokenPipeError):
            complain(f"the answer could not be written: {describe(error)}")
        sys.exit(1)
