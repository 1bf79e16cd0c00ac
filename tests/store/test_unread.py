"""What Webex does not give, what it refuses, and what was held, as the store keeps it."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from bridge.domain.conversation.facts import SHOWN
from bridge.store import hearing, reads, unread
from bridge.store.hearing import ThreadRead
from bridge.store.new_words import NewWords
from bridge.store.tables import deliveries, messages
from bridge.store.unread import Stuck
from bridge.store.words import fate
from tests.store.conftest import Bench
from tests.store.test_looking import listen, spoken


async def read(bench: Bench, *words: tuple[str, str, float], failures: int = 0) -> None:
    """A reading of the one thread that found these: (id, text, revision)."""
    (thread,) = await listen(bench)
    found = tuple(
        NewWords(ident, revision, {
            "message_id": ident, "text": text, "html": None, "agent_email": "amy@example.com", "in_time": True,
            "away": False, "files": [], "refused_files": [],
        })
        for ident, text, revision in words
    )  # fmt: skip
    done = ThreadRead(thread, bench.clock.at, found, (), bench.clock.at, failures)
    assert await bench.store.do(hearing.settle_thread, done)
    await bench.intake()


def shown(connection: Connection) -> list[str]:
    query = select(messages.c.text).where(messages.c.author == "agent").order_by(messages.c.seq)
    return list(connection.execute(query).scalars())


async def test_an_edit_of_what_was_held_is_found_again(bench: Bench) -> None:
    """By its id at Webex, in a later round or in the same one; two edits within a second are two."""
    await spoken(bench)
    await read(bench, ("w2", "/dnoe the refund", 0.0))
    assert await bench.store.read(fate, "c0", "w2") == "unknown-command"
    await read(bench, ("w2", "the refund", 1_795_300_001.25))
    assert await bench.store.read(fate, "c0", "w2") == SHOWN
    await read(bench, ("w2", "the refunds", 1_795_300_001.75))
    assert await bench.store.read(shown) == ["the refunds"]
    assert await bench.store.read(fate, "c0", "w9") is None


async def test_those_behind_wait_along(bench: Bench) -> None:
    """The end of a wait is that of the first look, whoever asks and however often."""
    now = bench.clock.at
    assert await bench.store.do(unread.wait_for, Stuck(("a", "b"), now + 120)) == now + 120
    assert await bench.store.do(unread.wait_for, Stuck(("a",), now + 200)) == now + 120
    assert await bench.store.do(unread.wait_for, Stuck(("b", "c"), now + 200)) == now + 120
    assert await bench.store.do(unread.wait_for, Stuck(("c",), now + 300)) == now + 200


async def test_threads_that_cannot_be_read_are_counted(bench: Bench) -> None:
    """After some tries, and only while their conversation is open."""
    await spoken(bench)
    await read(bench, failures=3)
    assert await bench.store.read(reads.unread_threads) == 0
    await read(bench, failures=9)
    assert await bench.store.read(reads.unread_threads) == 1
    await bench.accept("e9", kind="ended")
    await bench.intake()
    assert await bench.store.read(reads.unread_threads) == 0


@pytest.mark.parametrize("first", ["refusal", "end"])
async def test_words_refused_after_the_end_are_kept_as_a_dead_letter(bench: Bench, first: str) -> None:
    """Whichever of the two is decided first."""
    await spoken(bench)
    await bench.accept("e2", kind="said")
    await bench.intake()
    (work,) = await bench.take()
    if first == "end":
        await bench.accept("e3", kind="ended")
        await bench.intake()
    await bench.settle(work, "agent-refused", error="403 no", again_at=bench.clock.at)
    if first == "refusal":
        await bench.accept("e3", kind="ended")
    await bench.intake()
    pending = select(messages.c.delivery).where(messages.c.author == "customer").order_by(messages.c.seq)
    states = await bench.store.read(lambda connection: list(connection.execute(pending).scalars()))
    assert states == ["sent", "failed"]
    news = select(deliveries.c.payload).where(deliveries.c.kind == "callback")
    told = await bench.store.read(lambda connection: list(connection.execute(news).scalars()))
    assert sum("message.failed" in one for one in told) == 1
    letters = select(deliveries.c.error).where(deliveries.c.state == "dead")
    kept = await bench.store.read(lambda connection: list(connection.execute(letters).scalars()))
    assert kept == (["403 no"] if first == "end" else [])
