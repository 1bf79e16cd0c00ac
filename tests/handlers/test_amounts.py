"""How much a customer may say, at once and in one conversation."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from bridge.store.tables import envelopes
from handlers import amounts
from tests.harness import RunningBridge, eventually


async def test_longest_words_are_taken_whole(bridge: RunningBridge) -> None:
    """8 000 characters, whatever their bytes; one more is named."""
    ada = await bridge.opened("ada")
    longest = "é" * 8000
    assert (await ada.say(longest)).status == 202
    await eventually(lambda: "".join(bridge.texts()) == longest)
    refused = await ada.say(longest + "x")
    assert [error["field"] for error in refused.body["errors"]] == ["text"]


async def test_conversation_holds_no_more_words_than_it_may(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """413 by what the store holds, so over a restart too; another customer is not touched."""
    monkeypatch.setattr(amounts, "MOST", 20_000)
    monkeypatch.setattr(amounts, "_LOOK_AFTER", 1)
    ada, bob = await bridge.opened("ada"), await bridge.opened("bob")
    statuses = []
    for number in range(8):
        statuses.append((await ada.say(f"{number}" * 4000)).status)
        await eventually(lambda: decided(bridge), within=60)
    assert statuses == [202] * 4 + [413] * 4
    await bridge.restart()
    assert (await ada.say("x" * 4000)).status == 413
    assert (await bob.say("hello")).status == 202


async def decided(bridge: RunningBridge) -> bool:
    query = select(func.count()).where(envelopes.c.done_at.is_(None))
    return await bridge.service.store.read(lambda connection: connection.execute(query).scalar()) == 0
