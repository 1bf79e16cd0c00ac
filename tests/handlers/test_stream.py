"""The conversation as server-sent events: nothing missed, nothing twice, nothing after the end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from handlers import stream
from tests.handlers.conftest import SHOP
from tests.harness import AMY, RunningBridge, eventually


def say(bridge: RunningBridge, text: str) -> None:
    bridge.world.say(AMY, next(iter(bridge.world.guests.values())).id, text=text)


async def test_each_item_comes_once_with_its_seq(bridge: RunningBridge) -> None:
    """`message` once each, in order; that it was sent is an `update` without an id."""
    ada = await bridge.opened("ada", "one")
    async with ada.stream() as told:
        await ada.say("two")
        await eventually(lambda: bridge.texts() == ["one", "two"])
        say(bridge, "Hi")
        await eventually(lambda: len(told.of("message")) == 3 and sent(told) == {1, 2})
    messages = [news for news in told.news if news.event == "message"]
    assert [news.id for news in messages] == [news.data["seq"] for news in messages] == [1, 2, 3]
    assert told.texts == ["one", "two", "Hi"]
    assert all(news.id is None for news in told.news if news.event != "message")
    assert told.of("status")[-1]["status"] == "open"


def sent(told: Any) -> set[int]:
    items = [*told.of("message"), *told.of("update")]
    return {item["seq"] for item in items if item["delivery"] == "sent"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0", 3), ("1", 2), ("3", 0), ("", 3), ("nonsense", 3), ("-1", 3), ("1.5", 3), ("msg_1", 3), ("٢", 3)],
)
async def test_stream_resumes_after_the_last_id(bridge: RunningBridge, given: str, expected: int) -> None:
    """What is no number of ours counts as 0: too much is better than something missed."""
    ada = await bridge.opened("ada", "1")
    await ada.say("2")
    await ada.say("3")
    await eventually(lambda: bridge.texts() == ["1", "2", "3"])
    async with ada.stream(last_event_id=given) as told:  # type: ignore[arg-type]
        await eventually(lambda: told.of("status"))
        assert told.texts == ["1", "2", "3"][3 - expected :]


async def test_last_id_from_elsewhere_hides_nothing_new(bridge: RunningBridge) -> None:
    """An id larger than any of this conversation's counts as its newest."""
    ada = await bridge.opened("ada", "1")
    await eventually(lambda: bridge.texts() == ["1"])
    async with ada.stream(last_event_id=10**20) as told:
        await eventually(lambda: told.of("status"))
        await ada.say("2")
        await eventually(lambda: told.texts == ["2"])


async def test_stream_ends_with_the_conversation(bridge: RunningBridge) -> None:
    """By the agent: the goodbye, `status`, `ended`, then the server closes; once more the same."""
    ada = await bridge.opened("ada", "hello")
    await eventually(lambda: bridge.texts())
    async with ada.stream() as told:
        say(bridge, "/done")
        await eventually(lambda: told.ended)
    assert told.news[-1].event == "ended"
    assert [told.of(name)[-1]["endReason"] for name in ("status", "ended")] == ["agent", "agent"]
    async with ada.stream() as again:
        await eventually(lambda: again.ended)
    assert again.of("ended") == told.of("ended")
    seen = max(one.id for one in told.news if one.id is not None)
    assert told.news[-1].id == seen
    for last, status in ((seen, 204), (seen - 1, 200), (seen + 1, 200), (0, 200)):
        found = await ada.call("GET", "/stream", headers={"Last-Event-ID": str(last)})
        assert found.status == status, last


async def test_customer_s_own_end_closes_every_stream(bridge: RunningBridge) -> None:
    """A second tab sees it too, and cannot come back."""
    ada = await bridge.opened("ada", "hello")
    async with ada.stream() as one, ada.stream() as two:
        await eventually(lambda: one.of("status") and two.of("status"))
        await ada.end()
        await eventually(lambda: one.ended and two.ended)
    assert one.of("ended")[0]["endReason"] == two.of("ended")[0]["endReason"] == "customer"
    assert (await ada.call("GET", "/stream", headers={"Last-Event-ID": "0"})).status == 410


