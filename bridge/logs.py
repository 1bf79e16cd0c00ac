"""Logs: one JSON object a line, or coloured lines at a terminal. Never a token, a secret, a text or a name."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import MutableMapping
from contextvars import Context, ContextVar
from functools import partial
from pathlib import Path
from typing import IO, Any

import structlog
from pydantic_core import to_json

from bridge.domain.errors import crash
from bridge.log_lines import LogLines

# What must never be a field of a log line, whoever adds it by mistake.
_NEVER = frozenset(
    {"token", "access_token", "refresh_token", "secret", "authorization", "text", "html", "message", "markdown",
     "display_name", "displayName", "name", "subject", "key", "conversation_key", "query", "query_string", "body"}
)  # fmt: skip

# What is said of the request under way, in every line of the log that it leads to: its id, its trace.
REQUEST: ContextVar[dict[str, str] | None] = ContextVar("request", default=None)
# Where work begins that is not one request's, although a request may have set it off.
OF_NO_REQUEST = Context()


def _with_request(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Adds the request under way."""
    request = REQUEST.get()
    return {**fields, **request} if request else fields


def _json(fields: Any, **_: Any) -> str:
    try:
        return to_json(fields, fallback=repr).decode()
    except ValueError:  # half of a surrogate pair, say: escaped it is text too
        return json.dumps(fields, default=repr)


def configure(fmt: str | None, level: str, lines: LogLines | None = None) -> None:
    """Sets structlog and the standard library's logging up; `fmt` json, console, or None: by the terminal.

    `lines`: how a service writes; without them whoever logs writes to stderr, and waits for it.
    """
    stream: Any = sys.stderr if lines is None else lines
    terminal = stream.isatty()
    renderer: Any = structlog.processors.JSONRenderer(_json)
    if fmt == "console" or (fmt is None and terminal):
        renderer = structlog.dev.ConsoleRenderer(colors=terminal)
    shared: list[Any] = [
        _with_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        withhold,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,  # binding anew costs as much as the rest of a line
    )
    handler: logging.StreamHandler[IO[str]] = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared], processors=[_drop_meta, _own_field, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)  # libraries speak only of trouble
    warnings.showwarning = _warned
    # A tick that comes while the one before still runs is left out; under load that is no trouble.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    if lines is not None:
        lines.notice = partial(_interrupted, [*shared, renderer])
        _leave_stderr_alone()


def _interrupted(processors: list[Any], lost: int) -> str:
    """The line that says how many lines are missing before it."""
    fields: Any = {"event": "log.interrupted", "lines": lost}
    for processor in processors:
        fields = processor(None, "warning", fields)
    return f"{fields}\n"


def _leave_stderr_alone() -> None:
    """What Python itself would print goes through the log: to print waits for a reader, whoever reads or not."""
    logging.raiseExceptions = False
    sys.unraisablehook = lambda fault: _crashed(fault.exc_value)
    threading.excepthook = lambda fault: _crashed(fault.exc_value)


def _crashed(error: BaseException | None) -> None:
    if error is not None:
        structlog.get_logger().error("python.crashed", **crash(error))


def _warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Python's warnings: their words are left out, for they may quote what somebody has sent."""
    where = "/".join(Path(filename).parts[-2:])
    structlog.get_logger().warning("library.warned", said=category.__name__, where=f"{where}:{lineno}")


def withhold(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blacks out what must not be logged."""
    for name in _NEVER & fields.keys():
        fields[name] = "withheld"
    return fields


def _drop_meta(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    fields.pop("_record", None)
    fields.pop("_from_structlog", None)
    return fields


def _own_field(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's free text is not an event name: `library.warned` with the text cut short."""
    text = str(fields.pop("event", ""))
    return {"event": "library.warned", "said": text[:300], **fields}
