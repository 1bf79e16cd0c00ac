"""What cannot be decided or written harms itself alone, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import OperationalError

from bridge.domain.duty.roster import Agent, Roster, Route, Team
from bridge.store import deciding, reads
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.operator import dead_letters
from bridge.store.tables import agents, conversations, deliveries, envelopes, messages
from tests.store.conftest import Bench, roster

HALF = "\\ud800"  # in JSON: half a character, which no database takes as text


def words(connection: Connection) -> list[str]:
    return sorted(
        connection.execute(select(messages.c.text).where(messages.c.author == "customer")).scalars()
    )


def dead(connection: Connection) -> list[tuple[str, str]]:
    return [(one.kind, json.loads(one.payload)["key"]) for one in dead_letters.dead_letters(connection)]


def open_of(connection: Connection) -> dict[str, int]:
    return {row.key: row.open for row in connection.execute(select(agents.c.key, agents.c.open))}


async def do(bench: Bench, statement: Any) -> None:
    def run(connection: Connection, items: Any) -> list[None]:
        connection.execute(statement)
        return [None] * len(items)

    await bench.store.do(run, None)


@pytest.mark.parametrize("at", [0, 4, 9])
async def test_a_plan_that_cannot_be_written_harms_itself_alone(bench: Bench, at: int) -> None:
    """The envelope becomes a dead letter that is told; all others of the round are decided, and so is the next one."""
    for number in range(10):
        bad = {"text": f"half {HALF}"} if number == at else {}
        await bench.accept(f"e{number}", f"s{number}", **bad)
    outcome = await bench.intake()
    assert outcome.envelopes == 10
    assert [one.kind for one in outcome.failed] == ["requested"]
    assert len(await bench.claim()) == 9
    assert await bench.store.read(words) == sorted(f"e{number}" for number in range(10) if number != at)
    assert await bench.store.read(dead) == [("envelope", f"e{at}")]
    assert await bench.store.read(open_of) == {"amy": 9}
    await bench.accept("next", "s1", kind="said")
    after = await bench.intake()
    assert (after.envelopes, after.failed) == (1, [])


async def test_order_is_kept_around_a_culprit(bench: Bench) -> None:
    """What the same customer said before and after it is said, in order."""
    await bench.accept("one")
    await bench.accept("two", kind="said", text=HALF)
    await bench.accept("three", kind="said")
    assert len((await bench.intake()).failed) == 1
    said = []
    (work,) = await bench.take()
    while work:
        said.append(json.loads(work.payload)["text"])
        work = (await bench.settle(work)).work
    assert said == ["one", "three"]


async def test_an_envelope_that_is_no_json_harms_itself_alone(bench: Bench) -> None:
    """It is kept as it is, and can be looked at."""
    await bench.accept("good", "ada")
    await bench.accept("bad", "bob")
    await do(bench, update(envelopes).where(envelopes.c.key == "bad").values(body="{half"))
    assert [one.kind for one in (await bench.intake()).failed] == ["requested"]
    assert await bench.store.read(dead) == [("envelope", "bad")]
    assert len(await bench.claim()) == 1


async def test_who_waits_and_cannot_be_served_holds_up_nobody(bench: Bench) -> None:
    """It is left out and told, once; the others are served as ever, and it too when it was mended."""
    absent = Agent("bo", "bo@example.com", "Bo", shifts=())
    bench.roster = Roster({"bo": absent}, {"front": Team("front", "UTC", (), hours=())}, (Route("front"),))
    for name in ("ada", "bob", "cy"):
        await bench.accept(f"e-{name}", name)
        bench.clock.at += 1
    await bench.intake()
    await do(bench, update(conversations).where(conversations.c.subject == "bob").values(tried="nonsense"))
    bench.roster = roster()
    outcome = await bench.intake()
    assert [one.kind for one in outcome.failed] == ["due"]
    assert sorted(work.lane for work in await bench.claim()) == ["say:g-ada", "say:g-cy"]
    assert await bench.store.read(open_of) == {"amy": 2}
    await bench.accept("e-dan", "dan")
    after = await bench.intake()
    assert (after.envelopes, after.failed) == (1, [])
    assert len(await bench.store.read(dead)) == 1
    await do(bench, update(conversations).where(conversations.c.subject == "bob").values(tried="[]"))
    (ident,) = await bench.store.read(dead_letters.dead_ids)
    await bench.store.do(lambda c, items: [dead_letters.replay(c, items, bench.clock.at)], ident)
    for _ in range(2):  # the first one only learns that it is to be looked at again
        await bench.intake()
    assert await bench.store.read(open_of) == {"amy": 4}


async def test_a_database_that_takes_nothing_blames_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a missing table is no envelope's fault: nothing is given up, and all is decided later."""
    await bench.accept("one")

    def full(*_: Any) -> None:
        raise OperationalError("INSERT", None, Exception("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(deciding, "commit", full)
        with pytest.raises(StoreUnavailable):
            await bench.intake()
    assert (await bench.store.read(reads.counts, bench.clock.at)).dead == 0
    assert (await bench.intake()).envelopes == 1


async def test_a_nul_that_slipped_through_harms_itself_alone(bench: Bench) -> None:
    """PostgreSQL takes none in a text; SQLite does."""
    await bench.accept("nul", "ada", text="a\\u0000b")
    await bench.accept("good", "bob")
    outcome = await bench.intake()
    dialect = await bench.store.read(lambda connection: connection.dialect.name)
    assert len(outcome.failed) == (dialect == "postgresql")
    assert len(await bench.claim()) == 2 - len(outcome.failed)


async def test_a_constraint_that_refuses_one_harms_it_alone(bench: Bench) -> None:
    """As a trigger or a check of the operator's own may."""
    await bench.accept("seven", "ada")
    await bench.accept("eight", "bob")
    await do(bench, text("CREATE UNIQUE INDEX only_one ON deliveries (agent) WHERE kind = 'say'"))
    assert len((await bench.intake()).failed) == 1
    assert await bench.store.read(words) == ["seven"]
    said = select(deliveries.c.agent).where(deliveries.c.kind == "say")
    assert await bench.store.read(lambda connection: list(connection.execute(said).scalars())) == ["amy"]


async def test_a_trigger_that_refuses_one_harms_it_alone(bench: Bench) -> None:
    """Whatever a database calls what a trigger of the operator's own says."""
    await bench.accept("seven", "ada")
    await bench.accept("eight", "bob")
    if await bench.store.read(lambda connection: connection.dialect.name) == "sqlite":
        raised = "BEGIN SELECT RAISE(ABORT, 'no sevens'); END"
    else:
        body = "BEGIN RAISE EXCEPTION 'no sevens'; END"
        await do(bench, text(f"CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"))
        raised = "EXECUTE FUNCTION no()"
    when = "BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.text = 'seven')"
    await do(bench, text(f"CREATE TRIGGER no_sevens {when} {raised}"))
    assert len((await bench.intake()).failed) == 1
    assert await bench.store.read(words) == ["eight"]
