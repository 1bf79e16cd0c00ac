"""What an agent's message in a 1:1 holds: words for the customer, and a command. Nobody else parses it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import category

DONE, TRANSFER, NOTE, HELP = "/done", "/transfer", "/note", "/help"
_SLASHES = ("/", "\uff0f")  # the wide one comes from Asian keyboards
_NO_WIDTH = "\u034f\u180e"  # shown as nothing, though Unicode does not count them as format characters


@dataclass(frozen=True, slots=True)
class Command:
    """`word` with its slash, in lower case; `rest` of its line; `more`: the lines below; `text`: all of it."""

    word: str
    rest: str
    more: str
    text: str

    @property
    def known(self) -> bool:
        if self.word in (DONE, HELP):
            return not self.rest
        return bool(self.rest) if self.word == TRANSFER else self.word == NOTE and bool(self.note)

    @property
    def note(self) -> str:
        return f"{self.rest}\n{self.more}".strip()


def parted(text: str) -> tuple[str, Command | None]:
    """The words for the customer and the command, which goes from the first line with a slash to the end."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        shown = visible(line)
        if shown.startswith(_SLASHES):
            return "\n".join(lines[:index]).strip(), _command("/" + shown[1:], lines[index + 1 :])
    return text, None


def _command(first: str, below: list[str]) -> Command:
    word, _, rest = _spaced(first).strip().partition(" ")
    plain = "".join(one for one in word if not _unseen(one)).lower()
    more = "\n".join(below).strip()
    return Command(plain, visible(visible(rest)[::-1])[::-1], more, "\n".join([first, *below]).strip())


def _spaced(line: str) -> str:
    """Every blank a common one: clients put others between words."""
    return "".join(" " if one.isspace() else one for one in line)


def visible(line: str) -> str:
    """`line` without what stands before the first character that can be seen."""
    for index, character in enumerate(line):
        if not (character.isspace() or _unseen(character)):
            return line[index:]
    return ""


def _unseen(character: str) -> bool:
    return category(character) == "Cf" or character in _NO_WIDTH
