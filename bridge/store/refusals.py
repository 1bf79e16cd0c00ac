"""Which guests Webex did not let write to which agents in the last hour."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from sqlalchemy import Connection, delete, func, select, update

from bridge.domain.conversation.refusals import REFUSED_SECONDS, Fault, Refusal, fault_of
from bridge.store.engine.sql import upsert
from bridge.store.tables import agents, deliveries, refusals

_UNDER_WAY = 1000  # deliveries that may have been made before a refused one and arrive after it


def judge(connection: Connection, refused: Sequence[tuple[Refusal, int]]) -> list[Fault]:
    """Writes refusals (each with its delivery's id) down, and says of each whose fault it is."""
    if not refused:
        return []
    since = max(one.at for one, _ in refused) - REFUSED_SECONDS
    connection.execute(delete(refusals).where(refusals.c.at <= since))
    rows = connection.execute(select(*_COLUMNS, refusals.c.delivery_id)).all()
    known = {(row.agent, row.guest_id): Refusal(*row[:4]) for row in rows}
    first = min((number for *_, number in [*rows, *refused]), default=0) - _UNDER_WAY

    @cache
    def reached_since(agent: str, moment: float) -> bool:
        d = deliveries.c
        said = (d.id > first, d.kind == "say", d.agent == agent, d.state == "done", d.done_at > moment)
        return connection.execute(select(d.id).where(*said).limit(1)).scalar() is not None

    faults = []
    for one, number in refused:
        delivered = _delivered_at(connection, one.conversation_id)
        faults.append(fault_of(one, list(known.values()), reached_since, delivered))
        known[one.agent, one.guest_id] = one
        row = {
            "agent": one.agent,
            "guest_id": one.guest_id,
            "conversation_id": one.conversation_id,
            "at": one.at,
            "delivery_id": number,
        }
        upsert(connection, refusals, ("agent", "guest_id"), [row])
    return faults


def _delivered_at(connection: Connection, conversation_id: str) -> float:
    d = deliveries.c
    said = (d.conversation_id == conversation_id, d.kind == "say", d.state == "done")
    return connection.execute(select(func.max(d.done_at)).where(*said)).scalar() or 0.0


def current(connection: Connection, now: float) -> list[Refusal]:
    """Those that still count."""
    query = select(*_COLUMNS).where(refusals.c.at > now - REFUSED_SECONDS)
    return [Refusal(*row) for row in connection.execute(query)]


def forgive(connection: Connection, agent_keys: Collection[str]) -> None:
    """These agents get customers again, also those whom Webex refused at them."""
    keys = sorted(agent_keys)
    connection.execute(delete(refusals).where(refusals.c.agent.in_(keys)))
    connection.execute(update(agents).where(agents.c.key.in_(keys)).values(refused_until=None, refused=None))


_COLUMNS = (refusals.c.agent, refusals.c.guest_id, refusals.c.conversation_id, refusals.c.at)
