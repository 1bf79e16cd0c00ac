"""What a reading of a thread may write, and what is remembered of it, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from bridge.domain.duty.roster import Agent, Roster, Route, Team
from bridge.store import catching_up, hearing, taken_back
from bridge.store.engine.sql import insert_all
from bridge.store.hearing import Thread, ThreadRead
from bridge.store.hints import Hint, note_hints
from bridge.store.lanes import ReadingPark, park_reading, wake
from bridge.store.new_words import NewWords
from bridge.store.retention import Tidy, tidy
from bridge.store.tables import conversations, envelopes, heard, hints, lanes, messages, threads
from tests.store.conftest import NOW, Bench
from tests.store.test_looking import listen

AMY = "amy@example.com"
AGENTS = {key: Agent(key, f"{key}@example.com", key.title()) for key in ("amy", "bo")}
TWO = Roster(AGENTS, {"front": Team("front", "UTC", ("amy", "bo"))}, (Route("front"),))


@pytest.fixture
async def said(bench: Bench) -> str:
    """Ada's first words have reached Amy, whose thread is due; the guest's id."""
    await bench.accept("e1")
    await deliver(bench)
    return "g-ada"


async def deliver(bench: Bench) -> None:
    """Everything that is to be said is said, each at its own second of Webex's."""
    await bench.intake()
    for work in await bench.take():
        following: Any = work
        while following:
            settled = {"webex_id": f"w{following.id}", "webex_created": float(following.id)}
            done = await bench.settle(following, room_id="r", listen_at=bench.clock.at, **settled)
            following = done.work


async def envelope(bench: Bench, kind: str, body: dict[str, Any]) -> None:
    def put(connection: Connection, items: list[str]) -> list[None]:
        query = select(conversations.c.id).where(conversations.c.accepting == 1)
        row = {
            "key": items[0],
            "lane": "in:ada",
            "kind": kind,
            "conversation_id": connection.execute(query).scalar_one(),
            "body": json.dumps(body),
            "answered": "",
            "received_at": bench.clock.at,
        }
        insert_all(connection, envelopes, [row])
        wake(connection, ["in:ada"], bench.clock.at)
        return [None]

    await bench.store.do(put, f"k{next(bench.ids)}")
    await deliver(bench)


async def hand_over(bench: Bench, to: str) -> None:
    bench.roster = TWO
    bench.clock.at += 1
    await envelope(bench, "transfer", {"to": to, "by": "kim@example.com"})


async def heard_by(bench: Bench, mail: str = AMY) -> Thread:
    """This agent's thread, claimed."""
    bench.clock.at += 1
    return next(one for one in await listen(bench) if one.agent_email == mail)


def words(ident: str, revision: float = 0.0, text: str = "hi") -> NewWords:
    body = {"message_id": ident, "text": text, "html": None, "agent_email": AMY, "in_time": True}
    return NewWords(ident, revision, body, created=100.0)


async def settle(bench: Bench, thread: Thread, *new: NewWords, again: float | None = 0, **more: Any) -> str:
    at = None if again is None else bench.clock.at + again
    read = ThreadRead(thread, bench.clock.at, new, more.pop("cleared", ()), at, **more)
    return await bench.store.do(hearing.settle_thread, read)


async def shown(bench: Bench) -> list[str]:
    await bench.intake()
    query = select(messages.c.text).where(messages.c.author == "agent").order_by(messages.c.seq)
    return await bench.store.read(lambda connection: list(connection.execute(query).scalars()))


async def count(bench: Bench, table: Any, *where: Any) -> int:
    query = select(func.count()).select_from(table).where(*where)
    return await bench.store.read(lambda connection: connection.execute(query).scalar_one())


async def test_a_reading_counts_only_for_the_visit_it_was_for(bench, said):
    """The next visit has begun: nothing is written, and the thread is read again at once."""
    thread = await heard_by(bench)
    await bench.accept("e2", kind="ended")
    await bench.accept("e3")
    await deliver(bench)
    assert await settle(bench, thread, words("m1"), again=300) == "changed"
    assert await count(bench, heard) == 0
    again = await heard_by(bench)
    assert again.conversation_id != thread.conversation_id
    assert await settle(bench, again, words("m1")) == "read"
    assert await shown(bench) == ["hi"]


