"""Who waits with a team that is no longer theirs, or was told what is no longer true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from bridge.domain.conversation.desk import Desk
from bridge.domain.duty.roster import Ask
from bridge.store.tables import conversations

_AT_ONCE = 100  # conditions in one statement; the rest in the next round
_c = conversations.c
_ASKED = (_c.team, _c.source, _c.store, _c.topic, _c.language)


def astray(connection: Connection, desk: Desk, now: float) -> list[ColumnElement[bool]]:
    """Conditions on queued conversations that must be looked at: the rota, or the hour, has changed.

    That can only be so when the configuration, an override or somebody's duty changed, so it is not asked
    again before the next of these once everybody is where they belong.
    """
    if not +desk.queued or desk.book.settled_from <= now < desk.book.settled_until:
        return []
    query = (
        select(*_ASKED, _c.told, _c.opens_at, func.count())
        .where(_c.status == "queued")
        .group_by(*_ASKED, _c.told, _c.opens_at)
    )
    found: dict[tuple[Any, ...], ColumnElement[bool]] = {}
    for *asked, told, opens_at, _ in connection.execute(query):
        team = desk.book.team_for(Ask(*asked[1:]))
        if team.key != asked[0]:
            found[tuple(asked)] = _same(asked)
        elif (told, opens_at) != (right := desk.book.told(team, now)):
            found[(team.key,)] = and_(
                _c.team == team.key,
                or_(_c.told.is_distinct_from(right[0]), _c.opens_at.is_distinct_from(right[1])),
            )
        if len(found) == _AT_ONCE:
            break
    if not found:
        desk.book.settled_from, desk.book.settled_until = now, desk.book.changes_at(now)
    return list(found.values())


def _same(asked: Sequence[str | None]) -> ColumnElement[bool]:
    return and_(*(column.is_not_distinct_from(value) for column, value in zip(_ASKED, asked, strict=True)))
