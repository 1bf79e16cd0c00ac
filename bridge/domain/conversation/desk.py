"""The desk: who is on duty and how busy they are, as one round of decisions sees and changes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bridge.domain.conversation.model import Conversation
from bridge.domain.conversation.refusals import REFUSED_SECONDS
from bridge.domain.duty.duty import Override
from bridge.domain.duty.roster import Agent, Ask, Roster, Team
from bridge.domain.duty.routing import AgentLoad, choose, find_team, teams_to_try
from bridge.domain.duty.table import DutyTable, duty_table

FOREVER = float("inf")
MOMENT = 1e-6  # seconds between two customers of one round: epoch seconds as doubles still tell them apart
_KNOWN_ROUTES = 10_000  # whatever senders write into `store` and `topic`, memory is bounded


@dataclass(slots=True)
class AgentState:
    """An agent's row in the store."""

    key: str
    open: int = 0
    given: int = 0
    last_given_at: float | None = None
    refused_until: float | None = None
    refused: str | None = None
    absent_until: float | None = None
    absent: str | None = None

    def load(self, now: float) -> AgentLoad:
        refused = self.refused if self.refused_until and self.refused_until > now else None
        absent = self.absent if self.absent_until and self.absent_until > now else None
        return AgentLoad(self.open, self.last_given_at, self.given, refused, absent)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a customer goes: to an agent, or to a team's queue."""

    team: str
    agent: str | None
    email: str | None
    name: str | None
    opens_at: float | None
    closed: bool
    reason: str
    position: int = 0  # in the team's queue, should it have to wait
    passed_over: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TeamRules:
    """The seconds after which something must happen; 0: never."""

    answer_within: float = 0
    alert_after: float = 0


class DutyBook:
    """Keeps each team's duty until it changes. One for a roster; a changed roster gets a new book."""

    def __init__(
        self, roster: Roster, overrides: Sequence[Override] = (), paused: frozenset[str] = frozenset()
    ) -> None:
        self.roster = roster
        self.overrides = tuple(overrides)
        self.paused = paused  # teams that take nobody new for now
        # Within these two all who wait are with the right team and know when it opens.
        self.settled_from, self.settled_until = 0.0, 0.0
        # Of those who wait, the last one that was looked at in vain: (queued_at, conversation).
        self.looked_past: tuple[float, str] | None = None
        self.left_out: set[str] = set()  # conversations that wait and whose plan cannot be written
        self._tables: dict[str, tuple[float, float, DutyTable]] = {}
        self._routes: dict[Ask, Team] = {}

    def team_for(self, ask: Ask) -> Team:
        """The team of the first route that matches; a customer whom no route names goes to the first team,
        for unseen is worse than misplaced."""
        team = self._routes.get(ask)
        if team is None:
            found = find_team(self.roster, ask)
            team = found[1] if found else next(iter(self.roster.teams.values()))
            if len(self._routes) >= _KNOWN_ROUTES:
                self._routes.clear()
            self._routes[ask] = team
        return team

    def told(self, team: Team, now: float) -> tuple[str, float | None]:
        """What a customer who waits there is told: `queued` or `closed`, and when the team opens again."""
        table = self.table(team, now)
        return "queued" if table.open else "closed", table.opens_at.timestamp() if table.opens_at else None

    def changes_at(self, now: float) -> float:
        """When somebody's duty changes next in any team; at the latest at a midnight."""
        tables = [self.table(team, now) for team in self.roster.teams.values()]
        return min((table.valid_until.timestamp() for table in tables), default=FOREVER)

    def table(self, team: Team, now: float) -> DutyTable:
        since, until, table = self._tables.get(team.key, (0.0, 0.0, None))
        if table is None or not since <= now < until:  # a clock set back makes the table anew, too
            table = duty_table(self.roster, team, _moment(now), self.overrides)
            self._tables[team.key] = (now, table.valid_until.timestamp(), table)
        return table


