"""Lanes: what the queues that are worked in order are called, and everything that may be done to their rows.

A lane has a row as long as there may be work in it: its stage, when somebody is to look at it (`ready_at`), and who
works on it (`owner`, None: nobody). While it is leased `ready_at` is the lease's end. Only this module writes these
rows; when the clock is set, `upkeep.rebase` moves them with everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, and_, bindparam, delete, exists, func, or_, select, update

from bridge.store.engine.prepared import Prepared, among
from bridge.store.engine.sql import insert_for
from bridge.store.tables import conversations, lanes, threads

IN, SAY, HEAR, CALL, HOOK, BOT, BOT_IN = "in", "say", "hear", "call", "hook", "bot", "bot-in"
PARKED = "parked"  # the owner of a lane that Webex has us leave alone, whatever news there is of it


def in_lane(customer: str) -> str:
    """Names the lane of what happened to one customer, in `envelopes`."""
    return f"{IN}:{customer}"


def say_lane(guest_id: str) -> str:
    """Names the lane of one guest's words to agents."""
    return f"{SAY}:{guest_id}"


def hear_lane(guest_id: str, agent_email: str) -> str:
    """Names the lane of one guest's 1:1 with one agent, which is read for answers."""
    return f"{HEAR}:{guest_id}:{agent_email}"


def call_lane(conversation_id: str) -> str:
    """Names the lane of one conversation's news to its source."""
    return f"{CALL}:{conversation_id}"


def hook_lane(guest_id: str) -> str:
    """Names the lane of one guest's webhook."""
    return f"{HOOK}:{guest_id}"


def bot_lane(email: str) -> str:
    """Names the lane of what the bot says to one person."""
    return f"{BOT}:{email}"


def alerts_lane(email: str) -> str:
    """Names the lane of the alerts for one lead: told once a minute at most, so other words do not wait behind them."""
    return f"{BOT}:alerts:{email}"


def bot_in_lane(person_id: str) -> str:
    """Names the lane of what one person said to the bot."""
    return f"{BOT_IN}:{person_id}"


def stage_of(lane: str) -> str:
    """Reads the stage that works a lane off its name."""
    return lane.partition(":")[0]


def whose(lane: str) -> str:
    """Reads the customer, guest, conversation or person off a lane's name. Threads' and alerts' lanes name more."""
    return lane.partition(":")[2]


def wake(connection: Connection, keys: Iterable[str], at: float) -> None:
    """Makes lanes known that have work from `at` on; one that is leased, parked or known already keeps its time.

    The no-op update takes the row's lock on PostgreSQL: a worker that is releasing the lane either sees our
    new row or we see the lane gone and make it again. Call it after the work row was inserted. `keys` may be a
    mapping from lanes to the sources whose news is in them.
    """
    sources = keys if isinstance(keys, Mapping) else {}
    rows = [
        {"key": key, "stage": stage_of(key), "ready_at": at, "source": sources.get(key, "")}
        for key in sorted(set(keys))
    ]
    _WAKE.many(connection, rows)


def hurry_source(connection: Connection, source: str, at: float) -> None:
    """Has what waits for a source's receiver looked at by `at`, unless somebody works on it."""
    waiting = (
        lanes.c.stage == CALL,
        lanes.c.source == source,
        lanes.c.owner.is_(None),
        lanes.c.ready_at > at,
    )
    connection.execute(update(lanes).where(*waiting).values(ready_at=at))


def soon(connection: Connection, keys: Sequence[str], at: float) -> None:
    """Has threads read at `at` at the latest, unless they are leased or parked by a 429."""
    if not keys:
        return
    wake(connection, keys, at)
    connection.execute(
        update(lanes)
        .where(lanes.c.key.in_(sorted(set(keys))), lanes.c.owner.is_(None), lanes.c.ready_at > at)
        .values(ready_at=at)
    )


def spread(connection: Connection, stage: str, keys: Collection[str], now: float, per_second: float) -> int:
    """Has these lanes looked at one after another, so many a second, those first that have waited longest.

    What is due already waits for its turn too; a lane that is being worked on, or parked, keeps its time. How many.
    """
    due = select(lanes.c.key).where(lanes.c.stage == stage).order_by(lanes.c.ready_at, lanes.c.key)
    mine = [key for key in connection.execute(due).scalars() if key in keys]
    turns = [{"lane": key, "at": now + index / per_second, "now": now} for index, key in enumerate(mine)]
    _TURN.many(connection, turns)
    return len(mine)


