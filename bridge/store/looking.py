"""A look into a guest's threads for words that a lost attempt may have put there.

Webex's limits are per user, and a 429 is known to others only when it is written down. So a guest's threads have
one reader at a time: a look keeps the threads' lanes from being claimed meanwhile, as hearing itself does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from bridge.store.lanes import PARKED, hear_lane, hear_lanes_of, keep, release, states
from bridge.store.outbox import Work, still_mine
from bridge.store.tables import deliveries, hints, threads

_BEING_READ_SECONDS = 0.3  # after which to ask again


@dataclass(frozen=True, slots=True)
class Look:
    """Whoever is to attempt `work` wants to look into its guest's threads, for at most `lease` seconds."""

    work: Work
    now: float
    lease: float


@dataclass(frozen=True, slots=True)
class Looking:
    """`wait_until`: not now; else the lanes that are kept meanwhile, with the time at which each is due.

    `state`: the delivery's, open or dropped (not to be said any more); None where it is somebody else's by now.
    `since`: Webex's time of the conversation's first message in the thread. `copies`: deliveries of the same words
    to the same agent, from before they were taken back; nothing of them can come about after `quiet_until`.
    """

    guest_id: str
    owner: str
    wait_until: float | None
    kept: Mapping[str, float]
    state: str | None
    since: float | None = None
    copies: frozenset[int] = frozenset()
    quiet_until: float = 0


def begin_look(connection: Connection, looks: Sequence[Look]) -> list[Looking]:
    return [_begin(connection, look) for look in looks]


def _begin(connection: Connection, look: Look) -> Looking:
    work = look.work
    assert work.guest is not None
    guest_id, (state,) = work.guest.id, still_mine(connection, [work])
    if state != "open":
        return Looking(guest_id, work.owner, None, {}, state)
    rows = states(connection, hear_lanes_of(connection, guest_id))
    held = [row for row in rows if row.owner is not None and row.ready_at > look.now]
    if held:
        parked = max((row.ready_at for row in held if row.owner == PARKED), default=0.0)
        return Looking(guest_id, work.owner, max(parked, look.now + _BEING_READ_SECONDS), {}, state)
    kept = {row.key: row.ready_at for row in rows}
    if kept:
        until = look.now + look.lease
        keep(connection, kept, work.owner, until)
    copies = connection.execute(_COPIES, work._asdict()).all()
    quiet = max((row.quiet_until for row in copies if row.doubt), default=0.0)
    mine = (threads.c.guest_id == guest_id, threads.c.agent_email == work.address)
    here = (*mine, threads.c.conversation_id == work.conversation_id)
    since = connection.execute(select(threads.c.since).where(*here)).scalar()
    ids = frozenset(row.id for row in copies)
    return Looking(guest_id, work.owner, None, kept, state, since, ids, quiet)


def end_look(connection: Connection, ended: Sequence[Looking]) -> list[None]:
    """The threads are due when they were, or at once where a webhook came meanwhile; those that were parked
    meanwhile stay so."""
    hinted = _hinted(connection, [one.guest_id for one in ended if one.kept])
    release(
        connection,
        [(key, one.owner, 0.0 if key in hinted else at) for one in ended for key, at in one.kept.items()],
    )
    return [None] * len(ended)


def _hinted(connection: Connection, guest_ids: Sequence[str]) -> set[str]:
    """The lanes of threads of which a webhook tells something that was not read yet."""
    query = select(hints.c.guest_id, hints.c.agent_email).where(hints.c.guest_id.in_(guest_ids)).distinct()
    return {hear_lane(row.guest_id, row.agent_email) for row in connection.execute(query)}


_d = deliveries.c
_COPIES = select(_d.id, _d.doubt, _d.quiet_until).where(
    _d.kind == "say",
    *(_d[name] == bindparam(name) for name in ("conversation_id", "seq", "part", "address")),
    _d.id < bindparam("id"),
)