async def test_a_reading_counts_only_for_the_agent_it_was_for(bench, said):
    """To Bo and back: what Amy wrote may be of between, so it is read again, knowing when she got it back."""
    thread = await heard_by(bench)
    await hand_over(bench, "bo")
    await hand_over(bench, "amy")
    assert await settle(bench, thread, words("m1")) == "changed"
    again = await heard_by(bench)
    assert (thread.back_at, again.back_at) == (None, bench.clock.at - 1)


async def test_a_reading_of_a_visit_that_has_ended_takes_no_lane_from_the_next(bench, said):
    """Its thread was not to be read any more; that of the guest who is back is."""
    await bench.accept("e2", kind="ended")
    await bench.intake()
    thread = await heard_by(bench)
    await bench.accept("e3")
    await deliver(bench)
    assert await settle(bench, thread, again=None) == "changed"
    assert (await heard_by(bench)).open


async def test_of_two_readings_of_one_process_one_counts(bench, said):
    """It lost its lease and got it again: whichever is settled first gives the lane up."""
    stale = await heard_by(bench)
    bench.clock.at += 20
    fresh = await heard_by(bench)
    done = [
        bench.store.do(hearing.settle_thread, ThreadRead(one, NOW, (), (), NOW)) for one in (stale, fresh)
    ]
    assert [await one for one in done] == ["read", "lost"]


async def test_a_429_holds_although_the_thread_is_another_visits_by_now(bench, said):
    """Whatever the reading was for, nothing of this guest is read before its time."""
    thread = await heard_by(bench)
    await hand_over(bench, "bo")
    await hand_over(bench, "amy")
    assert await settle(bench, thread, again=60, parked=True) == "changed"
    bench.clock.at += 59
    assert await listen(bench) == []


async def test_late_last_words_do_not_begin_the_next_visit(bench, clock):
    """Only a delivery of the thread's present conversation tells where that begins."""
    await bench.accept("e1")
    await bench.intake()
    (late,) = await bench.take()
    await bench.accept("e2", kind="ended")
    await bench.accept("e3")
    await bench.intake()
    first = await bench.settle(late, webex_id="w1", room_id="r", webex_created=1.0)
    since = select(threads.c.since, threads.c.since_id, threads.c.room_id)
    read = lambda: bench.store.read(lambda connection: tuple(connection.execute(since).one()))  # noqa: E731
    assert await read() == (None, None, "r")
    await bench.settle(first.work, webex_id="w2", room_id="r", webex_created=2.0)
    assert await read() == (2.0, "w2", "r")


async def test_a_hint_that_is_repeated_meanwhile_stays(bench, said):
    """The message was edited while it was read: it is read again at once."""
    await bench.store.do(note_hints, Hint("m1", said, AMY, bench.clock.at))
    thread = await heard_by(bench)
    await bench.store.do(note_hints, Hint("m1", said, AMY, bench.clock.at + 0.5))
    await settle(bench, thread, words("m1"), again=300, cleared=("m1",))
    again = await heard_by(bench)
    assert again.hints == ("m1",)
    await settle(bench, again, words("m1", revision=5.0, text="ho"), again=300, cleared=again.hints)
    assert await count(bench, hints) == 0
    assert await listen(bench) == []
    assert await shown(bench) == ["ho"]


async def test_every_edit_counts(bench, said):
    """Two within a second as well."""
    for revision in (0.0, NOW + 0.1, NOW + 0.2):
        await settle(bench, await heard_by(bench), words("m1", revision, f"of {revision}"))
        assert await shown(bench) == [f"of {revision}"]


