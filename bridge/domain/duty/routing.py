"""Which team and which agent get a customer, with reasons that a team lead understands.

Beside contract section 4:

* Route patterns are shell globs (`*`, `?`, `[abc]`) over the whole value; upper and lower case differ, save
  in language tags, where `es_MX` is `es-MX`. The pattern `es` is not `es-MX`; write `es*`.
* Skills are compared as they are written. An agent's language `es` also takes `es-MX`, and an agent of
  `es-MX` takes a customer who only says `es`, but `es-MX` does not take `es-ES`.
* A customer who names no topic (or no language) can go to anyone on duty, also to those with skills: else a
  team of specialists would leave such a customer unseen, and coverage would not be what preview says.
* The former agent is preferred (sticky) only while on duty; busy, they are waited for `sticky.wait_seconds`.
* After `overflow_after_seconds` all overflow teams are tried, in the order they are listed, behind the own
  team. Their own overflow lists do not count, so there can be no circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from bridge.domain.duty.duty import Override
from bridge.domain.duty.roster import Agent, Ask, Pick, Roster, Route, Team
from bridge.domain.duty.table import DutyTable, duty_table


@dataclass(frozen=True, slots=True)
class AgentLoad:
    """What the store knows of an agent.

    `open`: conversations held now. `last_given_at`: epoch seconds of the last one given. `given`: how many in
    all; decides between equals. `refused`: why Webex does not let guests write to them. `absent`: what their
    presence says against it. Both are sentences, None where nothing is against it.
    """

    open: int = 0
    last_given_at: float | None = None
    given: int = 0
    refused: str | None = None
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """`agent`: the key, None for nobody. `passed_over`: (key, reason) of the others, in configuration order.

    `wait_for_sticky`: seconds for which the customer still waits for the former agent, who is on duty but
    busy; None when there is nothing to wait for.
    """

    agent: str | None
    reason: str
    passed_over: tuple[tuple[str, str], ...] = ()
    wait_for_sticky: float | None = None


IDLE = AgentLoad()
NEVER = float("-inf")


def find_team(roster: Roster, ask: Ask) -> tuple[Route, Team] | None:
    """The first route that matches, with its team; None when none does."""
    for route in roster.routes:
        if _matches(route, ask):
            return route, roster.teams[route.team]
    return None


def teams_to_try(team: Team, waited_seconds: float, roster: Roster) -> tuple[Team, ...]:
    """The teams that may take a customer of `team` who has waited so long, in the order to ask them."""
    if waited_seconds < team.overflow_after_seconds:
        return (team,)
    others = [roster.teams[key] for key in dict.fromkeys(team.overflow) if key in roster.teams]
    return (team, *(other for other in others if other.key != team.key))


def choose(
    team: Team,
    roster: Roster,
    now: datetime,
    ask: Ask,
    load: Mapping[str, AgentLoad],
    overrides: Sequence[Override] = (),
    sticky: str | None = None,
    not_these: frozenset[str] = frozenset(),
    *,
    waited_seconds: float = 0,
    table: DutyTable | None = None,
) -> Choice:
    """Who of `team` gets this customer now.

    `sticky`: the former agent, already within `sticky.days`. `not_these`: who had this conversation before.
    `table`: the duty at `now` where the caller keeps one, which makes this cheap; then `now` and `overrides`
    are not looked at.
    """
    table = table or duty_table(roster, team, now, overrides)
    against = {
        key: _why_not(roster.agents[key], load.get(key, IDLE), ask, key in not_these) for key in table.on_duty
    }
    free = [key for key, why in against.items() if why is None]
    if team.sticky.days > 0 and sticky in against:
        former = roster.agents[sticky]
        if sticky in free:
            beaten = f"free, but {former.name} spoke with this customer before"
            return _chosen(
                sticky, "spoke with this customer before, on duty and free", table, against, beaten
            )
        left = team.sticky.wait_seconds - waited_seconds
        if left > 0 and _only_full(former, load.get(sticky, IDLE), ask, sticky in not_these):
            reason = f"waits up to {left:g} seconds for {former.name}, who spoke with this customer before"
            beaten = f"free, but the customer waits for {former.name} first"
            return Choice(None, reason, _passed_over(table, against, beaten), left)
    if not free:
        return Choice(None, _why_nobody(table), _passed_over(table, against, ""))
    key = _picked(team.pick, free, table.members, load)
    beaten = _BEATEN[team.pick].format(roster.agents[key].name)
    return _chosen(key, _why_picked(team.pick, key, free, load), table, against, beaten)


def takes(agent: Agent, topic: str | None, language: str | None) -> bool:
    """Whether an agent takes customers of this topic and language; None: whatever the customer names."""
    skilled = topic is None or not agent.skills or topic in agent.skills
    return skilled and (language is None or not agent.languages or speaks(agent.languages, language))


def speaks(languages: Iterable[str], asked: str) -> bool:
    """Whether one of an agent's language tags serves a customer's, e.g. `es` serves `es-MX`."""
    wanted = _tag(asked)
    return any(_begins(wanted, own) or _begins(own, wanted) for own in map(_tag, languages))


def _matches(route: Route, ask: Ask) -> bool:
    return (
        _glob(route.source, ask.source)
        and _glob(route.store, ask.store)
        and _glob(route.topic, ask.topic)
        and _glob(_tags(route.language), _tag(ask.language) if ask.language else ask.language)
    )


def _glob(patterns: tuple[str, ...] | None, value: str | None) -> bool:
    if patterns is None:
        return True
    return value is not None and any(fnmatchcase(value, pattern) for pattern in patterns)


def _tags(patterns: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if patterns is None else tuple(map(_tag, patterns))


def _tag(language: str) -> str:
    return language.strip().replace("_", "-").lower()


def _begins(tag: str, start: str) -> bool:
    return tag == start or tag.startswith(start + "-")


def _why_not(agent: Agent, load: AgentLoad, ask: Ask, had_it: bool) -> str | None:
    """Why an agent on duty cannot have this customer now; None where nothing is against it."""
    if had_it:
        return "had this conversation before"
    if load.refused is not None:
        return load.refused
    if load.absent is not None:
        return load.absent
    if agent.skills and ask.topic is not None and ask.topic not in agent.skills:
        return f"takes only {_list(agent.skills)}, not {ask.topic}"
    if agent.languages and ask.language is not None and not speaks(agent.languages, ask.language):
        return f"speaks only {_list(agent.languages)}, not {ask.language}"
    if agent.capacity is not None and load.open >= agent.capacity:
        return f"busy: holds {load.open} of at most {agent.capacity} conversations"
    return None


def _only_full(agent: Agent, load: AgentLoad, ask: Ask, had_it: bool) -> bool:
    """Whether nothing but the capacity is against this agent."""
    emptied = AgentLoad(0, load.last_given_at, load.given, load.refused, load.absent)
    return _why_not(agent, emptied, ask, had_it) is None


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _picked(pick: Pick, free: Sequence[str], members: Sequence[str], load: Mapping[str, AgentLoad]) -> str:
    """One of `free`, which is in configuration order, so that the first of equals is the first there."""

    def idle(key: str) -> tuple[float, int]:
        mine = load.get(key, IDLE)
        return (NEVER if mine.last_given_at is None else mine.last_given_at, mine.given)

    if pick is Pick.LEAST_BUSY:
        return min(free, key=lambda key: (load.get(key, IDLE).open, idle(key)))
    if pick is Pick.LONGEST_IDLE:
        return min(free, key=idle)
    place = {key: number for number, key in enumerate(members)}
    latest = max(members, key=lambda key: (idle(key), place[key]))
    after = place[latest] + 1 if idle(latest)[0] > NEVER else 0
    return min(free, key=lambda key: (place[key] - after) % len(members))


def _chosen(key: str, why: str, table: DutyTable, against: Mapping[str, str | None], beaten: str) -> Choice:
    return Choice(key, why, _passed_over(table, against, beaten, key))


def _passed_over(
    table: DutyTable, against: Mapping[str, str | None], beaten: str, chosen: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Everyone but the chosen one; `beaten` is said of those against whom there is nothing."""
    off = table.off
    return tuple(
        (key, off[key] if key in off else against[key] or beaten) for key in table.members if key != chosen
    )


def _why_nobody(table: DutyTable) -> str:
    if not table.open:
        return table.reason
    if not table.on_duty:
        return f"nobody in {table.team} is on duty"
    return f"nobody on duty in {table.team} can take this customer now"


def _why_picked(pick: Pick, key: str, free: Sequence[str], load: Mapping[str, AgentLoad]) -> str:
    if len(free) == 1:
        return "the only one on duty who is free for this customer"
    mine = load.get(key, IDLE)
    if pick is Pick.LEAST_BUSY:
        return f"on duty and least busy, with {mine.open} open conversations"
    if pick is Pick.ROUND_ROBIN:
        return "on duty and next in turn"
    if mine.last_given_at is None:
        return "on duty and not given a customer yet; of several, the first in the configuration"
    return "on duty and longest without a new customer"


_BEATEN = {
    Pick.LONGEST_IDLE: "free, but {} has been without a new customer for longer or comes first",
    Pick.LEAST_BUSY: "free, but {} is less busy or comes first",
    Pick.ROUND_ROBIN: "free, but {} is next in turn",
}
