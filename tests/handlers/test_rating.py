"""POST .../rating: once, within ten minutes of the end, by whoever has the key."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from bridge.store import upkeep
from bridge.store.tables import ratings
from tests.customers import Customer
from tests.harness import RunningBridge, eventually
from tests.scenarios.steps import answer, has_status


def _kept(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(select(ratings.c.score, ratings.c.comment))]


async def rate(ada: Customer, body: Any) -> int:
    return (await ada.call("POST", "/rating", json=body)).status


async def ended(bridge: RunningBridge, subject: str = "ada") -> Customer:
    ada = await bridge.opened(subject, "hello")
    assert (await ada.call("POST", "/end")).status == 200
    return ada


async def test_a_customer_rates_once_after_the_end(bridge: RunningBridge) -> None:
    """Also with the key that their own end has killed for all else; a second time changes nothing."""
    ada = await bridge.opened("ada", "hello")
    assert await rate(ada, {"score": 5}) == 409
    assert (await ada.call("POST", "/end")).status == 200
    first = await ada.call("POST", "/rating", json={"score": 4, "comment": " Kind and quick "})
    assert (first.status, first.body) == (200, {"score": 4})
    assert await rate(ada, {"score": 1}) == 409
    assert await bridge.service.store.read(_kept) == [(4, "Kind and quick")]
    assert (await ada.call("GET", "/messages")).status == 410


async def test_an_end_by_the_agent_can_be_rated_for_ten_minutes(bridge: RunningBridge) -> None:
    """Not longer."""
    ada = await bridge.opened("ada", "hello")
    await eventually(lambda: bridge.texts())
    answer(bridge.world, "/done")
    await eventually(lambda: has_status(ada, "ended"))
    assert await rate(ada, {"score": 3}) == 200
    eve = await ended(bridge, "eve")
    await bridge.advance(601)
    assert await rate(eve, {"score": 3}) == 410


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"score": 0},
        {"score": 6},
        {"score": "5"},
        {"score": 4.0},
        {"score": True},
        {"score": 5, "comment": 7},
        {"score": 5, "comment": "x" * 2_001},
        {"score": 5, "comment": "a\0b"},
    ],
)
async def test_what_is_no_rating_is_refused(bridge: RunningBridge, body: Any) -> None:
    """With the field that is wrong."""
    ada = await ended(bridge)
    assert await rate(ada, body) == 422
    assert await rate(ada, {"score": 5, "comment": ""}) == 200


async def test_the_key_is_asked_for_and_the_words_go_with_the_conversation(bridge: RunningBridge) -> None:
    """A stranger rates nothing; what is forgotten takes its rating along."""
    ada = await ended(bridge)
    stranger = Customer(bridge.session, bridge.url, ada.id, "wrong")
    assert await rate(stranger, {"score": 1}) == 401
    assert await rate(ada, {"score": 5, "comment": "private"}) == 200

    def forget(connection: Connection, idents: Any) -> list[None]:
        upkeep.forget(connection, idents)
        return [None] * len(idents)

    await bridge.service.store.do(forget, ada.id)
    assert await bridge.service.store.read(_kept) == []