def ready(connection: Connection, stage: str, now: float, limit: int) -> list[str]:
    """Locks up to `limit` lanes of `stage` whose time has come, for a transaction that does their work itself."""
    return [row.key for row in _READY_KEYS.one(connection, stage=stage, now=now, most=limit)]


def lease(
    connection: Connection, stage: str, owner: str, now: float, seconds: float, limit: int
) -> list[str]:
    """Gives up to `limit` lanes of `stage` whose time has come to `owner` for so many seconds; their keys."""
    leased = _LEASE.one(connection, stage=stage, now=now, most=limit, new_owner=owner, until=now + seconds)
    return [row.key for row in leased]


def lease_of_source(
    connection: Connection, source: str, owner: str, now: float, seconds: float, limit: int
) -> list[str]:
    """Gives up to `limit` lanes with news to one source to `owner` for so many seconds; their keys."""
    leased = _LEASE_OF.one(
        connection, stage=CALL, of=source, now=now, most=limit, new_owner=owner, until=now + seconds
    )
    return [row.key for row in leased]


def sources_with_calls(connection: Connection) -> set[str]:
    """Finds the sources that have lanes of news, with a step for each, however many lanes there are."""
    found = {row.source for row in _SOURCES.one(connection)}
    if "" in found:  # made by whoever knows only the lane's name
        connection.execute(_NAME)
        found = {row.source for row in _SOURCES.one(connection)}
    return found


def owners(connection: Connection, keys: Collection[str]) -> dict[str, str | None]:
    """Locks lanes and tells who works on each; one that has no row is left out."""
    return {row.key: row.owner for row in _OWNERS.one(connection, keys=keys)}


def states(connection: Connection, keys: Sequence[str]) -> Sequence[Any]:
    """Locks lanes; their rows (`key`, `owner`, `ready_at`) in the order of their names."""
    return _STATES.one(connection, keys=keys) if keys else ()


def still_owned(connection: Connection, owner: str, keys: Iterable[str], until: float) -> frozenset[str]:
    """Extends `owner`'s leases to `until`; those of the lanes that are still its own."""
    mine = (lanes.c.owner == owner, lanes.c.key.in_(sorted(keys)))
    moved = update(lanes).where(*mine).values(ready_at=until).returning(lanes.c.key)
    return frozenset(connection.execute(moved).scalars())


def extend(connection: Connection, keys: Iterable[str], until: float) -> None:
    """Extends leases that the caller knows to have."""
    _EXTEND.many(connection, [{"lane": key, "at": until} for key in keys])


def let_go(connection: Connection, lanes_at: Mapping[str, float]) -> None:
    """Gives leases up that the caller knows to have; each lane is looked at again at its time."""
    _LET_GO.many(connection, [{"lane": key, "at": at} for key, at in lanes_at.items()])


def finish(connection: Connection, key: str, owner: str, again_at: float | None) -> bool:
    """Gives a lease up until `again_at`, or with None removes the lane. False where the lease was lost."""
    mine = (lanes.c.key == key, lanes.c.owner == owner)
    if again_at is None:
        return bool(connection.execute(delete(lanes).where(*mine)).rowcount)
    moved = update(lanes).where(*mine).values(owner=None, ready_at=again_at)
    return bool(connection.execute(moved).rowcount)


def keep(connection: Connection, keys: Iterable[str], owner: str, until: float) -> None:
    """Leases lanes by their names, whose states the caller has looked at in this transaction."""
    _KEEP.many(connection, [{"lane": key, "who": owner, "at": until} for key in keys])


def release(connection: Connection, kept: Iterable[tuple[str, str, float]]) -> None:
    """Gives (lane, owner, its next time) back, where that owner still has it."""
    _GIVE_BACK.many(connection, [{"lane": key, "who": owner, "at": at} for key, owner, at in kept])


def put_off(connection: Connection, stage: str, now: float, until: float) -> None:
    """Has all lanes of a stage that are due wait until `until`, so that nobody takes them for left undone."""
    due = (lanes.c.stage == stage, lanes.c.ready_at <= now)
    connection.execute(update(lanes).where(*due).values(owner=None, ready_at=until))


def remove(connection: Connection, keys: Sequence[str]) -> None:
    """Removes the rows of lanes in which nothing is left to do."""
    if keys:
        _REMOVE.one(connection, keys=keys)


@dataclass(frozen=True, slots=True)
class ReadingPark:
    """Webex answered 429 to a read: none of this guest's threads is read before `until`."""

    guest_id: str
    until: float


def park_reading(connection: Connection, parks: Sequence[ReadingPark]) -> list[None]:
    """Parks the lanes of all threads of guests, also where a worker has a lease.

    That worker's settle then counts as lost, and the thread is read again later.
    """
    for park in parks:
        keys = hear_lanes_of(connection, park.guest_id)
        wake(connection, keys, park.until)
        connection.execute(_PARK, [{"lane": key, "at": park.until} for key in keys])
    return [None] * len(parks)


