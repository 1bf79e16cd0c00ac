"""`bridge export`: conversations and messages as CSV."""

from __future__ import annotations

import csv
import json
import re
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.commands.common import database, misused
from bridge.domain.conversation.public import iso

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

_COLUMNS = (
    "conversation", "source", "subject", "displayName", "store", "topic", "language", "status", "team", "agent",
    "startedAt", "openedAt", "endedAt", "endReason", "seq", "at", "from", "fromAgent", "text", "files", "delivery",
)  # fmt: skip
_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?))?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
_FORMULA = ("=", "+", "-", "@")
# White space, controls and invisible characters, which some spreadsheets drop before they look.
_UNSEEN = ("Z", "C")


def export(
    from_time: Annotated[
        str, typer.Option("--from", help="First day (UTC), or a time with its offset.", metavar="TIME")
    ],
    to_time: Annotated[str, typer.Option("--to", help="Last day or time, included.", metavar="TIME")],
) -> None:
    """Print conversations and their messages as CSV.

    One row for each message of the conversations that began from the one day to the other, both included; a
    conversation without messages has one row. Days are in UTC unless they carry an offset. A text that a
    spreadsheet would take for a formula has an apostrophe before it. The answer holds customers' words.

    \b
    bridge export --from 2026-11-01 --to 2026-11-30 > november.csv
    bridge export --from 2026-11-28+01:00 --to 2026-11-28+01:00
    """
    from bridge.store.operator.export import export_rows

    start, end = _span("--from", from_time)[0], _span("--to", to_time)[1]
    if end <= start:
        misused(f"--to: {to_time} is before {from_time}")
    if sys.stdout is None:
        return
    with database() as connection:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        writer = csv.writer(sys.stdout)
        writer.writerow(_COLUMNS)
        writer.writerows(_row(row) for row in export_rows(connection, start, end))


def _row(row: RowMapping) -> list[Any]:
    return [
        row["conversation"],
        *(_safe(row[name]) for name in ("source", "subject", "display_name", "store", "topic", "language")),
        row["status"],
        _safe(row["team"]),
        _safe(row["agent"]),
        iso(row["created_at"]),
        iso(row["opened_at"]),
        iso(row["ended_at"]),
        row["end_reason"],
        row["seq"],
        iso(row["at"]),
        row["author"],
        _safe(row["author_agent"]),
        _safe(row["text"]),
        _safe(_file_names(row["files"])),
        row["delivery"],
    ]


def _safe(text: str | None) -> str | None:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    Full-width and small forms of a sign are that sign to some; a tab or a line's end in front is dropped by others.
    """
    if not text:
        return text
    seen = next((one for one in text if not unicodedata.category(one).startswith(_UNSEEN)), "")
    is_formula = unicodedata.normalize("NFKC", seen).startswith(_FORMULA)
    return f"'{text}" if is_formula or text[0] in "\t\r\n" else text


def _file_names(files: str | None) -> str | None:
    names = [str(file.get("name")) for file in json.loads(files or "[]")]
    return "; ".join(names) or None


def _span(option: str, text: str) -> tuple[float, float]:
    """The day or the moment that `text` names, half-open, in epoch seconds."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        misused(f"{option}: {text[:40]!r} is no date; write it like 2026-11-28, or 2026-11-28T18:30+01:00")
    day, clock, offset = match.groups()
    try:
        start = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset or '+00:00'}").astimezone(UTC)
        length = timedelta(microseconds=1) if clock else timedelta(days=1)
        return start.timestamp(), (start + length).timestamp()
    except (ValueError, OverflowError) as error:
        misused(f"{option}: {text} is no date: {error}")
