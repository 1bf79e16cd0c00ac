"""What is counted along is compared with what there is, on both databases."""

import pytest
from sqlalchemy import select, update

from bridge.store import counters, tokens
from bridge.store.counters import Corrected, Suspects
from bridge.store.tables import agents
from bridge.store.tables import guests as guest_rows
from tests.store.conftest import NOW


def spoil(connection, items):
    for table, values in items:
        connection.execute(update(table).values(values))
    return [None] * len(items)


def numbers(connection):
    held = connection.execute(select(agents.c.key, agents.c.open)).all()
    rows = guest_rows.c
    return dict(held), [
        tuple(row)
        for row in connection.execute(
            select(rows.id, rows.open_conversations, rows.reissue_at).order_by(rows.id)
        )
    ]


@pytest.fixture
async def opened(bench):
    """Ada's conversation with Amy is open, and her guest has a token; Bert's is over."""
    for subject in ("ada", "bert"):
        await bench.accept(f"e-{subject}", subject)
    await bench.intake()
    for work in await bench.take():
        await bench.settle(work)
    await bench.accept("end", "bert", kind="ended")
    await bench.intake()
    return bench


@pytest.mark.parametrize("wrong", [0, 3])
async def test_wrong_counters_are_put_right_and_told(opened, wrong):
    """An agent's load, and whose token is re-issued: as there are open conversations, whichever way they were wrong."""
    store = opened.store
    true = await store.read(numbers)
    assert await store.read(counters.suspects) == Suspects((), ())
    due = None if wrong == 0 else NOW + 1
    await store.do(spoil, (agents, {"open": wrong}))
    await store.do(spoil, (guest_rows, {"open_conversations": wrong, "reissue_at": due}))
    found = await store.read(counters.suspects)
    assert found.agents == ("amy",)
    corrected = await store.do(counters.recount, found)
    assert corrected == Corrected({"amy": (wrong, 1)}, len(found.guests))
    held, rows = await store.read(numbers)
    assert held == true[0]
    assert [row[:2] for row in rows] == [row[:2] for row in true[1]]
    assert [row[2] is None for row in rows] == [False, True]  # Bert's token is nobody's business any more
    assert await store.read(counters.suspects) == Suspects((), ())


async def test_what_only_looked_wrong_is_left_alone(opened):
    """It changed between the look and the count."""
    assert await opened.store.do(counters.recount, Suspects(("amy", "bo"), ("g-ada", "g-bert"))) == Corrected(
        {}, 0
    )


async def test_ending_tokens_are_those_of_open_conversations(opened):
    """In the last tenth of its life and not re-issued: told while the conversation is open, and no longer."""
    late = NOW + 9_500
    assert await opened.store.read(tokens.ending, late) == 0
    await opened.store.do(spoil, (guest_rows, {"reissue_failures": 2}))
    assert await opened.store.read(tokens.ending, NOW + 8_000) == 0
    assert await opened.store.read(tokens.ending, late) == 1
    await opened.accept("end-ada", "ada", kind="ended")
    await opened.intake()
    assert await opened.store.read(tokens.ending, late) == 0
