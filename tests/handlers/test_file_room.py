"""How many bytes customers' files may have: of one conversation, and of all together."""

from __future__ import annotations

import asyncio

import pytest

from bridge.store.files import NewFile, put_files
from handlers import uploads
from handlers.uploads import UPLOAD_SECONDS
from tests.handlers.conftest import SETUP
from tests.handlers.test_uploads import MB, PNG, file_part, send
from tests.harness import RunningBridge, ShiftedClock


async def test_files_of_one_conversation_are_bounded(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that come at once count from their first byte; beyond the bound 413; another customer is not touched."""
    monkeypatch.setattr(uploads, "MOST_OF_CONVERSATION", 3 * MB)
    ada, bob = await bridge.opened("ada"), await bridge.opened("bob")
    content = PNG + bytes(MB - 10_000 - len(PNG))
    answers = await asyncio.gather(*(ada.upload("a.png", "image/png", content) for _ in range(12)))
    taken = [answer.status for answer in answers].count(202)
    assert {answer.status for answer in answers} == {202, 413}
    assert 1 <= taken <= 3
    for _ in range(3 - taken):
        assert (await ada.upload("a.png", "image/png", content)).status == 202
    assert (await ada.upload("a.png", "image/png", content)).status == 413
    assert (await send(ada, file_part() + b"--b--\r\n", Idempotency_Key="one")).status == 202
    assert (await bob.upload("a.png", "image/png", content)).status == 202
    monkeypatch.setattr(uploads, "MOST_OF_CONVERSATION", 0)
    assert (await send(ada, file_part() + b"--b--\r\n", Idempotency_Key="one")).status == 202
    monkeypatch.setattr(uploads, "MOST_OF_CONVERSATION", 3 * MB)
    await bridge.restart()
    assert (await ada.upload("a.png", "image/png", content)).status == 413


async def test_files_of_all_together_are_bounded(bridge: RunningBridge) -> None:
    """503 with Retry-After for whoever comes last, until retention has made room; words are taken."""
    await bridge.reload({**SETUP, "privacy": {"keep_files_gb": 2.5 / 1024}})
    ada, bob = await bridge.opened("ada"), await bridge.opened("bob")
    content = PNG + bytes(MB - len(PNG))
    assert (await ada.upload("a.png", "image/png", content)).status == 202
    assert (await ada.upload("a.png", "image/png", content)).status == 202
    full = await bob.upload("a.png", "image/png", content)
    assert (full.status, int(full.headers["Retry-After"]) >= 1) == (503, True)
    assert (await bob.say("words")).status == 202


async def test_upload_that_died_with_the_process_gives_its_room_back(
    bridge: RunningBridge, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to come counts for no longer than an upload may take."""
    monkeypatch.setattr(uploads, "MOST_OF_CONVERSATION", 3 * MB)
    ada = await bridge.opened("ada")
    lost = NewFile("lost", ada.id, "a.png", "image/png", clock.now(), 3 * MB, 3 * MB, 9 * MB, UPLOAD_SECONDS)
    await bridge.service.store.do(put_files, lost)
    assert (await ada.upload("a.png", "image/png", PNG)).status == 413
    clock.shift += UPLOAD_SECONDS + 1
    assert (await ada.upload("a.png", "image/png", PNG)).status == 202
