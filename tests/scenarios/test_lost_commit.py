"""The database commits, and its answer is lost: what is stored is whole, whatever the sender was told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bridge.simulator import Simulator, World
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.engine.writer import ThreadLane
from bridge.store.inbox import accept
from tests.harness import AMY, RunningBridge, config, eventually, running
from tests.scenarios.steps import all_sent, greeted

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2000


@contextmanager
def lost_answers(bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever stores words hears that the database is gone; they are stored all the same."""
    lane = bridge.service.store.writer._lane
    assert isinstance(lane, ThreadLane)
    commit = lane._committer.commit

    def lossy(batch: Any) -> list[Any]:
        results = commit(batch)
        lost = StoreUnavailable("the connection is lost")
        return [lost if call[0] is accept else result for call, result in zip(batch, results, strict=True)]

    with monkeypatch.context() as patched:
        patched.setattr(lane._committer, "commit", lossy)
        yield


async def test_a_file_stays_with_its_words(
    sim: Simulator, world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer is told 503, and the agent gets the file all the same; a repeat adds nothing."""
    async with running(config(), sim, database_url=database_url) as bridge:
        ada = await greeted(bridge)
        with lost_answers(bridge, monkeypatch):
            answer = await ada.upload("box.png", "image/png", PNG)
            assert answer.status == 503
        await eventually(lambda: all_sent(ada), within=60)
        sent = [message for message in world.messages_to(AMY) if message.get("files")]
        assert len(sent) == 1
        assert world.files[sent[0]["files"][0].rpartition("/")[2]].content == PNG
        (item,) = [item for item in await ada.messages() if item["files"]]
        own = await ada.download(item["files"][0]["url"])
        assert (own.status, own.body) == (200, PNG)


async def test_a_repeat_after_a_lost_answer_is_the_same_words(
    sim: Simulator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under its Idempotency-Key: one message, with the bytes that came first."""
    async with running(config(), sim) as bridge:
        ada = await greeted(bridge)
        headers = {"Idempotency-Key": "once", "Content-Type": "multipart/form-data; boundary=b"}
        with lost_answers(bridge, monkeypatch):
            first = await ada.call("POST", "/messages", data=_body(PNG), headers=headers)
        again = await ada.call("POST", "/messages", data=_body(PNG), headers=headers)
        assert (first.status, again.status) == (503, 202)
        await eventually(lambda: all_sent(ada), within=60)
        (item,) = [item for item in await ada.messages() if item["files"]]
        assert (await ada.download(item["files"][0]["url"])).body == PNG
        assert len([message for message in world.messages_to(AMY) if message.get("files")]) == 1


def _body(content: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\nContent-Type: image/png\r\n\r\n'
    return head + content + b"\r\n--b--\r\n"
