"""The desk: who is on duty and how busy they are, as one round of decisions sees and changes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bridge.domain.duty import Override
from bridge.domain.duty_table import DutyTable, duty_table
from bridge.domain.model import Conversation
from bridge.domain.roster import Ask, Roster, Team
from bridge.domain.routing import AgentLoad, choose, find_team, teams_to_try

REFUSED_SECONDS = 3600.0  # then an agent whom Webex refused is tried once more


@dataclass(slots=True)
class AgentState:
    """An agent's row in the store."""

    key: str
    open: int = 0
    given: int = 0
    last_given_at: float | None = None
    refused_until: float | None = None
    refused: str | None = None

    def load(self, now: float) -> AgentLoad:
        refused = self.refused if self.refused_until and self.refused_until > now else None
        return AgentLoad(self.open, self.last_given_at, self.given, refused)


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


class DutyBook:
    """Keeps each team's duty until it changes. One for a roster; a changed roster gets a new book."""

    def __init__(self, roster: Roster, overrides: Sequence[Override] = ()) -> None:
        self.roster = roster
        self.overrides = tuple(overrides)
        self._tables: dict[str, tuple[float, float, DutyTable]] = {}

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
    queued_teams: set[str] = field(default_factory=set)
    worth_a_look: bool = False  # somebody became free, or a newcomer had to queue behind others
    _changed: set[str] = field(default_factory=set)

    def place(self, conversation: Conversation, now: float, *, excluding: Sequence[str] = ()) -> Placed:
        roster = self.book.roster
        team = self._team(conversation)
        waited = now - conversation.queued_at if conversation.queued_at else 0.0
        reason = ""
        for candidate in teams_to_try(team, waited, roster):
            choice = choose(
                candidate,
                roster,
                _moment(now),
                ask_of(conversation),
                {key: state.load(now) for key, state in self.states.items()},
                not_these=frozenset(excluding),
                waited_seconds=waited,
                table=self.book.table(candidate, now),
            )
            reason = reason or choice.reason
            if choice.agent:
                agent = roster.agents[choice.agent]
                return Placed(team.key, agent.key, agent.email, agent.name, None, False, choice.reason)
        table = self.book.table(team, now)
        opens_at = table.opens_at.timestamp() if table.opens_at else None
        return Placed(team.key, None, None, None, opens_at, not table.open, reason)

    def _team(self, conversation: Conversation) -> Team:
        """The team of the first route that matches; a customer whom no route names goes to the first team,
        for unseen is worse than misplaced."""
        roster = self.book.roster
        known = roster.teams.get(conversation.team or "")
        if known:
            return known
        found = find_team(roster, ask_of(conversation))
        return found[1] if found else next(iter(roster.teams.values()))

    def must_queue(self, conversation: Conversation) -> bool:
        behind = conversation.team in self.queued_teams
        self.worth_a_look = self.worth_a_look or behind
        return behind

    def teams_with_room(self, now: float) -> set[str]:
        """Teams whose waiting customers somebody could take now, be it by overflow."""
        roster = self.book.roster
        own = {key for key, team in roster.teams.items() if self._has_room(team, now)}
        return own | {key for key, team in roster.teams.items() if own & set(team.overflow)}

    def _has_room(self, team: Team, now: float) -> bool:
        for key in self.book.table(team, now).on_duty:
            load = self._state(key).load(now)
            capacity = self.book.roster.agents[key].capacity
            if load.refused is None and (capacity is None or load.open < capacity):
                return True
        return False

    def given(self, agent: str, now: float) -> None:
        state = self._state(agent)
        self._put(replace(state, open=state.open + 1, given=state.given + 1, last_given_at=now))

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


def ask_of(conversation: Conversation) -> Ask:
    return Ask(conversation.source, conversation.store, conversation.topic, conversation.language)


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
