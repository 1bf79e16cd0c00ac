"""Who a customer is to Webex: stable over everything we do, unguessable, and never two people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bridge.simulator import Simulator, World
from tests.customers import Customer
from tests.harness import SECRET_KEY, config, eventually, running


async def test_restart_and_a_new_key_keep_the_guest(sim: Simulator, world: World, database_url: str) -> None:
    """The same subject is the same guest after a restart, after BRIDGE_SECRET_KEY=new,old, and with new alone."""
    async with running(config(webex={"poll_seconds": 60}), sim, database_url=database_url) as bridge:
        await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        await bridge.restart()
        await bridge.event("message.created", subject="ada", message="two")
        await eventually(lambda: bridge.texts() == ["one", "two"])
        new = Fernet.generate_key().decode()
        for number, keys in enumerate((f"{new},{SECRET_KEY}", new)):
            await bridge.restart(BRIDGE_SECRET_KEY=keys)
            await bridge.event("message.created", subject="ada", message=f"under {number}")
            await eventually(lambda n=number: f"under {n}" in bridge.texts())
        assert len(world.guests) == 1
        assert len(bridge.calls("/guests/token")) == 1
        await eventually(bridge.ready)


async def test_open_conversation_survives_a_restart(sim: Simulator, database_url: str) -> None:
    """The customer's key still opens it, and it has everything that was said."""
    async with running(config(), sim, database_url=database_url) as bridge:
        ada = await bridge.opened("ada", "one")
        before = await eventually(lambda: _all_sent(ada))
        await bridge.restart()
        assert await ada.messages() == before
        assert await ada.status() == "open"
        await ada.say("two")
        await eventually(lambda: bridge.texts() == ["one", "two"])


async def _all_sent(customer: Customer) -> list[Any]:
    items = await customer.messages()
    return items if {item["delivery"] for item in items} == {"sent"} else []


def source(**changes: Any) -> Mapping[str, Any]:
    return {"auth": {"scheme": "standard-webhooks", "secrets": ["env:KIOSK_SECRET"]}, **changes}


async def test_sources_share_customers_only_within_a_namespace(sim: Simulator, world: World) -> None:
    """The same subject from two sources of one namespace is one guest; from a third source another."""
    setup = config(
        sources={
            "kiosk": {"namespace": "shop"},
            "form": source(namespace="shop"),
            "other": source(),
        }
    )
    async with running(setup, sim) as bridge:
        for name in ("kiosk", "form", "other"):
            status, _ = await bridge.event(
                source=name, subject="ada", displayName="Ada", message=f"by {name}"
            )
            assert status == 202
            await eventually(lambda n=name: f"by {n}" in bridge.texts())
        assert len(world.guests) == 2
        assert len({subject for subject in world.guests if "ada" in subject.lower()}) == 0


async def test_sources_of_one_namespace_name_each_others_conversations(sim: Simulator) -> None:
    """The conversationId that a source was given is good for it, whoever opened the conversation; not for others."""
    setup = config(
        sources={"kiosk": {"namespace": "shop"}, "form": source(namespace="shop"), "other": source()}
    )
    async with running(setup, sim) as bridge:
        ada = await bridge.opened("ada", "one")
        ident = {"conversationId": ada.id}
        status, _ = await bridge.event("message.created", source="form", message="two", **ident)
        assert status == 202
        await eventually(lambda: bridge.texts() == ["one", "two"])
        assert (await bridge.event("message.created", source="other", message="three", **ident))[0] == 409
        assert (await bridge.event("conversation.ended", source="other", **ident))[0] == 409
        assert (await bridge.event("conversation.ended", source="form", **ident))[0] == 202


@pytest.mark.parametrize(
    ("rule", "status", "guests", "names"),
    [
        ("rename", 202, 1, ["Bert"]),
        ("new-guest", 202, 2, ["Ada", "Bert"]),
        ("refuse", 422, 1, ["Ada"]),
    ],
)
async def test_another_name_for_a_known_subject(
    sim: Simulator, world: World, rule: str, status: int, guests: int, names: list[str]
) -> None:
    """rename: the same guest under a new name; new-guest: another guest, who sees nothing; refuse: 422."""
    async with running(config(sources={"kiosk": {"rename": rule}}), sim) as bridge:
        ada = await bridge.opened("ada", "one", displayName="Ada")
        await eventually(lambda: bridge.texts() == ["one"])
        await ada.end()
        got, answer = await bridge.event(subject="ada", displayName="Bert", message="two")
        assert got == status, answer
        if status == 202:
            await eventually(lambda: bridge.texts() == ["one", "two"])
            assert await bridge.customer(answer).transcript() == [("customer", "two")]
        assert len(world.guests) == guests
        assert sorted(guest.name for guest in world.guests.values()) == names


async def test_new_name_while_open_is_another_person(sim: Simulator, world: World) -> None:
    """By default the former one's chat is over, its key dead, and the next one starts on a fresh guest."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("shared", "my secret", displayName="Ada")
        await eventually(lambda: bridge.texts() == ["my secret"])
        bert = await bridge.opened("shared", "hi", displayName="Bert")
        await eventually(lambda: bridge.texts() == ["my secret", "hi"])
        assert bert.id != ada.id
        assert (await ada.call("GET")).status == 410
        assert await bert.transcript() == [("customer", "hi")]
        assert len(world.guests) == 2
        again = await bridge.opened("shared", "me again", displayName="Ada")
        await eventually(lambda: "me again" in bridge.texts())
        assert await again.transcript() == [("customer", "me again")]
        assert len(world.guests) == 2
