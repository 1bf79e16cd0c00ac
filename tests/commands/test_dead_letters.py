"""bridge dead-letters, beside a running service."""

from __future__ import annotations

import json

from bridge.simulator import Simulator, World
from bridge.store.operator.dead_letters import REPLAYED, dead_ids, replay
from bridge.store.operator.visit import visit
from tests.commands.conftest import beside
from tests.harness import AMY, BO, RunningBridge, config, eventually, running

TWO_AGENTS = config(
    agents={"amy": {"email": AMY}, "bo": {"email": BO}}, teams={"front-desk": {"agents": ["amy", "bo"]}}
)


async def a_dead_letter(bridge: RunningBridge, world: World, text: str = "hush-hush") -> tuple:
    """A customer whose first words Webex refused, and the dead letter's number."""
    before = ids(bridge)
    world.fault("POST /v1/messages", 400, times=1)
    ada = await bridge.opened("ada", text)
    await eventually(lambda: len(ids(bridge)) > len(before))
    return ada, max(ids(bridge))


def ids(bridge: RunningBridge) -> list[int]:
    with visit(bridge.environ["DATABASE_URL"], writes=False) as connection:
        return dead_ids(connection)


async def deliveries(customer) -> list[str]:
    return [item["delivery"] for item in await customer.messages() if item["from"] == "customer"]


async def test_list_and_show(sim: Simulator, world: World) -> None:
    """list names the source, the conversation and the reason, never the words; show has them."""
    async with running(config(), sim) as bridge:
        assert (await beside(bridge.environ, "dead-letters", "list")).out == "There are no dead letters.\n"
        ada, number = await a_dead_letter(bridge, world)
        ran = await beside(bridge.environ, "dead-letters", "list")
        head, line = ran.out.splitlines()
        assert (ran.code, head.split()[:4]) == (0, ["ID", "AGE", "SOURCE", "CONVERSATION"])
        assert line.split()[0] == str(number)
        assert {"kiosk", ada.id, "say", "400"} <= set(line.split())
        assert "hush-hush" not in ran.out
        ran = await beside(bridge.environ, "dead-letters", "show", number)
        assert ran.code == 0
        assert '"text": "hush-hush"' in ran.out
        assert "amy" in ran.out


async def test_replay_delivers_once(sim: Simulator, world: World) -> None:
    """A replayed message reaches the agent, the customer's page says so, and the letter is gone."""
    async with running(config(), sim) as bridge:
        ada, number = await a_dead_letter(bridge, world, "one")

        async def is_now(states: list[str]) -> bool:
            return await deliveries(ada) == states

        await ada.say("two")
        await eventually(lambda: bridge.texts() == ["two"])
        await eventually(lambda: is_now(["failed", "sent"]))
        ran = await beside(bridge.environ, "dead-letters", "replay", number)
        assert (ran.code, ran.out) == (0, "replayed 1 dead letter\n")
        await eventually(lambda: bridge.texts() == ["two", "one"])
        await eventually(lambda: is_now(["sent", "sent"]))
        ran = await beside(bridge.environ, "dead-letters", "replay", number)
        assert (ran.code, ran.err) == (1, f"there is no dead letter {number}\n")


async def test_replay_goes_before_what_waits(sim: Simulator, world: World) -> None:
    """In its lane a replayed message is the oldest, so it is said first."""
    async with running(config(), sim) as bridge:
        ada, number = await a_dead_letter(bridge, world, "one")
        world.fault("POST /v1/messages", 429, retry_after="10", times=1)
        await ada.say("two")
        await eventually(lambda: bridge.calls("/messages")[-1][2] == 429)
        await beside(bridge.environ, "dead-letters", "replay", number)
        await eventually(lambda: bridge.texts() == ["one", "two"])


async def test_replay_does_not_repeat_what_webex_has(sim: Simulator, world: World) -> None:
    """Words that did arrive are found in the 1:1 and not said again."""
    async with running(config(), sim) as bridge:
        _, number = await a_dead_letter(bridge, world, "one")
        guest = next(iter(world.guests.values()))
        world.say(guest.id, AMY, text="one")
        ran = await beside(bridge.environ, "dead-letters", "replay", "--all")
        assert ran.code == 0
        await eventually(lambda: not _open(bridge, number))
        assert bridge.texts() == ["one"]


def _open(bridge: RunningBridge, number: int) -> bool:
    with visit(bridge.environ["DATABASE_URL"], writes=False) as connection:
        found = connection.exec_driver_sql(f"select state from deliveries where id = {number}").scalar()
    return found != "done"


