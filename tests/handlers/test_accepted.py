"""What an accepted event is answered with: once, for each source, for the conversation it belongs to."""

from __future__ import annotations

import asyncio

from tests.harness import RunningBridge, eventually


async def test_answer_names_the_conversation_and_its_key(bridge: RunningBridge) -> None:
    """202 with six members; follow-ups and the end answer with the same conversation and key."""
    status, first = await bridge.event(subject="ada", displayName="Ada", message="hello")
    assert (status, set(first) - {"headers"}) == (
        202,
        {"eventId", "conversationId", "conversationKey", "status", "queuePosition", "opensAt"},
    )
    assert (first["status"], first["queuePosition"], first["opensAt"]) == ("open", None, None)
    answers = [
        await bridge.event("message.created", subject="ada", message="two"),
        await bridge.event("message.created", conversationId=first["conversationId"], message="three"),
        await bridge.event(
            "message.created", subject="ada", conversationId=first["conversationId"], message="four"
        ),
        await bridge.event("conversation.ended", subject="ada"),
    ]
    for status, answer in answers:
        assert status == 202
        same = ("conversationId", "conversationKey")
        assert [answer[name] for name in same] == [first[name] for name in same]
    assert [answer["status"] for _, answer in answers] == ["open", "open", "open", "ended"]
    assert len({answer["eventId"] for _, answer in answers}) == 4


async def test_repeat_is_answered_the_same(bridge: RunningBridge) -> None:
    """200 with the same JSON: also with another body, and when the conversation is over."""
    status, first = await bridge.event(webhook_id="one", subject="ada", displayName="Ada", message="hello")
    await bridge.event("conversation.ended", subject="ada")
    again = await bridge.event(webhook_id="one", subject="ada", displayName="Ada", message="hello")
    other = await bridge.event("message.created", webhook_id="one", subject="nobody", message="another body")
    for answer in (first, again[1], other[1]):
        answer.pop("headers")
    assert (status, again, other) == (202, (200, first), (200, first))


async def test_hundred_repeats_at_once_are_one_event(bridge: RunningBridge) -> None:
    """One of them is new, all get the same answer, the agent gets the words once."""
    wish = {"webhook_id": "burst", "subject": "ada", "displayName": "Ada", "message": "hello"}
    answers = await asyncio.gather(*(bridge.event(**wish) for _ in range(100)))
    assert sorted(status for status, _ in answers) == [200] * 99 + [202]
    assert (
        len({answer["conversationKey"] + answer["eventId"] + answer["status"] for _, answer in answers}) == 1
    )
    await eventually(lambda: bridge.texts())
    assert await bridge.customer(answers[0][1]).transcript() == [("customer", "hello")]


async def test_repeat_is_known_after_a_restart(bridge: RunningBridge) -> None:
    """What was accepted is on disk with its answer."""
    _, first = await bridge.event(webhook_id="one", subject="ada", displayName="Ada")
    await bridge.restart()
    status, again = await bridge.event(webhook_id="one", subject="ada", displayName="Ada")
    assert (status, again["conversationKey"]) == (200, first["conversationKey"])


async def test_ids_are_each_source_s_own(bridge: RunningBridge) -> None:
    """The same id of two sources names two events; a long one is as good as a short one."""
    _, mine = await bridge.event(webhook_id="i" * 4000, subject="ada", displayName="Ada")
    status, other = await bridge.event(source="form", webhook_id="i" * 4000, subject="ada", displayName="Ada")
    assert status == 202
    assert mine["conversationId"] != other["conversationId"]
    assert (await bridge.event(webhook_id="i" * 4000))[
        0
    ] == 422  # the signature is right, the body is judged first


async def test_rate_is_each_source_s_own_and_says_when(bridge: RunningBridge) -> None:
    """429 with Retry-After after as many accepted events as the source has; refused ones and repeats are free."""
    wish = {"source": "form", "subject": "ada", "displayName": "Ada"}
    for _ in range(4):
        assert (await bridge.event("conversation.ended", source="form", subject="nobody"))[0] == 409
    for number in range(3):
        assert (await bridge.event(webhook_id=str(number), **wish))[0] == 202
    status, answer = await bridge.event(webhook_id="4", **wish)
    assert status == 429
    assert int(answer["headers"]["Retry-After"]) >= 1
    for _ in range(3):
        assert (await bridge.event(webhook_id="1", **wish))[0] == 200
    assert (await bridge.event(webhook_id="4", **wish))[0] == 429
    assert (await bridge.event(subject="ada", displayName="Ada"))[0] == 202
    bridge.clock.shift += int(answer["headers"]["Retry-After"])  # type: ignore[attr-defined]
    assert (await bridge.event(webhook_id="4", **wish))[0] == 202


async def test_conversation_of_another_source_is_unknown(bridge: RunningBridge) -> None:
    """An id proves nothing: only the source that opened it may speak in it or end it."""
    _, first = await bridge.event(subject="ada", displayName="Ada")
    for kind, more in (("message.created", {"message": "hello"}), ("conversation.ended", {})):
        wish = {"source": "form", "conversationId": first["conversationId"], **more}
        assert (await bridge.event(kind, **wish))[0] == 409


async def test_subject_and_conversation_that_do_not_match_reach_nobody(bridge: RunningBridge) -> None:
    """A stale conversationId beside the new customer's subject: neither conversation gets the words."""
    _, ada = await bridge.event(subject="ada", displayName="Ada")
    _, bob = await bridge.event(subject="bob", displayName="Bob")
    wish = {
        "subject": "bob",
        "displayName": "Bob",
        "conversationId": ada["conversationId"],
        "message": "mine",
    }
    assert (await bridge.event("message.created", **wish))[0] == 409
    assert (await bridge.event("conversation.ended", subject="bob", conversationId=ada["conversationId"]))[
        0
    ] == 409
    for answer in (ada, bob):
        assert await bridge.customer(answer).transcript() == []


async def test_ended_or_unknown_conversation_is_409(bridge: RunningBridge) -> None:
    """Whatever is asked of it, and although a displayName is there."""
    _, ada = await bridge.event(subject="ada", displayName="Ada")
    assert (await bridge.event("conversation.ended", subject="ada"))[0] == 202
    for ident in (ada["conversationId"], "unknown", "x" * 255):
        wish = {"conversationId": ident, "subject": "ada", "displayName": "Ada", "message": "hello"}
        assert (await bridge.event("message.created", **wish))[0] == 409
        assert (await bridge.event("conversation.ended", conversationId=ident))[0] == 409
    assert (await bridge.event("conversation.ended", subject="ada"))[0] == 409
    assert (await bridge.event("message.created", subject="ada", message="hello"))[0] == 409


async def test_message_opens_a_conversation_where_there_is_a_name(bridge: RunningBridge) -> None:
    """message.created with displayName and none open: a new conversation."""
    status, answer = await bridge.event("message.created", subject="ada", displayName="Ada", message="hello")
    assert status == 202
    await eventually(lambda: bridge.texts() == ["hello"])
    assert await bridge.customer(answer).transcript() == [("customer", "hello")]


async def test_source_may_refuse_another_name(bridge: RunningBridge) -> None:
    """`rename: refuse`: 422 that names the field."""
    await bridge.event(source="form", subject="ada", displayName="Ada")
    status, answer = await bridge.event(source="form", subject="ada", displayName="Eve")
    assert (status, [error["field"] for error in answer["errors"]]) == (422, ["data.displayName"])
