"""The door's transaction, on both databases."""

import asyncio

import pytest

from bridge.store.inbox import NameRefused, NoConversation


async def test_a_repeat_is_stored_once(bench):
    """The same key again answers the same and adds nothing, also with another body."""
    first = await bench.accept("e1", text="hello")
    again = await bench.accept("e1", text="something else")
    assert not first.repeated
    assert again.repeated
    assert (again.conversation_id, again.answer) == (first.conversation_id, first.answer)
    assert (await bench.intake()).envelopes == 1


async def test_a_hundred_repeats_at_once_are_one(bench):
    """Arriving together in one transaction, they still make one envelope and one conversation."""
    results = await asyncio.gather(*(bench.accept("e1") for _ in range(100)))
    assert sum(not one.repeated for one in results) == 1
    assert len({one.conversation_id for one in results}) == 1
    assert (await bench.intake()).envelopes == 1


async def test_events_of_one_subject_share_its_open_conversation(bench):
    """Fifty first events of a subject at once open one conversation."""
    results = await asyncio.gather(*(bench.accept(f"e{n}") for n in range(50)))
    assert len({one.conversation_id for one in results}) == 1


async def test_an_end_closes_the_door_at_once(bench):
    """After an accepted end the next words open a new conversation, before anything was decided."""
    first = await bench.accept("e1")
    await bench.accept("e2", kind="ended")
    with pytest.raises(NoConversation):
        await bench.accept("e3", kind="ended")
    second = await bench.accept("e4")
    assert second.conversation_id != first.conversation_id


async def test_words_without_a_conversation_are_refused(bench):
    """An unknown or ended conversation takes nothing."""
    with pytest.raises(NoConversation):
        await bench.accept("e1", kind="said", customer=None, conversation_id="nope")


async def test_a_conversation_of_another_source_is_unknown(bench):
    """One source cannot speak in another's conversation by its id."""
    first = await bench.accept("e1")
    with pytest.raises(NoConversation):
        await bench.accept(
            "e2", kind="said", customer=None, conversation_id=first.conversation_id, source="web"
        )


async def test_another_name_is_another_person(bench):
    """rename: new-guest ends the former chat and opens one with a guest of its own; the name leads back."""
    first = await bench.accept("e1", name="Ada")
    second = await bench.accept("e2", name="Bob")
    third = await bench.accept("e3", name="Ada")
    assert len({first.conversation_id, second.conversation_id, third.conversation_id}) == 3
    await bench.intake()
    works = await bench.claim()
    assert {work.guest.id for work in works} == {"g-ada", "g-ada-Bob"}


async def test_another_name_before_anything_was_decided_is_another_person_too(bench):
    """Accepted in one breath, an ended conversation's guest is not given to another name."""
    await bench.accept("e1", name="Ada")
    await bench.accept("e2", kind="ended")
    await bench.accept("e3", name="Bob")
    await bench.intake()
    assert {work.guest.id for work in await bench.claim()} == {"g-ada", "g-ada-Bob"}


async def test_renaming_keeps_the_conversation(bench):
    """rename: rename goes on with the same guest under the new name."""
    first = await bench.accept("e1", name="Ada", rename="rename")
    second = await bench.accept("e2", name="Ada L.", rename="rename")
    assert second.conversation_id == first.conversation_id
    await bench.intake()
    assert [work.guest.display_name for work in await bench.claim()] == ["Ada L."]


async def test_refusing_another_name_changes_nothing(bench):
    """rename: refuse says no, to an open and to a later conversation."""
    await bench.accept("e1", name="Ada", rename="refuse")
    with pytest.raises(NameRefused):
        await bench.accept("e2", name="Bob", rename="refuse")
    await bench.accept("e3", kind="ended")
    with pytest.raises(NameRefused):
        await bench.accept("e4", name="Bob", rename="refuse")
    await bench.accept("e5", name="Ada", rename="refuse")
