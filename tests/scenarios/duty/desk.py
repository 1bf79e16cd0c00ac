"""What the stories about duty share: a rota, a calendar day, and what the store says of choices made."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from bridge.store import overrides
from bridge.store.tables import agents, choices, conversations, held
from tests.customers import Customer
from tests.harness import AMY, BO, CY, RunningBridge, ShiftedClock, config

LONDON = ZoneInfo("Europe/London")
EMAILS = {"amy": AMY, "bo": BO, "cy": CY}


def rota(
    *people: str,
    each: dict[str, dict[str, Any]] | None = None,
    back: dict[str, Any] | None = None,
    **front: Any,
) -> dict[str, Any]:
    """At the front `people` answer (Amy and Bo), at the back Cy.

    `each` adds to an agent, `back` to the back office, the rest to the front desk.
    """
    return config(
        agents={key: {"email": email, **(each or {}).get(key, {})} for key, email in EMAILS.items()},
        teams={
            "front-desk": {"timezone": "Europe/London", "agents": list(people or ("amy", "bo")), **front},
            "back-office": {"timezone": "Europe/London", "agents": ["cy"], **(back or {})},
        },
    )


def set_clock(clock: ShiftedClock, moment: str, zone: ZoneInfo = LONDON) -> None:
    """Makes it this local time. Before the bridge is started; afterwards `until` moves it."""
    clock.shift += datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp() - clock.now()


async def until(bridge: RunningBridge, moment: str, zone: ZoneInfo = LONDON) -> None:
    """Puts the clock forward to this local time."""
    there = datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp()
    await bridge.advance(there - bridge.clock.now())


async def has(customer: Customer, **wanted: Any) -> bool:
    """Whether the customer's state says so; `agent` is a name."""
    state = await customer.state()
    state["agent"] = (state["agent"] or {}).get("name")
    return all(state[name] == value for name, value in wanted.items())


async def told(customer: Customer) -> list[str]:
    """The bridge's own words to the customer."""
    return [text for author, text in await customer.transcript() if author == "system"]


async def given(bridge: RunningBridge) -> list[tuple[str, str]]:
    """(subject, agent) of every choice that named somebody, in the order in which they were made."""
    c = choices.c
    query = (
        select(conversations.c.subject, c.agent)
        .join(conversations, conversations.c.id == c.conversation_id)
        .where(c.agent.is_not(None))
        .order_by(c.id)
    )
    rows = await bridge.service.store.read(lambda connection: connection.execute(query).all())
    return [tuple(row) for row in rows]


async def held_places(bridge: RunningBridge) -> tuple[dict[str, int], dict[str, int]]:
    """How many conversations each agent holds: as the agents' rows count them, and as they are."""
    c = conversations.c
    counted = select(agents.c.key, agents.c.open).where(agents.c.open > 0)
    true = select(c.agent, func.count()).where(c.status == "open").group_by(c.agent)

    def both(connection: Any) -> tuple[dict[str, int], dict[str, int]]:
        one, other = (dict(map(tuple, connection.execute(query))) for query in (counted, true))
        return one, other

    return await bridge.service.store.read(both)


async def held_words(bridge: RunningBridge) -> list[tuple[str, str]]:
    """(kind, text) of agents' words that no customer sees."""
    query = select(held.c.kind, held.c.text).order_by(held.c.id)
    rows = await bridge.service.store.read(lambda connection: connection.execute(query).all())
    return [tuple(row) for row in rows]


async def say_so(bridge: RunningBridge, kind: str, seconds: float, **who: str) -> None:
    """A lead's word for a while from now: off, on or cover an agent, pause a team."""
    now = bridge.clock.now()
    change = overrides.Change(kind, now, now + seconds, "kim@example.com", now, **who)
    await bridge.service.store.do(overrides.put, change)


async def counted(bridge: RunningBridge, what: str) -> float:
    """How often this happened to conversations, by /metrics."""
    _, text = await bridge.get("/metrics")
    wanted = f'bridge_conversations_total{{event="{what}"}}'
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(wanted)), 0.0)
