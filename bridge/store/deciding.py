"""Intake: claims the envelopes that wait, has them decided, commits every plan with 'envelope done'.

No I/O stands between the claim and the decision, so no lease is needed: one transaction does it all.
The rounds of several processes run one after another (`sql.take_turn`): who is free is then counted once, and two
customers cannot get the same last place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, tuple_

from bridge.domain.conversation.answer import Answer
from bridge.domain.conversation.decide import decide, look_again
from bridge.domain.conversation.desk import AgentState, Desk
from bridge.domain.conversation.facts import SHOWN, Delivered, Facts
from bridge.domain.conversation.model import Conversation, Envelope, Plan, Said
from bridge.domain.conversation.refusals import Refusal
from bridge.store import refusals
from bridge.store.answers import answers_to
from bridge.store.engine.prepared import Prepared, among
from bridge.store.overrides import current
from bridge.store.pieces import Failed, Pieces
from bridge.store.plans import Changes, commit
from bridge.store.policies import policy_of
from bridge.store.rows import CONVERSATION_COLUMNS, conversation_of, envelope_of, own_words
from bridge.store.tables import agents, conversations, deliveries
from bridge.store.taking import done, take
from bridge.store.waiting import astray
from bridge.store.words import Words, fate

_QUEUED = 500


@dataclass(frozen=True, slots=True)
class Round:
    """One round of intake, by the policy that its owner last had adopted."""

    now: float
    owner: str
    bot: bool = False  # whether there is a bot to tell agents and leads


@dataclass(frozen=True, slots=True)
class Logged:
    """Something that a plan wants in the log, of which conversation."""

    event: str
    conversation: str
    customer: str
    source: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What a round did."""

    envelopes: int = 0
    more: bool = False
    stages: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)
    log: list[Logged] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """What a piece of this round did."""
        self.stages |= other.stages
        self.touched |= other.touched
        self.teams |= other.teams
        self.log += other.log
        self.failed += other.failed


def work(connection: Connection, rounds: Sequence[Round]) -> list[Outcome]:
    """One round for everybody who asked: they get the same outcome."""
    outcome = _Worker(connection, rounds[-1]).run()
    return [outcome] * len(rounds)


work.rank = 1  # type: ignore[attr-defined]  # after what just arrived was stored, in the same transaction


def carefully(connection: Connection, rounds: Sequence[Round]) -> list[Outcome]:
    """The same piece by piece, after a round as a whole could not be written: what stands in its way is left out."""
    round_ = rounds[-1]
    taken = take(connection, round_.now)
    outcome = Outcome(len(taken.rows), taken.more)
    Pieces(connection, round_.now, partial(_Worker, connection, round_), outcome).work(taken.rows)
    done(connection, taken, round_.now)
    return [outcome] * len(rounds)


work.careful = carefully  # type: ignore[attr-defined]