@dataclass(slots=True)
class Desk:
    """Counts what it gives within a round, so that two customers do not get the same last place."""

    book: DutyBook
    states: dict[str, AgentState]
    queued: Counter[str] = field(default_factory=Counter)  # how many wait, by team
    worth_a_look: bool = False  # somebody became free since those who wait were looked at
    _changed: set[str] = field(default_factory=set)
    _latest: float = 0.0

    def __post_init__(self) -> None:
        self._latest = max((state.last_given_at or 0.0 for state in self.states.values()), default=0.0)

    def place(
        self,
        conversation: Conversation,
        now: float,
        *,
        excluding: Sequence[str] = (),
        overflow_now: bool = False,
        only: Sequence[str] | None = None,
    ) -> Placed:
        """`overflow_now`: the overflow teams are asked without waiting; `only`: these teams and no others."""
        roster = self.book.roster
        team = self._team(conversation)
        waited = now - conversation.queued_at if conversation.queued_at else 0.0
        reason = ""
        passed_over: tuple[tuple[str, str], ...] = ()
        candidates = teams_to_try(team, FOREVER if overflow_now else waited, roster)
        if only is not None:
            candidates = tuple(roster.teams[key] for key in only if key in roster.teams)
        for candidate in candidates:
            if candidate.key in self.book.paused:
                reason = reason or f"{candidate.key} takes nobody new for now"
                continue
            choice = choose(
                candidate,
                roster,
                _moment(now),
                ask_of(conversation),
                {key: state.load(now) for key, state in self.states.items()},
                sticky=_sticky(conversation, candidate, now),
                not_these=frozenset(excluding),
                waited_seconds=FOREVER if overflow_now else waited,
                table=self.book.table(candidate, now),
            )
            reason = reason or choice.reason
            passed_over += choice.passed_over
            if choice.agent:
                agent = roster.agents[choice.agent]
                return Placed(
                    team=team.key,
                    agent=agent.key,
                    email=agent.email,
                    name=agent.name,
                    opens_at=None,
                    closed=False,
                    reason=choice.reason,
                    passed_over=passed_over,
                )
        told, opens_at = self.book.told(team, now)
        position = self.queued[team.key] + 1
        return Placed(team.key, None, None, None, opens_at, told == "closed", reason, position, passed_over)

    def place_again(
        self,
        conversation: Conversation,
        now: float,
        *,
        excluding: Sequence[str],
        never: Callable[[], Collection[str]] = frozenset,
    ) -> Placed:
        """For a customer whom `excluding` had before: somebody else, or one of them rather than nobody.

        `never`: who of them cannot have the customer; only asked where it matters.
        """
        place = self.place(conversation, now, excluding=excluding)
        if place.agent or not excluding:
            return place
        return self.place(conversation, now, excluding=sorted(never()))

    def place_for(
        self, conversation: Conversation, now: float, to: str | None, *, excluding: Sequence[str]
    ) -> Placed:
        """A place for a transfer to `to`: an agent or a team, by key, e-mail or name; None: whoever is next."""
        if to is None:
            return self.place(conversation, now, excluding=excluding, overflow_now=True)
        roster, wanted = self.book.roster, to.strip().casefold()
        team = next((key for key in roster.teams if key.casefold() == wanted), None)
        if team is not None:
            return self.place(conversation, now, excluding=excluding, only=[team])
        agent = next((one for one in roster.agents.values() if wanted in _called(one)), None)
        own = self._team(conversation).key
        if agent is None:
            return Placed(own, None, None, None, None, False, f"nobody and no team is called {to[:60]}")
        why_not = self._why_not(agent, conversation, now, excluding)
        if why_not:
            return Placed(own, None, None, None, None, False, f"{agent.name} {why_not}")
        return Placed(own, agent.key, agent.email, agent.name, None, False, "asked for by name")

    def _why_not(self, agent: Agent, conversation: Conversation, now: float, excluding: Sequence[str]) -> str:
        """Why this agent cannot take a transfer now; empty where they can. Skills do not count: somebody chose."""
        load = self._state(agent.key).load(now)
        teams = [team for team in self.book.roster.teams.values() if agent.key in team.agents]
        if agent.key in excluding:
            return "has it already"
        if not any(agent.key in self.book.table(team, now).on_duty for team in teams):
            return "is off duty"
        if load.refused or load.absent:
            return f"cannot be reached: {load.refused or load.absent}"
        if agent.capacity is not None and load.open >= agent.capacity:
            return f"is full ({load.open} of {agent.capacity})"
        return ""

    def rules(self, conversation: Conversation) -> TeamRules:
        team = self.book.roster.teams.get(conversation.team or "")
        return TeamRules(team.answer_within_seconds, team.alert_after_seconds) if team else TeamRules()

    def _team(self, conversation: Conversation) -> Team:
        """Whose it is; who has no agent yet goes by the routes in force, which a lead may have changed."""
        known = self.book.roster.teams.get(conversation.team or "")
        return known if known and conversation.status == "open" else self.book.team_for(ask_of(conversation))

    def must_queue(self, team: str) -> bool:
        """Whether somebody waits there for whom a place may be that was not free when they were looked at."""
        return self.worth_a_look and self.queued[team] > 0

    def joined(self, team: str) -> None:
        """One more waits there."""
        self.queued[team] += 1

    def left(self, team: str | None) -> None:
        """One fewer waits there."""
        if team is not None and self.queued[team] > 0:
            self.queued[team] -= 1

    def teams_with_room(self, now: float) -> set[str]:
        """Teams whose waiting customers somebody could take now, be it by overflow."""
        roster = self.book.roster
        own = {
            key
            for key, team in roster.teams.items()
            if key not in self.book.paused and self._has_room(team, now)
        }
        return own | {key for key, team in roster.teams.items() if own & set(team.overflow)}

    def _has_room(self, team: Team, now: float) -> bool:
        for key in self.book.table(team, now).on_duty:
            load = self._state(key).load(now)
            capacity = self.book.roster.agents[key].capacity
            if load.refused is None and load.absent is None and (capacity is None or load.open < capacity):
                return True
        return False

    def given(self, agent: str, now: float) -> None:
        """Each a moment after the one before: in one round, too, there is one who waited longest."""
        self._latest = max(now, self._latest + MOMENT)
        state = self._state(agent)
        self._put(replace(state, open=state.open + 1, given=state.given + 1, last_given_at=self._latest))

    def freed(self, agent: str) -> None:
        state = self._state(agent)
        self._put(replace(state, open=max(0, state.open - 1)))
        self.worth_a_look = True

    def refused(self, agent: str, reason: str, now: float) -> None:
        self._put(replace(self._state(agent), refused=reason, refused_until=now + REFUSED_SECONDS))

    def agent_name(self, agent: str | None) -> str | None:
        known = self.book.roster.agents.get(agent or "")
        return known.name if known else agent

    def changed_agents(self) -> Iterable[AgentState]:
        return [self.states[key] for key in sorted(self._changed)]

    def _state(self, agent: str) -> AgentState:
        return self.states.get(agent) or AgentState(agent)

    def _put(self, state: AgentState) -> None:
        self.states[state.key] = state
        self._changed.add(state.key)


def _called(agent: Agent) -> set[str]:
    return {agent.key.casefold(), agent.email.casefold(), agent.name.casefold()}


def _sticky(conversation: Conversation, team: Team, now: float) -> str | None:
    """Whom the customer spoke with last time, while that is still recent."""
    if conversation.former_at is None or now - conversation.former_at > team.sticky.days * 86400:
        return None
    return conversation.former_agent


def ask_of(conversation: Conversation) -> Ask:
    return Ask(conversation.source, conversation.store, conversation.topic, conversation.language)


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
