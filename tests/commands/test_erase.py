"""bridge erase: afterwards nothing of the customer is left, in any table or in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.simulator import Simulator, World
from bridge.store.operator.visit import visit
from bridge.store.tables import metadata
from tests.commands.conftest import beside
from tests.harness import AMY, RunningBridge, config, eventually, running

SUBJECT, NAME, WORDS = "loyalty-48213", "Ada Lovelace-King", "order five five one two arrived broken"
TWO_SOURCES = config(
    sources={
        "form": {
            "auth": {"scheme": "standard-webhooks", "secrets": ["env:KIOSK_SECRET"]},
            "namespace": "web",
        },
        "shop": {
            "auth": {"scheme": "standard-webhooks", "secrets": ["env:KIOSK_SECRET"]},
            "namespace": "web",
        },
    },
    agents={"amy": {"email": AMY, "capacity": 2}},
)


def whole(url: str) -> str:
    """Every row of every table."""
    with visit(url, writes=False) as connection:
        rows = [tuple(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    return json.dumps(rows, default=str, ensure_ascii=False)


def rows_of(url: str, query: str) -> list[tuple]:
    with visit(url, writes=False) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


async def a_history(bridge: RunningBridge, world: World, source: str = "kiosk") -> str:
    """A customer with an ended and an open conversation, a reply, and words that wait; the guest's e-mail."""
    for last in (False, True):
        status, answer = await bridge.event(source=source, subject=SUBJECT, displayName=NAME, message=WORDS)
        assert status == 202
        customer = bridge.customer(answer)

        async def said(one=customer) -> bool:  # nobody answers within the millisecond of the question
            return [item["delivery"] for item in await one.messages()] == ["sent"]

        await eventually(said)
        guest = next(iter(world.guests.values()))
        world.say(AMY, guest.id, text="a word for Ada")

        async def heard(one=customer) -> bool:
            return bool(await one.heard())

        await eventually(heard)
        if not last:
            await customer.end()
            await eventually(
                lambda: rows_of(bridge.environ["DATABASE_URL"], "select open from agents") == [(0,)]
            )
    world.fault("POST /v1/messages", 429, retry_after="3600")
    await customer.say(f"{WORDS} once more")
    await eventually(lambda: bridge.calls("/messages")[-1][2] == 429)
    return guest.email


async def test_nothing_is_left(sim: Simulator, world: World, database_url: str) -> None:
    """No table holds the subject, the name, a word, the guest or a token; the answer says what Webex keeps."""
    async with running(config(), sim, database_url=database_url) as bridge:
        email = await a_history(bridge, world)
        conversations = rows_of(database_url, "select id, customer, guest_id from conversations")
        assert SUBJECT in whole(database_url)
        ran = await beside(bridge.environ, "erase", "--subject", SUBJECT)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith("removed: 2 conversations (1 of them going on), ")
        assert "Webex keeps 1 guest" in ran.out
        assert f"{email}: spoke with {AMY}; its last token lapses by " in ran.out
        left = whole(database_url)
        for trace in (SUBJECT, NAME, WORDS, "a word for Ada", email):
            assert trace not in left
        for _, customer, guest in conversations:
            assert guest not in left
            assert rows_of(database_url, f"select key from lanes where key like '%%{customer}%%'") == []
        assert rows_of(database_url, "select open from agents") == [(0,)]
        ran = await beside(bridge.environ, "erase", "--subject", SUBJECT)
        assert (ran.code, ran.out, ran.err) == (1, "", "nothing is stored about this customer\n")


async def test_nothing_is_left_in_the_file(sim: Simulator, world: World) -> None:
    """SQLite keeps deleted content in its free pages and its log until they are written over; we do not wait."""
    async with running(config(), sim) as bridge:
        await a_history(bridge, world)
        path = Path(bridge.environ["DATABASE_URL"].removeprefix("sqlite:///"))
        assert (await beside(bridge.environ, "erase", "--subject", SUBJECT)).code == 0
        for file in (path, path.with_name(path.name + "-wal")):
            content = file.read_bytes() if file.exists() else b""
            for trace in (SUBJECT, NAME, WORDS, "a word for Ada"):
                assert trace.encode() not in content, (file.name, trace)


