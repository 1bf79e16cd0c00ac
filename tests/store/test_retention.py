"""Retention takes out what is over, whole and in small pieces, and touches nothing that is open; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text, update

from bridge.service.retention import Retention
from bridge.store import retention, upkeep
from bridge.store.files import Chunk, NewFile, Sweep, Whole, finish_files, put_chunks, put_files, sweep_files
from bridge.store.hints import Hint, note_hints
from bridge.store.inbox import Arrival, accept
from bridge.store.retention import Purge, Tidy, purge, tidy
from bridge.store.tables import (
    conversations,
    deliveries,
    envelopes,
    file_chunks,
    files,
    guests,
    heard,
    hints,
    messages,
)
from tests.store.conftest import NOW, Bench

DAY = 86400.0


def count(connection: Connection, table: Any = conversations) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar() or 0


async def run(bench: Bench, *statements: Any) -> None:
    def change(connection: Connection, items: Any) -> list[None]:
        for statement in statements:
            connection.execute(statement)
        return [None] * len(items)

    await bench.store.do(change, None)


async def ended(bench: Bench, subject: str = "ada", reason: str = "source") -> None:
    """A conversation whose words are delivered, whose news were taken, and which has ended."""
    await bench.accept(f"{subject}-1", subject, text="very private")
    await bench.intake()
    for work in await bench.take():
        await bench.settle(work)
    await bench.accept(f"{subject}-2", subject, kind="ended", body=f'{{"reason":"{reason}"}}')
    await bench.intake()
    await run(
        bench, update(deliveries).where(deliveries.c.kind == "callback").values(state="done", done_at=NOW)
    )


async def purged(bench: Bench, days: float = 0) -> int:
    return (await bench.store.do(purge, Purge(bench.clock.at, days * DAY))).conversations


async def test_nothing_is_kept_longer_than_it_must_be(bench: Bench) -> None:
    """With 0 days an ended conversation goes when its ten minutes are over, with the customer's name."""
    await ended(bench)
    bench.clock.at += 599
    assert await purged(bench) == 0
    bench.clock.at += 2
    assert await purged(bench) == 1
    for table in (conversations, messages, deliveries):
        assert await bench.store.read(count, table) == 0
    name = select(guests.c.display_name)
    assert await bench.store.read(lambda connection: connection.execute(name).scalars().all()) == [""]


OPEN: dict[str, tuple[Callable[[], Any], float]] = {
    "words on their way": (
        lambda: update(deliveries).where(deliveries.c.kind == "say").values(state="open", done_at=None),
        400,
    ),
    "news that the source has not taken": (
        lambda: update(deliveries).where(deliveries.c.kind == "callback").values(state="open", done_at=None),
        2.9,
    ),
    "an envelope that is not decided": (lambda: update(envelopes).values(done_at=None), 400),
    "words that are neither sent nor failed": (lambda: update(messages).values(delivery="pending"), 2.9),
    "a dead letter for the operator": (
        lambda: update(deliveries).where(deliveries.c.kind == "say").values(state="dead", done_at=NOW),
        2.9,
    ),
    "a customer who may still read": (lambda: update(conversations).values(key_dead_at=NOW + 9 * DAY), 8),
}


@pytest.mark.parametrize("what", OPEN)
async def test_what_is_open_is_not_touched(bench: Bench, what: str) -> None:
    """However few days conversations are kept."""
    await ended(bench)
    change, days = OPEN[what]
    await run(bench, change())
    bench.clock.at += days * DAY
    assert await purged(bench) == 0
    assert await bench.store.read(count, messages) > 0


async def test_what_was_tried_for_long_enough_goes(bench: Bench) -> None:
    """Dead letters and words of unknown fate after three days more, but a conversation that goes on never."""
    await ended(bench)
    await run(
        bench,
        update(deliveries).values(state="dead", done_at=NOW),
        update(messages).values(delivery="pending"),
    )
    await bench.accept("open", "eve")
    await bench.intake()
    bench.clock.at += 3 * DAY + 601
    assert await purged(bench) == 1
    assert await bench.store.read(count) == 1


