"""What is wrong with a first line that only shows when its parts are held side by side."""

from __future__ import annotations

from pathlib import Path as FilePath

from bridge.domain.first_line.markdown import faults
from bridge.domain.first_line.phrases import same_phrase
from config.first_lines import language_of, read_sections
from config.model_first_line import FirstLine
from config.problems import Path, Problem, suggest
from config.tree import Tree

Wrong = list[tuple[Path, str, str]]
Owners = dict[tuple[str, str], str]


def faults_of_line(line: FirstLine, base: FilePath, tree: Tree) -> Wrong:
    """Returns what is wrong in the configuration; what is wrong in a Markdown file is noted with its own line."""
    wrong: Wrong = []
    owners: Owners = {}
    reached = {item.answer for item in line.menu if item.answer is not None}
    for index, item in enumerate(line.menu):
        if item.answer is not None and item.answer not in line.answers:
            message = f"there is no answer named {item.answer[:60]!r}"
            wrong.append((("menu", index, "answer"), message, suggest(item.answer, line.answers)))
    for key in line.answers:
        wrong += _answer(line, key, owners, key in reached)
    for index, file in enumerate(line.files):
        wrong += _file(file, index, base, tree, owners)
    return wrong


def _answer(line: FirstLine, key: str, owners: Owners, on_menu: bool) -> Wrong:
    answer, path = line.answers[key], ("answers", key)
    wrong: Wrong = []
    if not on_menu and not any(answer.when.values()):
        wrong.append((path, "no phrase and no button leads to this answer", 'when: {en: ["opening hours"]}'))
    for language, phrases in answer.when.items():
        if phrases and language not in answer.text:
            message = f"it is asked for in {language}, and has no text in it"
            wrong.append(((*path, "text"), message, f"{language}: the answer in that language."))
        for number, phrase in enumerate(phrases):
            place: Path = (*path, "when", language, number)
            told = same_phrase(phrase, language)
            owner = owners.setdefault((language, told), key)
            if not told:
                message = f"{phrase[:60]!r} has no word that tells it from other questions"
                wrong.append((place, message, "a phrase that names the thing, such as opening hours."))
            elif owner != key:
                message = f"{phrase[:60]!r} already asks for {owner}"
                wrong.append((place, message, "one answer for one phrase."))
    return wrong


def _file(file: str, index: int, base: FilePath, tree: Tree, owners: Owners) -> Wrong:
    place: Path = ("files", index)
    if not file.lower().endswith((".md", ".markdown")):
        return [(place, f"{file[:80]!r} is not a Markdown file", "a file such as faq.md")]
    try:
        found = read_sections(base, file)
    except (OSError, ValueError):
        message = f"{file[:80]!r} is not there beside this file, or is no Markdown text in UTF-8 up to 1 MB"
        return [(place, message, "its path.")]
    if not found:
        return [(place, f"{file[:80]!r} has no heading, so it answers nothing", "# The question")]
    wrong = faults(found)
    language = language_of(file)
    for section in found:
        told = same_phrase(section.question, language)
        if section.text and told:
            owner = owners.setdefault((language, told), f"{file}:{section.line}")
            if owner != f"{file}:{section.line}":
                wrong.append((section.line, f"{section.question[:60]!r} already asks for {owner}"))
        elif section.text and section.question:
            wrong.append((section.line, "this heading has no word that tells it from other questions"))
    for line, message in wrong:
        tree.problems.append(Problem(str(base / file), line, None, "", message, "a heading of its own."))
    return []