class _Worker:
    def __init__(self, connection: Connection, round_: Round) -> None:
        self._connection = connection
        self._round = round_
        self._policy = policy_of(round_.owner)
        self._say = partial(self._policy.say, round_.now)
        self._outcome = Outcome()
        self._before: dict[str, Conversation] = {}
        self._now: dict[str, Conversation] = {}
        self._changes = Changes(now=round_.now, bot=round_.bot)
        self._refusals: list[Refusal] | None = None
        states = {row.key: AgentState(*row) for row in _AGENTS.one(connection)}
        queued: Counter[str] = Counter({row.team: row.n for row in _QUEUES.one(connection)})
        self._desk = self._policy.desk(states, queued, current(connection, round_.now))
        self.looked_at: list[str] = []  # who waits and was looked at, oldest first

    @property
    def desk(self) -> Desk:
        return self._desk

    def run(self) -> Outcome:
        taken = take(self._connection, self._round.now)
        self.drain()
        self.decide(taken.rows)
        if self._desk.worth_a_look:
            self._drain()
        outcome = self.write()
        outcome.envelopes, outcome.more = len(taken.rows), taken.more
        outcome.answers = answers_to(self._connection, taken.rows, self._now)
        done(self._connection, taken, self._round.now, outcome.answers)
        return outcome

    def decide(self, rows: Sequence[Any]) -> None:
        """The envelopes of these rows."""
        waiting = [envelope_of(row) for row in rows]
        self._load({envelope.conversation_id for envelope in waiting})
        for envelope in waiting:
            self._decide(envelope)

    def drain(self) -> None:
        """Serves who waits, also who is to be looked at because the rota changed."""
        self._drain(astray(self._connection, self._desk, self._round.now))

    def drain_these(self, idents: Sequence[str]) -> None:
        """Looks at these alone."""
        self._load(set(idents))
        self._serve(set(idents))

    def write(self) -> Outcome:
        """Writes down what was decided."""
        outcome = self._outcome
        outcome.stages |= commit(self._connection, self._changes, self._before, self._now, self._desk)
        outcome.teams = {
            team
            for ident, before in self._before.items()
            if (before.status, before.team) != (self._now[ident].status, self._now[ident].team)
            and "queued" in (before.status, self._now[ident].status)
            for team in (before.team, self._now[ident].team)
            if team
        }
        return outcome

    def _load(self, ids: set[str]) -> None:
        missing = ids - self._now.keys()
        if missing:
            self._remember(_CONVERSATIONS.one(self._connection, ids=missing))

    def _remember(self, rows: Any) -> list[Conversation]:
        loaded = [conversation_of(row) for row in rows]
        for conversation in loaded:
            self._before.setdefault(conversation.id, conversation)
            self._now.setdefault(conversation.id, conversation)
        return loaded

    def _decide(self, envelope: Envelope) -> None:
        conversation = self._now.get(envelope.conversation_id)
        if conversation is None:  # erased meanwhile: nothing is left to decide about
            return
        history = Words(lambda: self._history(conversation))
        self._take(decide(envelope, conversation, self._facts(conversation, history)))
        self._desk.book.left_out.discard(conversation.id)  # it is another one now

    def _history(self, conversation: Conversation) -> Sequence[Said]:
        stored = (
            own_words(self._connection, [conversation.id])[conversation.id] if conversation.last_seq else []
        )
        failed = {one.seq for ident, one in self._changes.given_up if ident == conversation.id}
        said = [*stored, *self._changes.own_words(conversation.id)]
        return [replace(one, delivery="failed") if one.seq in failed else one for one in said]

    def _facts(self, conversation: Conversation, history: Sequence[Said]) -> Facts:
        return Facts(
            now=self._round.now,
            desk=self._desk,
            rules=self._policy.rules(conversation.source),
            say=self._say,
            history=history,
            new_id=self._policy.new_id,
            delivered=lambda email: _delivered(self._connection, conversation.id, email),
            refused_by=lambda: self._refused_by(conversation.guest_id),
            fate=lambda ident: self._fate(conversation.id, ident),
        )

    def _refused_by(self, guest_id: str) -> frozenset[str]:
        if self._refusals is None:
            self._refusals = refusals.current(self._connection, self._round.now)
        return frozenset(one.agent for one in self._refusals if one.guest_id == guest_id)

    def _fate(self, conversation_id: str, message_id: str) -> str | None:
        """What became of an agent's message in this conversation, be it in this very round."""
        now = self._changes.fates.get((conversation_id, message_id))
        before = None if now == SHOWN else fate(self._connection, conversation_id, message_id)
        return before if before == SHOWN else now or before

    def _take(self, plan: Plan) -> None:
        conversation = plan.conversation
        self._now[conversation.id] = conversation
        rules = self._policy.rules(conversation.source)
        self._changes.add(plan, callback=rules.callback, leads=self._policy.leads(conversation.team))
        self._outcome.touched.add(conversation.id)
        self._outcome.log.extend(
            Logged(event, conversation.id, conversation.customer, conversation.source, fields)
            for event, fields in plan.log
        )

    def _drain(self, astray: Sequence[ColumnElement[bool]] = ()) -> None:
        """Serves who waits, oldest first, as far as there is room; nobody overtakes within a team.

        `astray`: who else is to be looked at, because the rota changed.
        """
        if not +self._desk.queued:
            return
        teams, book = sorted(self._desk.teams_with_room(self._round.now)), self._desk.book
        if self._desk.worth_a_look:
            book.looked_past = None
        self._desk.worth_a_look = False
        line = self._queued(_c.team.in_(teams), book.looked_past) if teams else []
        others = self._queued(or_(*astray)) if astray else []
        untold = {key for key, one in self._now.items() if one.status == "queued" and one.told is None}
        served = self._serve(untold.union(line, others) - book.left_out)
        # Of so many none could be served: the next round looks at those behind them.
        stuck = len(line) == _QUEUED and not served
        book.looked_past = (self._before[line[-1]].queued_at or 0, line[-1]) if stuck else None

    def _serve(self, idents: set[str]) -> bool:
        """Looks at each again, oldest first; whether anybody left a queue."""
        waiting = sorted(idents, key=lambda key: (self._now[key].queued_at or 0, key))
        self.looked_at += waiting
        words = own_words(self._connection, waiting)
        served = False
        moved = Counter(filter(None, (self._moved(one)[0] for one in self._now)))  # no longer in these queues
        for ident in waiting:
            before = self._now[ident]
            if before.status != "queued":
                continue
            history = [*words[ident], *self._changes.own_words(ident)]
            plan = look_again(
                before, self._facts(before, history), lambda one: self._ahead(one) - moved[one.team or ""]
            )
            if plan:
                self._take(plan)
            left, joined = self._moved(ident)
            served = served or left is not None
            moved.update(filter(None, [left]))
            moved.subtract(filter(None, [joined]))
        return served

    def _moved(self, ident: str) -> tuple[str | None, str | None]:
        """The team's queue that a conversation has left in this round, and the one that it has joined."""
        before, now = self._before[ident], self._now[ident]
        was, is_ = (one.team if one.status == "queued" else None for one in (before, now))
        return (was, is_) if was != is_ else (None, None)

    def _queued(self, which: ColumnElement[bool], behind: tuple[float, str] | None = None) -> list[str]:
        query = (
            select(*CONVERSATION_COLUMNS)
            .where(_c.status == "queued", which)
            .order_by(_c.queued_at, _c.id)
            .limit(_QUEUED)
            .with_for_update()
        )
        if behind is not None:
            query = query.where(tuple_(_c.queued_at, _c.id) > behind)
        return [one.id for one in self._remember(self._connection.execute(query))]

    def _ahead(self, conversation: Conversation) -> int:
        """How many the store has before it in its team's queue."""
        mine = (conversation.queued_at, conversation.id)
        query = select(func.count()).where(
            _c.status == "queued", _c.team == conversation.team, tuple_(_c.queued_at, _c.id) < mine
        )
        return self._connection.execute(query).scalar() or 0