async def set_back(bench: Bench, days: float) -> None:
    bench.clock.at -= days * DAY
    await bench.store.do(upkeep.rebase, upkeep.Jump(-days * DAY, bench.clock.at))


async def test_what_is_open_is_not_touched_where_the_clock_was_set_back(bench: Bench) -> None:
    """News is as old as it was, however early its time is by now."""
    await ended(bench)
    change, _ = OPEN["news that the source has not taken"]
    await run(bench, change())
    bench.clock.at += 2 * DAY
    await set_back(bench, 2)
    bench.clock.at += 700
    assert await purged(bench) == 0
    bench.clock.at += DAY
    assert await purged(bench) == 1


async def test_a_hint_is_kept_for_a_day_where_the_clock_was_set_back(bench: Bench) -> None:
    """It has moved along with the clock."""
    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.take()
    await bench.settle(work, room_id="r1", webex_created=1.0, listen_at=NOW + 2)
    await bench.store.do(note_hints, Hint("m1", "g-ada", "amy@example.com", NOW))
    bench.clock.at += 10
    await set_back(bench, 5)
    for left, later in ((1, DAY - 20), (0, 20)):
        bench.clock.at += later
        await bench.store.do(tidy, Tidy(bench.clock.at, 30 * DAY))
        assert await bench.store.read(count, hints) == left


def old(number: int, **more: Any) -> dict[str, Any]:
    row = {
        "id": f"old{number}", "source": "kiosk", "customer": f"c{number}", "subject": "s", "display_name": "n",
        "guest_id": "g", "status": "ended", "accepting": 0, "created_at": NOW, "ended_at": NOW + number / 1000,
        "last_seq": 0,
    }  # fmt: skip
    return row | more


