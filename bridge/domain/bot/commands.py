"""What agents and leads say to the bot: text -> a Command, or a Refusal that helps. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from bridge.domain.bot.times import End, split_times
from bridge.domain.conversation.thread_words import visible
from bridge.domain.duty.roster import Roster

REFERENCE = re.compile(r"#?([0-9a-f]{6})", re.ASCII | re.IGNORECASE)
_MOST = 300  # characters of a command; what is longer is no command
PREVIEW_KEYS = ("at", "source", "store", "topic", "language", "subject")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who speaks to the bot. `agent`: the configuration's key, None for a lead who answers nobody."""

    email: str
    agent: str | None
    lead: bool


@dataclass(frozen=True, slots=True)
class Command:
    """`word`: the command; the rest as far as it needs it. `ref`: six hex digits, upper case."""

    word: str
    ref: str | None = None
    agent: str | None = None
    to: str | None = None
    team: str | None = None
    day: str | None = None
    number: int | None = None
    start: str | None = None
    end: End | None = None
    ask: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """For the audit."""
        asked = [f"{key}={value}" for key, value in self.ask.items()]
        parts = (
            self.word,
            self.ref,
            self.number,
            self.agent,
            self.to and f"to {self.to}",
            self.team,
            self.day,
            self.start and f"from {self.start}",
            self.end,
            *asked,
        )
        return " ".join(str(part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is done; `text` says why and what would be right."""

    text: str


Parsed = Command | Refusal
AGENT_HELP = {
    "help": "help - this list",
    "on": "on - on duty again",
    "off": "off [30m | 2pm | until 14:30 | fri | from tomorrow 09:00 until fri 17:00] - off duty; without a time "
    "until you say on, at most 12 hours",
    "plans": "plans - what was said about your duty, with numbers",
    "cancel": "cancel <number> - take one of your plans back",
    "status": "status - whether customers come to you now",
    "mine": "mine - your conversations",
    "done": "done <ref> - close a conversation",
    "transfer": "transfer <ref> <agent or team> - hand a conversation over",
    "history": "history <ref> - what was said",
}
LEAD_HELP = {
    "board": "board - every team at a glance",
    "queue": "queue - who waits",
    "who": "who [team] - who is on duty",
    "roster": "roster [today | sat | 2026-11-28] - the shifts of a day",
    "off": "off <agent> [30m | until 14:30 | from tomorrow until fri 17:00], on <agent> - switch somebody off or on",
    "cover": "cover <agent> with <agent> [from 24 dec] until 27 dec - somebody has another's shifts",
    "plans": "plans [agent] - what was said about duty, now and ahead, with numbers",
    "cancel": "cancel <number> - take one of the plans back",
    "assign": "assign <ref> <agent> - give a conversation to somebody",
    "pause": "pause <team> - nobody new for this team",
    "resume": "resume <team> - customers again",
    "preview": "preview [18:30] [store=S12] [topic=...] [language=...] - who would get a customer",
    "done": "done, transfer, history - as for agents, for every conversation",
}
THREAD_HELP = (
    "In a customer's own thread, alone on a line: /done closes the conversation, /transfer <agent or team> hands "
    "it over, /note <text> is kept with it. None of this reaches the customer."
)
_ALIASES = {
    "?": "help",
    "hi": "help",
    "hello": "help",
    "close": "done",
    "away": "off",
    "back": "on",
    "unpause": "resume",
}


def parse(text: str, asker: Asker, roster: Roster) -> Parsed:
    """The command in `text`, for this person."""
    line = visible(" ".join(text.split()))
    if not line:
        return Refusal("There was no text in it. Say help for what I understand.")
    word, _, rest = line.partition(" ")
    word = word.lower().lstrip("/\uff0f!").rstrip(":,.!") or "?"
    word = _ALIASES.get(word, word)
    known = _words(asker)
    if word not in known:
        return Refusal(_unknown(word, known, asker))
    if len(line) > _MOST:
        return Refusal(f"That is too long for a command. {_usage(word, asker)}")
    found = _PARSERS.get(word, _bare)(word, rest.strip(), asker, roster)
    return found or Refusal(_usage(word, asker))


def help_text(asker: Asker) -> str:
    """The commands that this person may use."""
    lines = []
    if asker.agent:
        lines += ["For you as an agent:", *(f"  {one}" for one in AGENT_HELP.values())]
    if asker.lead:
        lines += ["For you as a lead:", *(f"  {one}" for one in LEAD_HELP.values())]
    return "\n".join([*lines, THREAD_HELP] if asker.agent else lines)


def find_agent(name: str, roster: Roster) -> str | Refusal:
    """An agent's key, by key, e-mail or name in any case."""
    wanted = name.strip().casefold()
    called = {
        key: {key.casefold(), one.email.casefold(), one.name.casefold()} for key, one in roster.agents.items()
    }
    exact = next((key for key, names in called.items() if wanted in names), None)
    if exact:
        return exact
    first = [key for key, one in roster.agents.items() if one.name.casefold().split()[:1] == [wanted]]
    if len(first) == 1:
        return first[0]
    names = [agent.name for agent in roster.agents.values()]
    return Refusal(f"Nobody is called {name[:60]}.{_meant(name, [*roster.agents, *names])}")


def find_team(name: str, roster: Roster) -> str | Refusal:
    wanted = name.strip().casefold()
    found = next((key for key in roster.teams if key.casefold() == wanted), None)
    return found or Refusal(
        f"No team is called {name[:60]}.{_meant(name, roster.teams) or _list(roster.teams)}"
    )


def _words(asker: Asker) -> list[str]:
    mine = [*(AGENT_HELP if asker.agent else ()), *(LEAD_HELP if asker.lead else ())]
    return list(
        dict.fromkeys([*mine, "help", *(("on", "transfer", "history", "status") if asker.lead else ())])
    )


def _unknown(word: str, known: Iterable[str], asker: Asker) -> str:
    if word in LEAD_HELP and not asker.lead:
        return f"Only leads may say {word}. Say help for what you can ask me."
    if word in AGENT_HELP:
        return f"You are no agent in the configuration, so {word} is not for you. Say help for what you can ask me."
    return (
        f"I do not know {word[:40]!r}; nothing was done.{_meant(word, known)} Say help for what I understand."
    )


def _meant(word: str, known: Iterable[str]) -> str:
    by_fold = {one.casefold(): one for one in known}
    close = get_close_matches(word.casefold()[:60], by_fold, n=1, cutoff=0.6)
    return f" Did you mean {by_fold[close[0]]}?" if close else ""


def _list(names: Iterable[str]) -> str:
    return f" There are: {', '.join(list(names)[:30])}."


def _usage(word: str, asker: Asker) -> str:
    usage = (LEAD_HELP.get(word) if asker.lead else None) or AGENT_HELP.get(word) or word
    if word in AGENT_HELP and word != "off":
        usage = AGENT_HELP[word]
    return f"Write it like this: {usage}"


# --- one parser for each word; None: the usage is told ------------------------------------------------


def _bare(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    return None if rest and word not in ("help", "status", "mine", "board", "queue") else Command(word)


def _duty(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    """on, off: one's own or, for a lead, somebody's."""
    name, start, end = split_times(rest)
    agent = asker.agent
    if name:
        if name[0].isdigit():
            return None
        found = find_agent(name, roster)
        if isinstance(found, Refusal):
            return found
        agent = found
        if agent != asker.agent and not asker.lead:
            return Refusal(f"Only leads may switch somebody else {word}.")
    if agent is None:
        return Refusal(f"You are no agent in the configuration; say whom you mean: {word} <agent>.")
    return Command(word, agent=agent, start=start, end=end)


def _plans(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    if not rest or not asker.lead:
        return None if rest else Command(word, agent=None if asker.lead else asker.agent)
    agent = find_agent(rest, roster)
    return agent if isinstance(agent, Refusal) else Command(word, agent=agent)


def _cancel(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    number = rest.strip().lstrip("#").rstrip(".")
    return Command(word, number=int(number)) if re.fullmatch(r"[0-9]{1,12}", number, re.ASCII) else None


def _ref_only(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    if not rest:
        return Command(word)
    ref, more = _split_ref(rest)
    return None if ref is None or more else Command(word, ref=ref)


def _transfer(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    ref, to = _split_ref(rest)
    to = re.sub(r"^to\s+", "", to, flags=re.IGNORECASE)
    if not to:
        return None
    team, agent = find_team(to, roster), find_agent(to, roster)
    if isinstance(team, str):
        return Command(word, ref=ref, to=team)
    if isinstance(agent, Refusal):
        return Refusal(
            f"Nobody and no team is called {to[:60]}.{_meant(to, [*roster.agents, *roster.teams])}"
        )
    return Command(word, ref=ref, to=agent)


def _assign(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    ref, to = _split_ref(rest)
    to = re.sub(r"^to\s+", "", to, flags=re.IGNORECASE)
    if ref is None or not to:
        return None
    agent = find_agent(to, roster)
    return agent if isinstance(agent, Refusal) else Command(word, ref=ref, to=agent)


def _cover(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    names, start, end = split_times(rest)
    absent, found, covering = re.sub(r"\s+(with|by)\s+", "\n", names, count=1, flags=re.IGNORECASE).partition(
        "\n"
    )
    if not found or (end is None and start is None):
        return None
    who, by = find_agent(absent, roster), find_agent(covering, roster)
    for one in (who, by):
        if isinstance(one, Refusal):
            return one
    if who == by:
        return Refusal("Nobody can cover for themselves.")
    return Command(word, agent=str(who), to=str(by), start=start, end=end)


def _team(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    name, start, end = split_times(rest)
    if not name and word == "who":
        return Command(word)
    if not name and len(roster.teams) == 1:
        name = next(iter(roster.teams))
    if not name or start or (end and word != "pause"):
        return None
    team = find_team(name, roster)
    return team if isinstance(team, Refusal) else Command(word, team=team, end=end)


def _roster(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    return Command(word, day=rest or None)


def _preview(word: str, rest: str, asker: Asker, roster: Roster) -> Parsed | None:
    """`preview 18:30 store=S12`, and as on the command line: `preview --at ... --store S12`."""
    ask: dict[str, str] = {}
    tokens = rest.split()
    while tokens:
        key, equals, value = tokens.pop(0).partition("=")
        name = key.lstrip("-—–").lower()
        if not equals and name in PREVIEW_KEYS:
            if not tokens:
                return None
            value = tokens.pop(0)
        elif not equals:
            name, value = "at", key
        if name not in PREVIEW_KEYS or not value or name in ask:
            return None
        ask[name] = value
    return Command(word, ask=ask)


def _split_ref(rest: str) -> tuple[str | None, str]:
    """A reference at the beginning, and what follows it."""
    first, _, more = rest.partition(" ")
    found = REFERENCE.fullmatch(first)
    return (found[1].upper(), more.strip()) if found else (None, rest)


_PARSERS: dict[str, Callable[[str, str, Asker, Roster], Parsed | None]] = {
    "on": _duty,
    "off": _duty,
    "done": _ref_only,
    "history": _ref_only,
    "transfer": _transfer,
    "assign": _assign,
    "cover": _cover,
    "who": _team,
    "pause": _team,
    "resume": _team,
    "roster": _roster,
    "preview": _preview,
    "plans": _plans,
    "cancel": _cancel,
}
