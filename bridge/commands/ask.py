"""`bridge ask`: what a first line would answer, how sure it is, and why. Only files are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.commands.common import (
    ConfigFile,
    config_path,
    environment,
    loaded_of,
    misused,
    say,
    text_option,
    unknown,
)

if TYPE_CHECKING:
    from bridge.domain.first_line.matching import Found


def ask(
    words: Annotated[str, typer.Argument(help="What a customer would write.", metavar="WORDS")],
    line: Annotated[
        str | None, typer.Option(help="The first line's name; needed where there are several.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="The customer's language; else any.")] = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Say what a first line would answer, and why.

    How sure it is is said too. Words that ask for a person lead to one.
    Exits 1 when it would answer nothing and offer a person. Only files are read.

    \b
    bridge ask --line desk "when do you close"
    """
    from bridge.domain.first_line.matching import ask as look
    from bridge.domain.first_line.person import asks_for_a_person
    from config.files import folder_of
    from config.first_lines import answers_of

    words = text_option("WORDS", words)
    environ = environment(config)
    path = config_path(environ)
    lines = loaded_of(path, environ, offline=True).config.first_line
    if line is None and len(lines) != 1:
        misused(f"--line is needed; first lines: {', '.join(sorted(lines)) or 'none'}")
    name = next(iter(lines)) if line is None else line
    if name not in lines:
        misused(f"--line: {unknown('first line', name, lines)}")
    if asks_for_a_person(words):
        why = "these words ask for a person"
        say(json.dumps({"person": True, "why": [why]}) if as_json else f"a person\nWhy:\n  {why}")
        raise typer.Exit(0)
    found = look(answers_of(lines[name], folder_of(path)), words, language)
    say(json.dumps(_as_json(found)) if as_json else _as_text(found))
    raise typer.Exit(0 if found.answer else 1)


def _as_json(found: Found) -> dict[str, Any]:
    answer = found.answer
    return {
        "answer": answer.key if answer else None,
        "language": answer.language if answer else None,
        "text": answer.text if answer else None,
        "sure": found.sure,
        "nearest": found.nearest.key if found.nearest else None,
        "why": list(found.why),
    }


def _as_text(found: Found) -> str:
    if found.answer:
        head = f"{found.answer.key} ({found.answer.language}), {found.sure:.0%} sure\n{found.answer.text}"
    elif found.nearest:
        head = f"nothing; nearest is {found.nearest.key} ({found.nearest.language}), {found.sure:.0%} sure"
    else:
        head = "nothing"
    return "\n".join([head, "Why:", *(f"  {reason}" for reason in found.why)])