async def test_one_run_takes_out_all_that_is_old(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Piece by piece, behind those that must stay as well."""
    monkeypatch.setattr(retention, "_LOOKED_AT", 10)
    monkeypatch.setattr("bridge.service.retention._REST", 0)
    blocked = [
        {
            "lane": "call:x",
            "kind": "callback",
            "conversation_id": f"old{number}",
            "payload": "{}",
            "created_at": NOW,
        }
        for number in range(25)
    ]
    await run(bench, insert(conversations).values([old(number) for number in range(200)]))
    await run(bench, insert(deliveries).values(blocked))
    bench.clock.at += DAY
    await Retention(bench.store, bench.clock, lambda: 0.0).run()
    assert await bench.store.read(count) == 25


async def test_a_piece_is_small(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what was said and by its files, but for one that is larger alone."""
    monkeypatch.setattr(retention, "_MOST_MESSAGES", 100)
    monkeypatch.setattr(retention, "_MOST_BYTES", 1000)
    rows = [old(0, last_seq=60), old(1, last_seq=60), old(2, last_seq=5000), old(3), old(4)]
    await run(bench, insert(conversations).values(rows))
    bytes_of = {"name": "x", "type": "y", "url": None, "created_at": NOW, "size": 900}
    await run(
        bench,
        insert(files).values([{"id": f"f{n}", "conversation_id": f"old{n}", **bytes_of} for n in (3, 4)]),
    )
    bench.clock.at += DAY
    went, behind = [], retention.START
    while behind is not None:
        gone, behind = await bench.store.do(purge, Purge(bench.clock.at, 0, behind))
        went.append(gone)
    assert went == [1, 1, 1, 1, 1]


async def test_the_rest_is_tidied_in_pieces_as_well(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of old events, and what was heard, a piece at a time, and it says whether there is more."""
    monkeypatch.setattr(retention, "_ROWS", 2)
    for number in range(3):
        await bench.accept(f"e{number}", f"s{number}")
    await bench.intake()
    await run(
        bench, insert(heard).values([{"message_id": str(n), "guest_id": "g", "at": NOW} for n in range(5)])
    )
    bench.clock.at += 7.9 * DAY
    assert not await bench.store.do(tidy, Tidy(bench.clock.at, 0))
    assert await bench.store.read(count, envelopes) == 3
    bench.clock.at += DAY
    assert [await bench.store.do(tidy, Tidy(bench.clock.at, 0)) for _ in range(3)] == [True, True, False]
    assert await bench.store.read(count, envelopes) == await bench.store.read(count, heard) == 0


async def upload(bench: Bench, ident: str, conversation: str) -> None:
    room = {"reserved": 5, "most_of_conversation": 100, "most_in_all": 1000, "counts_for": 600.0}
    file = NewFile(ident, conversation, "x.png", "image/png", bench.clock.at, **room)
    await bench.store.do(put_files, file)
    await bench.store.do(put_chunks, Chunk(ident, 0, b"bytes"))
    await bench.store.do(finish_files, Whole(ident, 5))


async def test_files_that_nobody_said_are_swept_away(bench: Bench) -> None:
    """After an hour; those of words that were said, or are still to be decided, stay."""
    conversation = (await bench.accept("e1")).conversation_id
    await bench.intake()
    for ident in ("said", "undecided", "orphan"):
        await upload(bench, ident, conversation)
    await upload(bench, "lost", "no conversation")
    for ident in ("said", "undecided"):
        body = f'{{"ids":["{ident}"],"at":{NOW},"files":[{{"id":"{ident}","name":"x.png"}}]}}'
        await bench.store.do(accept, Arrival(ident, "said", "kiosk", body, NOW, conversation_id=conversation))
        if ident == "said":
            await bench.intake()
            await run(bench, update(envelopes).where(envelopes.c.key == "said").values(body="{}"))
    newest = (NOW, "undecided")
    assert await bench.store.do(sweep_files, Sweep(NOW + 3600)) == (retention.START, False)
    assert await bench.store.read(count, files) == 4
    assert await bench.store.do(sweep_files, Sweep(NOW + 3601)) == (newest, False)
    kept = select(files.c.id).order_by(files.c.id)
    assert await bench.store.read(lambda c: c.execute(kept).scalars().all()) == ["said", "undecided"]
    assert await bench.store.read(count, file_chunks) == 2


async def test_a_clock_set_back_hides_no_file_from_the_sweep(bench: Bench) -> None:
    """Those that come after it have times that were looked at before."""
    sweeper = Retention(bench.store, bench.clock, lambda: 30 * DAY)
    await upload(bench, "first", "no conversation")
    bench.clock.at += 3700
    await sweeper.run()
    assert await bench.store.read(count, files) == 0
    await set_back(bench, 1)
    await upload(bench, "second", "no conversation")
    await sweeper.run()
    bench.clock.at += 3700
    await sweeper.run()
    assert await bench.store.read(count, files) == 0


PIECES = {
    "conversations_ended": (retention._ENDED, {"before": NOW, "ended": 0.0, "ident": "", "most": 100}),
    "deliveries_conversation": (retention._UNDELIVERED, {"ids": ["a", "b"], "tried": NOW, "open_since": NOW}),
    "envelopes_conversation": (retention._UNDECIDED, {"ids": ["a", "b"]}),
    "conversations_customer": (retention._FORGET_NAMES, {"ids": ["a", "b"]}),
}


@pytest.mark.parametrize("index", PIECES)
async def test_a_piece_costs_the_same_however_much_is_stored(bench: Bench, index: str) -> None:
    """What it looks for is found by an index."""
    statement, given = PIECES[index]

    def plan(connection: Connection) -> str:
        statement.one(connection, **given)
        words = statement._compiled[connection.dialect.name]._text  # type: ignore[attr-defined]
        if connection.dialect.name == "sqlite":
            holes = ("[]",) * words.count("?")
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", holes)
        else:
            connection.execute(text("SET LOCAL enable_seqscan = off"))  # else a small table is read whole
            rows = connection.exec_driver_sql(f"EXPLAIN {words}", given)
        return "\n".join(str(row) for row in rows)

    found: list[str] = []

    def ask(connection: Connection, items: Any) -> list[None]:
        found.append(plan(connection))
        return [None] * len(items)

    await bench.store.do(ask, None)
    assert index in found[0]
    assert "SCAN conversations" not in found[0]
    assert "SCAN deliveries" not in found[0]