async def test_how_far_was_read_is_remembered(bench, said):
    """By Webex's own time, with the place where a reading back was cut short; a new visit begins at its newest."""
    await settle(bench, await heard_by(bench), newest=("m1", 100.0), unread_from="m9")
    thread = await heard_by(bench)
    assert (thread.read_id, thread.read_at, thread.unread_from) == ("m1", 100.0, "m9")
    await settle(bench, thread, unread_from="m9")
    await hand_over(bench, "bo")
    await hand_over(bench, "amy")
    thread = await heard_by(bench)
    assert (thread.read_id, thread.read_at, thread.unread_from) == ("m1", 100.0, None)


async def test_words_taken_back_are_never_shown_afterwards(bench, said):
    """Before they are read, while they wait to be decided, and when they were shown already."""
    taken = lambda ident: taken_back.Unsaid(ident, said, bench.clock.at)  # noqa: E731
    assert not await bench.store.do(taken_back.note_deleted, taken("m1"))
    await settle(bench, await heard_by(bench), words("m1"), words("m2"), words("m3"))
    assert not await bench.store.do(taken_back.note_deleted, taken("m2"))
    assert await shown(bench) == ["hi"]
    args = ("c0", AMY, 99.0)
    assert await bench.store.read(taken_back.shown_since, *args) == ["m3"]
    assert await bench.store.do(taken_back.note_deleted, taken("m3"))
    assert await shown(bench) == [""]
    assert await bench.store.read(taken_back.shown_since, *args) == []
    await settle(bench, await heard_by(bench), words("m1", 1.0), words("m2", 1.0), words("m3", 1.0))
    assert await shown(bench) == [""]


async def test_what_was_heard_is_known_as_long_as_its_conversation_is_open(bench, said):
    """However few days are kept; afterwards it is forgotten."""
    await settle(bench, await heard_by(bench), words("m1"))
    bench.clock.at += 20 * 86400
    await bench.store.do(tidy, Tidy(bench.clock.at, 0))
    assert await count(bench, heard) == 1
    await bench.accept("e2", kind="ended")
    await bench.intake()
    await bench.store.do(tidy, Tidy(bench.clock.at + 1, 86400 * 3))
    assert await count(bench, heard) == 0


async def test_who_has_a_conversation_back_is_read_once_for_it(bench, said):
    """At its return; the customer's words after that bring no reading of their own."""
    await settle(bench, await heard_by(bench), again=300)
    await hand_over(bench, "bo")
    await hand_over(bench, "amy")
    await settle(bench, await heard_by(bench), again=300)
    for number in range(3):
        await bench.accept(f"more-{number}")
        await deliver(bench)
        bench.clock.at += 1
        assert AMY not in [one.agent_email for one in await listen(bench)]


async def test_after_a_start_threads_are_read_at_a_pace(bench, clock):
    """Those that have waited longest first; what is due already waits for its turn; a 429 holds."""
    bench.roster = TWO
    for number in range(60):
        await bench.accept(f"e{number}", f"s{number}")
    await deliver(bench)

    def spread(connection: Connection, items: list[float]) -> list[None]:
        keys = connection.execute(select(lanes.c.key).where(lanes.c.stage == "hear").order_by(lanes.c.key))
        for index, key in enumerate(keys.scalars().all()):
            waits = -1000 - index if index % 2 else 100 + index
            connection.execute(update(lanes).where(lanes.c.key == key).values(ready_at=clock.at + waits))
        return [None]

    await bench.store.do(spread, 0.0)
    before = await _due(bench)
    parked = before[0]
    await bench.store.do(park_reading, ReadingPark(parked.split(":")[1], clock.at + 500))
    assert await bench.store.do(catching_up.listen_again, catching_up.LookAgain(clock.at, 20)) == 60
    assert await _due(bench) == [*before[1:], parked]
    read = 0
    for second in range(4):
        clock.at = NOW + second + 0.99
        read += len(await listen(bench)) + len(await listen(bench))
        assert read == min(20 * (second + 1), 59)


async def _due(bench: Bench) -> list[str]:
    query = select(lanes.c.key).where(lanes.c.stage == "hear").order_by(lanes.c.ready_at)
    return await bench.store.read(lambda connection: list(connection.execute(query).scalars()))
