"""Who waits is served, however many wait before them whom nobody can serve."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from bridge.domain.duty.roster import Agent, Roster, Route, Team
from bridge.store import inbox
from bridge.store.reads import position, positions
from bridge.store.rows import CONVERSATION_COLUMNS, conversation_of
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


async def test_places_in_one_look_are_those_of_many_looks(bench: Bench) -> None:
    """Also of those who joined in the same moment, and in two teams' queues at once."""
    amy = {"amy": Agent("amy", "amy@example.com", "Amy", languages=("fr",))}
    teams = {key: Team(key, "UTC", ("amy",)) for key in ("front", "back")}
    bench.roster = Roster(amy, teams, (Route("back", topic=("returns",)), Route("front")))
    for number in range(6):
        arrival = bench.arrival(f"e{number}", f"s{number}")
        assert arrival.opening is not None
        topic = "returns" if number % 3 == 0 else None
        opening = arrival.opening._replace(language="de", topic=topic)
        await bench.store.do(inbox.accept, arrival._replace(opening=opening))
        bench.clock.at += number % 2
    await bench.intake()

    def both(connection: Connection) -> tuple[dict[str, int], dict[str, int | None], list[tuple[str, int]]]:
        found = [conversation_of(row) for row in connection.execute(select(*CONVERSATION_COLUMNS))]
        together = positions(connection, found)
        named = sorted((one.team or "", together[one.id]) for one in found)
        return together, {one.id: position(connection, one) for one in found}, named

    together, alone, named = await bench.store.read(both)
    assert together == alone
    assert named == [("back", 1), ("back", 2), ("front", 1), ("front", 2), ("front", 3), ("front", 4)]
