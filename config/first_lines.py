"""From `first_line` in the configuration, and its Markdown files, to the answers that matching looks through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bridge.domain.first_line.answers import Answer
from bridge.domain.first_line.markdown import Section, sections
from config.model_first_line import FirstLine

LARGEST = 1_000_000  # bytes of one file of answers
_LANGUAGE = re.compile(r"\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?)\.[^.]+$")


def language_of(file: str) -> str:
    """The language a file of answers is in: es for faq.es.md, English for faq.md."""
    named = _LANGUAGE.search(file)
    return named[1] if named else "en"


def read_sections(base: Path, file: str) -> list[Section]:
    """The headings of a file. Raises OSError, or ValueError where it is too large or no UTF-8."""
    if not (base / file).is_file():  # to open a pipe would wait for a writer
        raise OSError
    with (base / file).open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("too large")
    return sections(content.decode("utf-8"))


def answers_of(line: FirstLine, base: Path) -> list[Answer]:
    """Every answer of a checked first line that a question can find, files included."""
    found = [
        Answer(key, language, phrases, line.answers[key].text[language])
        for key, language, phrases in _phrases(line)
        if phrases and language in line.answers[key].text
    ]
    for file in line.files:
        for section in read_sections(base, file):
            if section.text:
                where = f"{file}:{section.line}"
                found.append(Answer(where, language_of(file), (section.question,), section.text))
    return found


def _phrases(line: FirstLine) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for key, answer in line.answers.items():
        for language, phrases in answer.when.items():
            yield key, language, phrases