def hear_lanes_of(connection: Connection, guest_id: str) -> list[str]:
    """Names the lanes, whether they have a row or not, of all threads of a guest."""
    query = select(threads.c.agent_email).where(threads.c.guest_id == guest_id)
    return sorted(hear_lane(guest_id, email) for email in connection.execute(query).scalars())


class FreeAll(NamedTuple):
    """`owner` None: every lease, for a process that knows itself to be alone."""

    owner: str | None
    now: float


def free_all(connection: Connection, wishes: Sequence[FreeAll]) -> list[None]:
    """Gives leases up at once: at a clean stop, or at the start after a crash of the only process."""
    for wish in wishes:
        held = lanes.c.owner.is_not(None) & (lanes.c.owner != PARKED)
        mine = held if wish.owner is None else lanes.c.owner == wish.owner
        connection.execute(update(lanes).where(mine).values(owner=None, ready_at=wish.now))
    return [None] * len(wishes)


def _wake(connection: Connection) -> Any:
    fresh = insert_for(connection, lanes).values(
        {name: bindparam(name) for name in ("key", "stage", "ready_at", "source")}
    )
    return fresh.on_conflict_do_update(index_elements=["key"], set_={"ready_at": lanes.c.ready_at})


def _walk() -> Prepared:
    first = select(func.min(lanes.c.source).label("source")).where(lanes.c.stage == CALL)
    walk = first.cte("walk", recursive=True)
    following = select(func.min(lanes.c.source)).where(lanes.c.stage == CALL, lanes.c.source > walk.c.source)
    step = select(following.scalar_subquery()).where(walk.c.source.is_not(None))
    walk = walk.union_all(step)
    return Prepared(select(walk.c.source).where(walk.c.source.is_not(None)))


def _leasing(ready_ones: Any) -> Prepared:
    return Prepared(
        update(lanes)
        .where(lanes.c.key.in_(ready_ones.scalar_subquery()))
        .values(owner=bindparam("new_owner"), ready_at=bindparam("until"))
        .returning(lanes.c.key)
    )


_WAKE = Prepared(_wake)
_SOURCES = _walk()
_READY = (
    select(lanes.c.key)
    .where(lanes.c.stage == bindparam("stage"), lanes.c.ready_at <= bindparam("now"))
    .order_by(lanes.c.ready_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_READY_KEYS = Prepared(_READY)
_LEASE = _leasing(_READY)
_LEASE_OF = _leasing(_READY.where(lanes.c.source == bindparam("of")))
_MINE = update(lanes).where(lanes.c.key == bindparam("lane"))
_LET_GO = Prepared(_MINE.values(owner=None, ready_at=bindparam("at")), distinct=True)
_EXTEND = Prepared(_MINE.values(ready_at=bindparam("at")), distinct=True)
_KEEP = Prepared(_MINE.values(owner=bindparam("who"), ready_at=bindparam("at")))
_GIVE_BACK = Prepared(
    _MINE.where(lanes.c.owner == bindparam("who")).values(owner=None, ready_at=bindparam("at"))
)
_REMOVE = Prepared(delete(lanes).where(among(lanes.c.key, "keys")))
_STATES = Prepared(
    select(lanes.c.key, lanes.c.owner, lanes.c.ready_at)
    .where(among(lanes.c.key, "keys"))
    .order_by(lanes.c.key)
    .with_for_update()
)
_OWNERS = Prepared(
    select(lanes.c.key, lanes.c.owner)
    .where(among(lanes.c.key, "keys"))
    .order_by(lanes.c.key)
    .with_for_update()
)
_TURN = Prepared(
    _MINE.where(
        or_(
            lanes.c.ready_at <= bindparam("now"),
            and_(lanes.c.owner.is_(None), lanes.c.ready_at > bindparam("at")),
        )
    ).values(owner=None, ready_at=bindparam("at")),
    distinct=True,
)
_PARK = _MINE.where(
    or_(lanes.c.owner.is_(None), lanes.c.owner != PARKED, lanes.c.ready_at < bindparam("at"))
).values(owner=PARKED, ready_at=bindparam("at"))
_OF = conversations.c.id == func.substr(lanes.c.key, len(call_lane("")) + 1)
_NAME = (
    update(lanes)
    .where(lanes.c.stage == CALL, lanes.c.source == "", exists().where(_OF))
    .values(source=select(conversations.c.source).where(_OF).scalar_subquery())
)
