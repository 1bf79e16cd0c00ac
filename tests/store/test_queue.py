"""Who waits is served, however many wait before them whom nobody can serve."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from bridge.domain.duty.roster import Agent, Roster, Route, Team
from bridge.store import inbox
from bridge.store.tables import conversations
from tests.store.conftest import Bench


def speaking(*languages: str) -> Roster:
    agents = {"amy": Agent("amy", "amy@example.com", "Amy", languages=languages)}
    return Roster(agents, {"front": Team("front", "UTC", ("amy",))}, (Route("front"),))


def open_ones(connection: Connection) -> set[str]:
    return set(
        connection.execute(select(conversations.c.subject).where(conversations.c.status == "open")).scalars()
    )


async def ask(bench: Bench, subject: str, language: str) -> None:
    arrival = bench.arrival(f"e-{subject}", subject)
    assert arrival.opening is not None
    opening = arrival.opening._replace(language=language)
    await bench.store.do(inbox.accept, arrival._replace(opening=opening))
    bench.clock.at += 1


async def test_many_who_cannot_be_served_hide_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of those who wait is looked at in a round, and the next one when nobody of it could be served."""
    monkeypatch.setattr("bridge.store.deciding._QUEUED", 3)
    bench.roster = speaking("fr")
    for number in range(7):
        await ask(bench, f"de{number}", "de")
    await ask(bench, "en", "en")
    await bench.intake()
    assert await bench.store.read(open_ones) == set()
    bench.roster = speaking("en")
    for _ in range(3):
        await bench.intake()
    assert await bench.store.read(open_ones) == {"en"}
    bench.roster = speaking("de")
    for _ in range(3):
        await bench.intake()
    assert len(await bench.store.read(open_ones)) == 8
