"""What an agent is told of a new conversation: the content of the context card and its plain-text twin. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.domain.bot.words import one_line
from bridge.domain.conversation.splitting import split_text
from bridge.domain.duty.roster import Roster

_MOST_FACTS, _LONGEST_FACT, _LONGEST_NAME = 12, 200, 40
_MOST_BYTES = 2500  # of all facts: a card that is too large would not arrive at all
_MOST_CHOICES = 50
_ACTIVE = re.compile(r"([\\`*_\[\]<>~])")


@dataclass(frozen=True, slots=True)
class Context:
    """`facts`: (title, value) pairs. `choices`: (title, value) of whom it can be handed over to.

    `handed`: a sentence on where it comes from; `last`: the last words, oldest first.
    """

    conversation_id: str
    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    choices: tuple[tuple[str, str], ...]
    handed: str | None = None
    last: tuple[str, ...] = ()


def context_facts(
    *,
    team: str | None,
    source: str,
    store: str | None,
    topic: str | None,
    language: str | None,
    context: str | None,
    hide: Callable[[str], str] = str,
) -> tuple[tuple[str, str], ...]:
    """Where and why, then whatever else the source knows; cut so that no event can make a card too large.

    `hide` masks what must not reach Webex, before anything is cut.
    """
    known = (("Store", store), ("Topic", topic), ("Language", language), ("Source", source), ("Team", team))
    facts = [(title, one_line(value, _LONGEST_FACT)) for title, value in known if value]
    facts += list(_own_facts(context, hide))[:_MOST_FACTS]
    size, kept = 0, []
    for title, value in facts:
        size += len(title.encode()) + len(value.encode())
        if title and value and size <= _MOST_BYTES:
            kept.append((title, value))
    return tuple(kept)


def _own_facts(context: str | None, hide: Callable[[str], str]) -> Iterable[tuple[str, str]]:
    try:
        found = json.loads(context) if context else {}
    except (ValueError, RecursionError):
        found = {"context": context}
    for name, value in (found if isinstance(found, dict) else {"context": found}).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        title, shown = one_line(hide(name), _LONGEST_NAME), one_line(hide(text), _LONGEST_FACT)
        yield title, shown


def choices(
    roster: Roster, on_duty: Mapping[str, Sequence[str]], not_this: str | None
) -> tuple[tuple[str, str], ...]:
    """People and teams on duty now (`on_duty`: agents' keys by team), without the card's own reader."""
    people = dict.fromkeys(key for keys in on_duty.values() for key in keys if key != not_this)
    teams = [key for key, keys in on_duty.items() if any(one != not_this for one in keys)]
    found = [(f"{one_line(roster.agents[key].name, 60)}", key) for key in people]
    found += [(f"Team {one_line(key, 60)}", key) for key in teams]
    return tuple(found[:_MOST_CHOICES])


def plain_text(card: Context, buttons: bool) -> str:
    """The same for clients that show no cards; also what a lost attempt is recognised by."""
    ref = card.conversation_id[-6:].upper()
    lines = [card.title, card.lead, *([card.handed] if card.handed else [])]
    lines += [f"{title}: {value}" for title, value in card.facts]
    lines += [f"> {words}" for words in card.last]
    if not buttons:
        lines.append(f"Say: done {ref}, transfer {ref} <agent or team>, history {ref}, off")
    return split_text("\n".join(lines))[0]


def escaped(text: str) -> str:
    """Text for a card's text block, in which Webex renders markdown: shown as it is, whatever it holds.

    Source: https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features (also `{{DATE(...)}}`).
    """
    shown = _ACTIVE.sub(r"\\\1", text).replace("{{", "{\u2060{")
    return re.sub(r"^(\s*)([-+]|\d+\.)(\s)", "\\1\u2060\\2\\3", shown)
