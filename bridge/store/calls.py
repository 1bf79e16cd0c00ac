"""Lanes of news to sources: leased source by source, so that what waits for one receiver holds up no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Integer, bindparam, exists, func, select, update

from bridge.store.engine.prepared import Prepared
from bridge.store.outbox import Claim, Work, begin
from bridge.store.tables import conversations, lanes

STAGE = "call"


class Turn(NamedTuple):
    """A source whose news goes to `host` may have `most` lanes more."""

    source: str
    host: str
    most: int


class CallClaim(NamedTuple):
    """A worker asks for up to `limit` lanes: of each source in its turn, and of a host no more than are `free`.

    Sources without a turn have no receiver; of theirs it takes what there is.
    """

    owner: str
    now: float
    lease: float
    limit: int
    turns: tuple[Turn, ...]
    free: Mapping[str, int]


def claim(connection: Connection, wishes: Sequence[CallClaim]) -> list[list[Work]]:
    return [_claim(connection, wish) for wish in wishes]


claim.rank = 2  # type: ignore[attr-defined]  # after intake has decided, in the same transaction


def _claim(connection: Connection, wish: CallClaim) -> list[Work]:
    found = _sources(connection)
    if "" in found:
        connection.execute(_NAME)
        found = _sources(connection)
    keys: list[str] = []
    free = dict(wish.free)
    for turn in wish.turns:
        if turn.source in found:
            most = min(turn.most, free[turn.host], wish.limit - len(keys))
            leased = _lease(connection, wish, turn.source, most)
            free[turn.host] -= len(leased)
            keys += leased
    for source in sorted(found - {turn.source for turn in wish.turns}):
        keys += _lease(connection, wish, source, wish.limit - len(keys))
    return begin(connection, keys, Claim(STAGE, wish.owner, wish.now, wish.lease, wish.limit))


def _sources(connection: Connection) -> set[str]:
    """The sources that have lanes; asked one after another, however many lanes there are."""
    return {row.source for row in _SOURCES.one(connection)}


def _lease(connection: Connection, wish: CallClaim, source: str, most: int) -> list[str]:
    if most <= 0:
        return []
    until = wish.now + wish.lease
    leased = _LEASE.one(connection, of=source, now=wish.now, most=most, new_owner=wish.owner, until=until)
    return [row.key for row in leased]


def _walk() -> Prepared:
    first = select(func.min(lanes.c.source).label("source")).where(lanes.c.stage == STAGE)
    walk = first.cte("walk", recursive=True)
    following = select(func.min(lanes.c.source)).where(lanes.c.stage == STAGE, lanes.c.source > walk.c.source)
    step = select(following.scalar_subquery()).where(walk.c.source.is_not(None))
    walk = walk.union_all(step)
    return Prepared(select(walk.c.source).where(walk.c.source.is_not(None)))


_SOURCES = _walk()
_READY = (
    select(lanes.c.key)
    .where(lanes.c.stage == STAGE, lanes.c.source == bindparam("of"), lanes.c.ready_at <= bindparam("now"))
    .order_by(lanes.c.ready_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_LEASE = Prepared(
    update(lanes)
    .where(lanes.c.key.in_(_READY.scalar_subquery()))
    .values(owner=bindparam("new_owner"), ready_at=bindparam("until"))
    .returning(lanes.c.key)
)
_OF = conversations.c.id == func.substr(lanes.c.key, len(f"{STAGE}:") + 1)
# Lanes made by whoever knows only their key.
_NAME = (
    update(lanes)
    .where(lanes.c.stage == STAGE, lanes.c.source == "", exists().where(_OF))
    .values(source=select(conversations.c.source).where(_OF).scalar_subquery())
)
