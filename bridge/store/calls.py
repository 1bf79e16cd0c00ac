"""Lanes of news to sources: leased source by source, so that what waits for one receiver holds up no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from bridge.store.lanes import CALL, lease_of_source, sources_with_calls
from bridge.store.outbox import Claim, Work, begin


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
    found = sources_with_calls(connection)
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
    return begin(connection, keys, Claim(CALL, wish.owner, wish.now, wish.lease, wish.limit))


def _lease(connection: Connection, wish: CallClaim, source: str, most: int) -> list[str]:
    if most <= 0:
        return []
    return lease_of_source(connection, source, wish.owner, wish.now, wish.lease, most)
