"""What the bot looks up before it answers. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from bridge.domain.conversation.desk import AgentState
from bridge.domain.conversation.model import Conversation, Said
from bridge.store import overrides
from bridge.store.overrides import Overrides
from bridge.store.reads import transcript, unread_threads
from bridge.store.rows import CONVERSATION_COLUMNS, conversation_of
from bridge.store.tables import agents, conversations, deliveries, held
from bridge.store.tokens import ending

_MOST = 500
_NOTES = ("note", "heard")  # the bot's own work, which an alert about dead letters must not be about


@dataclass(frozen=True, slots=True)
class Desk:
    """How the desk stands now, as far as the store knows."""

    states: dict[str, AgentState]
    overrides: Overrides


def desk(connection: Connection, now: float) -> Desk:
    a = agents.c
    columns = (a.key, a.open, a.given, a.last_given_at, a.refused_until, a.refused, a.absent_until, a.absent)
    states = {row.key: AgentState(*row) for row in connection.execute(select(*columns))}
    return Desk(states, overrides.current(connection, now))


def by_id(connection: Connection, conversation_id: str) -> Conversation | None:
    query = select(*CONVERSATION_COLUMNS).where(conversations.c.id == conversation_id)
    row = connection.execute(query).first()
    return conversation_of(row) if row else None


def by_reference(connection: Connection, ref: str) -> list[Conversation]:
    """Conversations of this reference (six hex digits), those still going on first, then the newest."""
    c = conversations.c
    query = select(*CONVERSATION_COLUMNS).where(c.id.like(f"%{ref.lower()}")).order_by(c.accepting.desc())
    return [conversation_of(row) for row in connection.execute(query.order_by(c.created_at.desc()).limit(10))]


def of_agent(connection: Connection, agent: str) -> list[Conversation]:
    c = conversations.c
    query = select(*CONVERSATION_COLUMNS).where(c.status == "open", c.agent == agent).order_by(c.opened_at)
    return [conversation_of(row) for row in connection.execute(query.limit(_MOST))]


def in_queue(connection: Connection) -> list[Conversation]:
    c = conversations.c
    query = select(*CONVERSATION_COLUMNS).where(c.status == "queued").order_by(c.queued_at, c.id)
    return [conversation_of(row) for row in connection.execute(query.limit(_MOST))]


def open_count(connection: Connection) -> int:
    query = select(func.count()).select_from(conversations).where(conversations.c.status == "open")
    return connection.execute(query).scalar() or 0


def visits_before(connection: Connection, conversation: Conversation) -> int:
    """How many conversations this guest had before this one."""
    c = conversations.c
    earlier = (
        c.customer == conversation.customer,
        c.guest_id == conversation.guest_id,
        c.id != conversation.id,
    )
    query = (
        select(func.count())
        .select_from(conversations)
        .where(*earlier, c.created_at < conversation.created_at)
    )
    return connection.execute(query).scalar() or 0


def last_words(connection: Connection, conversation: Conversation, most: int) -> list[Said]:
    return transcript(connection, conversation.id, max(0, conversation.last_seq - most), most)


def notes_of(connection: Connection, conversation_id: str) -> list[tuple[str, str]]:
    """(who, text) of the notes that agents kept with a conversation."""
    where = held.c.conversation_id == conversation_id, held.c.kind == "note"
    query = select(held.c.agent_email, held.c.text).where(*where).order_by(held.c.id)
    return [(row.agent_email or "", row.text) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong now. `waiting`, `unanswered`: numbers by team; `refused`: agents' keys."""

    waiting: dict[str, int]
    unanswered: dict[str, int]
    refused: Sequence[str]
    tokens_ending: int
    dead: int
    unread: int = 0  # open conversations whose threads Webex does not show


def trouble(connection: Connection, now: float) -> Trouble:
    c, d, a = conversations.c, deliveries.c, agents.c
    waits = and_(c.status == "queued", c.alerted_at.is_not(None))
    silent = and_(c.status == "open", c.asked_at.is_not(None))

    def by_team(where: object) -> dict[str, int]:
        query = select(c.team, func.count().label("n")).where(where).group_by(c.team)  # type: ignore[arg-type]
        return {row.team: row.n for row in connection.execute(query) if row.team}

    dead = and_(d.state == "dead", d.kind.not_in(_NOTES))
    return Trouble(
        waiting=by_team(waits),
        unanswered=by_team(silent),
        refused=list(
            connection.execute(select(a.key).where(a.refused_until > now).order_by(a.key)).scalars()
        ),
        tokens_ending=ending(connection, now),
        dead=connection.execute(select(func.count()).select_from(deliveries).where(dead)).scalar() or 0,
        unread=unread_threads(connection),
    )