async def test_streams_of_one_conversation_are_bounded(bridge: RunningBridge) -> None:
    """Many tabs tell the same; beyond a bound 429, and a closed one makes room."""
    ada = await bridge.opened("ada", "hello")
    url = f"{bridge.url}/v1/conversations/{ada.id}/stream?key={ada.key}"
    answers = [await bridge.session.get(url) for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    async with bridge.session.get(url) as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) >= 1
    for answer in answers:
        answer.close()
    await eventually(lambda: all_accepted(bridge, url, 8))


async def test_streams_that_were_closed_make_room_at_once(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is loaded anew again and again is not refused, though nothing is said that would wake its streams."""
    monkeypatch.setattr(stream, "_PING_SECONDS", 3600.0)
    ada = await bridge.opened("ada")
    url = f"{bridge.url}/v1/conversations/{ada.id}/stream?key={ada.key}"
    for _ in range(3):
        await eventually(lambda: all_accepted(bridge, url, 8))
    assert bridge.service.metrics.streams._value.get() <= 8


async def all_accepted(bridge: RunningBridge, url: str, number: int) -> bool:
    """Whether so many may be open; they are closed again."""
    answers = [await bridge.session.get(url) for _ in range(number)]
    for answer in answers:
        answer.close()
    return {answer.status for answer in answers} == {200}


async def test_frames_are_plain_lines_of_ascii(bridge: RunningBridge) -> None:
    """No character of a text is a line's end, whatever the reader takes for one."""
    text = "a\nb\r\nc\u2028d\u2029e\x85f\x0bg\x1ch"
    ada = await bridge.opened("ada", text)
    await eventually(lambda: ada.messages())
    headers = {"Authorization": f"Bearer {ada.key}", "Origin": SHOP}
    async with bridge.session.get(
        f"{bridge.url}/v1/conversations/{ada.id}/stream", headers=headers
    ) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Cache-Control"] == "no-cache"
        frame = (await answer.content.readuntil(b"\n\n")).decode("ascii")
    fields = dict(line.split(": ", 1) for line in frame.splitlines() if line)
    assert (fields["event"], fields["id"], json.loads(fields["data"])["text"]) == ("message", "1", text)


async def test_quiet_stream_is_kept_alive(bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment now and then keeps proxies from closing it."""
    monkeypatch.setattr(stream, "_PING_SECONDS", 0.1)
    ada = await bridge.opened("ada")
    headers = {"Authorization": f"Bearer {ada.key}"}
    async with bridge.session.get(
        f"{bridge.url}/v1/conversations/{ada.id}/stream", headers=headers
    ) as answer:
        async with asyncio.timeout(60):
            await answer.content.readuntil(b": ping")


async def test_stop_of_the_service_ends_streams_cleanly(bridge: RunningBridge) -> None:
    """The browser comes back by itself and misses nothing."""
    ada = await bridge.opened("ada", "one")
    async with ada.stream() as told:
        await eventually(lambda: told.texts == ["one"])
        await bridge.restart()
        await eventually(lambda: told.ended)
    await ada.say("two")
    async with ada.stream(last_event_id=told.last_id) as again:
        await eventually(lambda: again.texts == ["two"])


async def test_a_quiet_stream_pings_where_a_page_sees_it(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an event without an id, so that it moves nothing on; words still come."""
    monkeypatch.setattr("handlers.stream._PING_SECONDS", 0.01)
    ada = await bridge.opened("ada", "hello")
    async with ada.stream() as told:
        await eventually(lambda: len(told.of("ping")) > 2)
        await ada.say("still here")
        await eventually(lambda: "still here" in told.texts)
    assert {one.id for one in told.news if one.event == "ping"} == {None}
