"""What a stream asks of the store: pages that are bounded in bytes, and what changed; on both databases."""

from __future__ import annotations

from sqlalchemy import update

from bridge.store.following import MOST_BYTES, changeable, look, page, words_held
from bridge.store.tables import messages


async def said(bench, *texts: str) -> str:
    """The id of a conversation in which the customer has said this."""
    for number, text in enumerate(texts):
        accepted = await bench.accept(f"e{number}", text=text)
    await bench.intake()
    return accepted.conversation_id


async def change(bench, seq: int, **values) -> None:
    def run(connection, items):
        connection.execute(update(messages).where(messages.c.seq == seq).values(**values))
        return [None] * len(items)

    await bench.store.do(run, None)


async def test_a_page_has_a_bounded_number_of_bytes(bench):
    """However many long texts there are; page after page comes to all of them, in order."""
    ident = await said(bench, *(f"{number:02}" + "é" * 30_000 for number in range(20)))
    seen: list[str] = []
    after = 0
    while items := await bench.store.read(page, ident, after, 500):
        assert sum(len(item.text.encode()) for item in items) <= MOST_BYTES
        assert len(items) == min(4, 20 - len(seen))
        seen += [item.text[:2] for item in items]
        after = items[-1].seq
    assert seen == [f"{number:02}" for number in range(20)]


async def test_an_item_larger_than_a_page_is_one(bench):
    """It comes alone, rather than never."""
    ident = await said(bench, "small", "x" * (MOST_BYTES + 1), "small")
    sizes = []
    for after in range(3):
        items = await bench.store.read(page, ident, after, 1 if after == 0 else 500)
        sizes.append([len(item.text) for item in items][:1])
    assert sizes == [[5], [MOST_BYTES + 1], [5]]


async def test_number_of_items_is_bounded_too(bench):
    """As it is asked for."""
    ident = await said(bench, *"abcdef")
    assert [item.text for item in await bench.store.read(page, ident, 1, 3)] == ["b", "c", "d"]


async def test_a_look_tells_what_is_new_and_what_changed(bench):
    """Each change once; what was never shown is no change."""
    ident = await said(bench, "one", "two")
    first = await bench.store.read(look, ident, 0, 500, None, False)
    assert [item.said.text for item in first.fresh] == ["one", "two"]
    assert (first.changed, first.more) == ([], False)
    again = await bench.store.read(look, ident, 2, 500, first.marks, False)
    assert (again.fresh, again.changed) == ([], [])
    await change(bench, 1, delivery="sent")
    third = await bench.store.read(look, ident, 2, 500, again.marks, False)
    assert [(one.seq, one.delivery) for one in third.changed] == [(1, "sent")]
    fourth = await bench.store.read(look, ident, 2, 500, third.marks, False)
    assert fourth.changed == []
    assert await bench.store.read(look, "unknown", 0, 500, None, False) is None


async def test_changes_are_bounded_in_bytes_and_all_told(bench):
    """What does not fit into one look is in the next."""
    ident = await said(bench, *("x" * 60_000 for _ in range(10)))
    known = await bench.store.read(look, ident, 10, 500, None, False)
    for seq in range(1, 11):
        await change(bench, seq, delivery="sent")
    told: list[int] = []
    marks, more = known.marks, True
    while more:
        found = await bench.store.read(look, ident, 10, 500, marks, False)
        assert sum(len(one.text) for one in found.changed) <= MOST_BYTES
        told += [one.seq for one in found.changed]
        marks, more = found.marks, found.more
    assert told == list(range(1, 11))
    newest = await bench.store.read(changeable, ident, 10)
    assert [one.seq for one in newest] == [7, 8, 9, 10]


async def test_what_a_customer_said_is_counted(bench):
    """Short words count for some characters too."""
    ident = await said(bench, "x" * 5000, "y")
    assert await bench.store.read(words_held, ident) == 5001 + 200
    assert await bench.store.read(words_held, "unknown") == 0