async def test_words_for_a_former_agent_stay(sim: Simulator, world: World) -> None:
    """After a transfer the present agent has them already; the former one is not written to."""
    async with running(TWO_AGENTS, sim) as bridge:
        ada, number = await a_dead_letter(bridge, world, "one")
        world.fault("POST /v1/messages", "block_agent", times=1)
        await ada.say("two")
        await eventually(lambda: (bridge.texts(AMY) or bridge.texts(BO)) == ["one", "two"])
        ran = await beside(bridge.environ, "dead-letters", "replay", number)
        assert (ran.code, ran.out) == (1, "replayed 0 dead letters\n")
        assert "has another agent now" in ran.err
        assert ids(bridge) == [number]


async def test_drop(sim: Simulator, world: World) -> None:
    """A dropped letter is never delivered; the numbers that are none are named, the others dealt with."""
    async with running(config(), sim) as bridge:
        _, number = await a_dead_letter(bridge, world)
        ran = await beside(bridge.environ, "dead-letters", "drop", 999, number, 2**70)
        assert (ran.code, ran.out) == (1, "dropped 1 dead letter\n")
        assert ran.err == f"there is no dead letter 999\nthere is no dead letter {2**70}\n"
        assert ids(bridge) == []
        assert bridge.texts() == []


async def test_event_that_could_not_be_decided(sim: Simulator, world: World) -> None:
    """It goes back into the inbox as a new envelope; of its reason the list shows only the kind of fault."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "one")
        await eventually(lambda: bridge.texts() == ["one"])
        body = {"ids": ["msg_x"], "at": bridge.clock.now(), "message": "hush"}
        payload = json.dumps({"kind": "said", "key": "k", "body": body})
        with visit(bridge.environ["DATABASE_URL"], writes=True) as connection:
            lane = connection.exec_driver_sql("select 'in:' || customer from conversations").scalar()
            connection.exec_driver_sql(
                "insert into deliveries (lane, kind, conversation_id, payload, state, error, created_at, done_at)"
                " values (?, 'envelope', ?, ?, 'dead', ?, 1, 2)",
                (lane, ada.id, payload, "ValueError: 'hush' is wrong\n\x1b[2J"),
            )
        ran = await beside(bridge.environ, "dead-letters", "list")
        assert ran.out.split()[-1] == "ValueError"
        ran = await beside(bridge.environ, "dead-letters", "show", *ids(bridge))
        assert "\x1b" not in ran.out
        ran = await beside(bridge.environ, "dead-letters", "replay", "--all")
        assert (ran.code, ran.out) == (0, "replayed 1 dead letter\n")
        await eventually(lambda: bridge.texts() == ["one", "hush"])
        assert ids(bridge) == []


async def test_wrong_use(sim: Simulator) -> None:
    """Neither numbers nor --all, both, and no numbers: 2."""
    async with running(config(), sim) as bridge:
        for args in (
            ["replay"],
            ["drop"],
            ["drop", "1", "--all"],
            ["show", "x"],
            ["replay", "1.5"],
            ["show"],
        ):
            ran = await beside(bridge.environ, "dead-letters", *args)
            assert (ran.code, ran.out) == (2, ""), args
        ran = await beside(bridge.environ, "dead-letters", "show", 2**70)
        assert (ran.code, ran.err) == (1, f"there is no dead letter {2**70}\n")


async def test_on_postgresql(sim: Simulator, world: World, postgres_url: str) -> None:
    """The same operations on the other database."""
    async with running(config(), sim, database_url=postgres_url) as bridge:
        await a_dead_letter(bridge, world, "one")
        with visit(postgres_url, writes=True) as connection:
            numbers = dead_ids(connection)
            assert replay(connection, numbers, bridge.clock.now()) == dict.fromkeys(numbers, REPLAYED)
        await eventually(lambda: bridge.texts() == ["one"])


async def test_database_of_a_newer_version(sim: Simulator) -> None:
    """A schema that this version does not know is not looked into."""
    async with running(config(), sim) as bridge:
        with visit(bridge.environ["DATABASE_URL"], writes=True) as connection:
            connection.exec_driver_sql("update alembic_version set version_num = 'from the future'")
        ran = await beside(bridge.environ, "dead-letters", "list")
        assert (ran.code, ran.out) == (1, "")
        assert "newer version" in ran.err