def _delivered(connection: Connection, conversation_id: str, agent_email: str) -> Delivered:
    """What this agent has got of the customer's words in this conversation, or may have got."""
    d = deliveries.c
    query = select(d.seq, d.part, d.state, d.last, d.doubt).where(
        d.conversation_id == conversation_id,
        d.kind == "say",
        d.address == agent_email,
        d.state.in_(("done", "open", "dropped")),
    )
    rows = connection.execute(query).all()
    return Delivered(
        seqs=frozenset(row.seq for row in rows if row.state == "done" and row.last),
        pending=any(row.state == "open" for row in rows),
        parts=frozenset((row.seq, row.part) for row in rows if row.state == "done"),
        doubtful=frozenset((row.seq, row.part) for row in rows if row.state != "done" and row.doubt),
    )


_c = conversations.c
_AGENTS = Prepared(
    select(
        agents.c.key,
        agents.c.open,
        agents.c.given,
        agents.c.last_given_at,
        agents.c.refused_until,
        agents.c.refused,
        agents.c.absent_until,
        agents.c.absent,
    )
)
_QUEUES = Prepared(
    select(conversations.c.team, func.count().label("n"))
    .where(conversations.c.status == "queued")
    .group_by(conversations.c.team)
)
_CONVERSATIONS = Prepared(
    select(*CONVERSATION_COLUMNS).where(among(conversations.c.id, "ids")).with_for_update()
)