async def test_service_goes_on(sim: Simulator, world: World) -> None:
    """The page of the erased conversation is refused, others go on, and the customer may come again."""
    async with running(config(agents={"amy": {"capacity": 1}}), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        bert = await bridge.opened("bert", "two")

        async def waits() -> bool:
            return await bert.status() == "queued"

        await eventually(waits)
        assert (await beside(bridge.environ, "erase", "--subject", "ada")).code == 0
        await eventually(lambda: bridge.texts() == ["one", "two"], why="the agent is free for the next one")
        assert (await ada.call("GET")).status == 401
        assert (await ada.say("three")).status == 401
        await bridge.event("conversation.ended", subject="bert")
        await bridge.opened("ada", "again")
        await eventually(lambda: bridge.texts() == ["one", "two", "again"])


async def test_repeat_of_an_erased_event_is_a_repeat(sim: Simulator, world: World) -> None:
    """Its id is remembered without its content, so a source that sends it again opens nothing."""
    async with running(config(), sim) as bridge:
        event = {"subject": SUBJECT, "displayName": NAME, "message": WORDS}
        await bridge.event(webhook_id="same", **event)
        await eventually(lambda: bridge.texts() == [WORDS])
        await beside(bridge.environ, "erase", "--subject", SUBJECT)
        status, _ = await bridge.event(webhook_id="same", **event)
        assert status == 200
        assert WORDS not in whole(bridge.environ["DATABASE_URL"])


@pytest.mark.parametrize(
    ("args", "left"),
    [
        ([], []),
        (["--source", "kiosk"], ["form"]),
        (["--source", "shop"], ["kiosk"]),
        (["--namespace", "web"], ["kiosk"]),
    ],
)
async def test_namespaces(sim: Simulator, args: list[str], left: list[str]) -> None:
    """All namespaces unless one is named; a source stands for its namespace, which it may share."""
    async with running(TWO_SOURCES, sim) as bridge:
        for source in ("kiosk", "form"):
            await bridge.event(source=source, subject="a", displayName="Ada", message=source)
        await eventually(lambda: sorted(bridge.texts()) == ["form", "kiosk"])
        assert (await beside(bridge.environ, "erase", "--subject", "a", *args)).code == 0
        assert [
            row[0] for row in rows_of(bridge.environ["DATABASE_URL"], "select source from conversations")
        ] == left
        assert len(rows_of(bridge.environ["DATABASE_URL"], "select id from guests")) == len(left)


async def test_guest_whose_conversations_were_purged(sim: Simulator, world: World) -> None:
    """The guest is found by its keyed name, though no row holds the subject any more."""
    async with running(config(), sim) as bridge:
        await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        with visit(bridge.environ["DATABASE_URL"], writes=True) as connection:
            connection.exec_driver_sql("delete from conversations")
        ran = await beside(bridge.environ, "erase", "--subject", "ada")
        assert ran.code == 0
        assert "Webex keeps 1 guest" in ran.out
        assert rows_of(bridge.environ["DATABASE_URL"], "select id from guests") == []


async def test_without_a_configuration(sim: Simulator) -> None:
    """What the store itself knows is removed, and the status says that this may not be all."""
    async with running(config(), sim) as bridge:
        await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        ran = await beside({**bridge.environ, "BRIDGE_CONFIG": "nowhere.yaml"}, "erase", "--subject", "ada")
        assert ran.code == 1
        assert "removed: 1 conversation" in ran.out
        assert "not certain" in ran.err
        assert rows_of(bridge.environ["DATABASE_URL"], "select id from conversations") == []


async def test_wrong_use(sim: Simulator) -> None:
    """Names that are none, both ways of naming one, and no subject: 2. A wrong key: 1, and nothing happens."""
    async with running(config(), sim) as bridge:
        await bridge.opened("ada", "one")
        for args, words in (
            ((), "--subject"),
            (("--subject", ""), "empty"),
            (("--subject", "ada", "--source", "kisok"), "did you mean kiosk?"),
            (("--subject", "ada", "--source", "kiosk", "--namespace", "kiosk"), "not both"),
        ):
            ran = await beside(bridge.environ, "erase", *args)
            assert (ran.code, ran.out) == (2, ""), args
            assert words in ran.err
        wrong = {**bridge.environ, "BRIDGE_SECRET_KEY": "A" * 43 + "="}
        ran = await beside(wrong, "erase", "--subject", "ada")
        assert (ran.code, ran.out) == (1, "")
        assert "BRIDGE_SECRET_KEY" in ran.err
        assert len(rows_of(bridge.environ["DATABASE_URL"], "select id from conversations")) == 1
