"""What a lead does with the bot, what they are told, and what strangers get."""

from __future__ import annotations

from bridge.domain.bot.words import STRANGER
from bridge.simulator import BOT_EMAIL, Simulator
from tests.bot.talk import KIM, Desk, desk_config, ref
from tests.bot.talk import STRANGER as DEV
from tests.harness import AMY, BO, CY, ShiftedClock, eventually, running


async def test_views(desk: Desk) -> None:
    """board, who, queue, roster, preview: the desk as it stands."""
    ada = await desk.opened(store="S1")
    await desk.card(AMY)
    board = await desk.ask(KIM, "board")
    assert board.splitlines() == [
        "front-desk: open, 2 on duty, nobody waiting",
        "back-office: open, 1 on duty, nobody waiting",
        "Open conversations: 1",
    ]
    assert await desk.ask(KIM, "who front-desk") == "front-desk: open\n  Amy Chen: 1 open\n  Bo Diaz: 0 open"
    assert "Cy Okafor: 0 of 1 open" in await desk.ask(KIM, "WHO")
    assert await desk.ask(KIM, "queue") == "Nobody is waiting."
    assert "  Amy Chen: 00:00-24:00" in await desk.ask(KIM, "roster sat")
    assert "Write it like this: roster" in await desk.ask(KIM, "roster someday")
    assert "amy (front-desk)" in await desk.ask(KIM, "preview 18:30 store=S12")
    assert "my order broke" in await desk.ask(KIM, f"history {ref(ada)}")
    await desk.ask(KIM, "pause front-desk")
    await desk.opened("eve", store="S9")
    await eventually(lambda: desk.waiting())
    queue = await desk.ask(KIM, "queue")
    assert "Eve (front-desk, S9), waiting" in queue
    assert "front-desk: open, paused, 2 on duty, 1 waiting" in await desk.ask(KIM, "board")
    assert await desk.ask(KIM, "resume front-desk") == "front-desk takes customers again."
    await desk.card(BO)


async def test_leads_switch_others_off_and_on(desk: Desk) -> None:
    """The agent is told, and gets nobody until they are on again."""
    assert "Amy Chen is off until" in await desk.ask(KIM, "off amy for 2h")
    assert "A lead said so: you are off until" in await desk.told(AMY, "A lead said so")
    await desk.opened()
    await desk.card(BO)
    assert not desk.cards(AMY)
    assert await desk.ask(KIM, "on Amy Chen") == "Amy Chen is on duty."
    await desk.opened("eve")
    await desk.card(AMY)


async def test_cover_moves_the_shifts(sim: Simulator, clock: ShiftedClock) -> None:
    """Cy, of another team, gets what Amy would have got; all three are told."""
    alone = desk_config()
    alone["teams"]["front-desk"]["agents"] = ["amy"]
    async with running(alone, sim, public_url=True, environ=Desk.ENVIRON, clock=clock) as bridge:
        desk = await Desk(bridge).ready()
        answer = await desk.ask(KIM, "cover amy with cy for 2h")
        assert answer.startswith("Cy Okafor covers for Amy Chen until")
        await desk.told(AMY, "Cy Okafor covers for Amy Chen")
        await desk.told(CY, "Cy Okafor covers for Amy Chen")
        await desk.opened()
        await desk.card(CY)


async def test_the_newest_word_wins_and_whoever_loses_a_cover_is_told(desk: Desk) -> None:
    """Two cover Amy one after the other, then she is back; a break of the covering one ends nothing."""
    await desk.ask(KIM, "cover amy with cy for 4h")
    await desk.ask(KIM, "off cy for 15m")
    await desk.ask(KIM, "cover amy with bo for 4h")
    assert await desk.told(CY, "no longer") == "Cy Okafor no longer covers for Amy Chen."
    await desk.told(AMY, "Cy Okafor no longer")
    await desk.told(KIM, "Cy Okafor no longer")
    await desk.ask(KIM, "on amy")
    await desk.told(BO, "Bo Diaz no longer covers for Amy Chen.")
    await desk.told(KIM, "Bo Diaz no longer")
    assert "Amy Chen" in await desk.ask(KIM, "preview")
    await desk.ask(KIM, "off amy for 2h")
    await desk.ask(KIM, "off bo for 2h")
    assert "nobody" in await desk.ask(KIM, "preview")


async def test_plans_are_made_listed_and_taken_back(desk: Desk) -> None:
    """Ahead of time, with numbers; whoever a plan is about hears of it, and agents see and cancel their own."""
    answer = await desk.ask(KIM, "off amy from tomorrow 09:00 until tomorrow 17:00")
    assert "Amy Chen is off from" in answer
    await desk.ask(KIM, "cover bo with cy tomorrow")
    assert "Amy Chen" in await desk.ask(KIM, "preview")
    plans = (await desk.ask(KIM, "plans")).splitlines()
    assert [line.split(". ", 1)[1].split(" from")[0] for line in plans] == [
        "Cy Okafor covers for Bo Diaz",
        "Amy Chen is off",
    ]
    (mine,) = (await desk.ask(AMY, "plans")).splitlines()
    assert mine == plans[1]
    (cover,) = (await desk.ask(KIM, "plans cy")).splitlines()
    assert "There is no plan" in await desk.ask(AMY, f"cancel {cover.partition('.')[0]}")
    assert "No longer: Cy Okafor covers" in await desk.ask(KIM, f"cancel {cover.partition('.')[0]}")
    await desk.told(BO, "No longer: Cy Okafor covers for Bo Diaz")
    assert "No longer: Amy Chen is off" in await desk.ask(AMY, f"cancel {mine.partition('.')[0]}")
    assert await desk.ask(KIM, "plans") == "Nothing was said: the rota holds."


async def test_assign_gives_it_to_somebody(desk: Desk) -> None:
    """A conversation of Amy's goes to Bo, a waiting one to Amy; a refusal is explained to the lead."""
    ada = await desk.opened()
    await desk.card(AMY)
    assert f"Ada ({ref(ada)}) goes to Bo Diaz" in await desk.ask(KIM, f"assign {ref(ada)} bo")
    await desk.card(BO)
    await desk.told(AMY, "moved to Bo Diaz")
    await desk.ask(KIM, "pause front-desk")
    eve = await desk.opened("eve")
    await eventually(lambda: desk.waiting())
    await desk.ask(KIM, f"assign {ref(eve)} amy")
    await desk.card(AMY)
    await desk.ask(KIM, f"assign {ref(eve)} amy")
    assert "has it already" in await desk.told(KIM, "was not handed over")
    assert await desk.ask(KIM, "assign 000000 amy") == "There is no conversation 000000."


async def test_leads_close_and_move_any_conversation(desk: Desk) -> None:
    """done and transfer, whoever has it."""
    ada = await desk.opened()
    await desk.card(AMY)
    await desk.ask(KIM, f"transfer {ref(ada)} bo")
    await desk.card(BO)
    assert await desk.ask(KIM, f"done {ref(ada)}") == f"Ada ({ref(ada)}) is closed."
    await eventually(lambda: desk.ended(ada))
    assert "is over already" in await desk.ask(KIM, f"done {ref(ada)}")


async def test_agents_get_no_leads_commands(desk: Desk) -> None:
    """Not one of them does anything."""
    for text in (
        "board",
        "queue",
        "who",
        "roster",
        "pause front-desk",
        "resume front-desk",
        "assign 000000 bo",
        "preview",
    ):
        assert "Only leads may say" in await desk.ask(AMY, text)
    assert "Only leads may switch" in await desk.ask(AMY, "off bo")
    assert "Only leads may say cover" in await desk.ask(AMY, "cover bo with cy for 1h")
    assert {outcome for who, _, outcome in await desk.audit() if who == AMY} == {"refused"}


async def test_another_agents_conversation_is_as_unknown_as_none(desk: Desk) -> None:
    """An agent learns nothing about a reference that is not theirs."""
    ada = await desk.opened()
    await desk.card(AMY)
    for word in ("history", "done"):
        theirs = await desk.ask(BO, f"{word} {ref(ada)}")
        assert theirs == (await desk.ask(BO, f"{word} 000000")).replace("000000", ref(ada))
    assert await ada.status() == "open"


async def test_stranger_gets_one_polite_sentence(desk: Desk) -> None:
    """Once in an hour, whatever they say or press; nothing is done for them."""
    assert await desk.ask(DEV, "board") == STRANGER
    desk.world.say(DEV, BOT_EMAIL, text="board!")
    desk.world.say(DEV, BOT_EMAIL, text="off amy")
    await eventually(lambda: desk.all_heard())
    await desk.settled()
    assert desk.texts(DEV) == [STRANGER]
    assert await desk.audit() == []
    await desk.bridge.advance(3700)
    assert await desk.ask(DEV, "hello again") == STRANGER


async def test_everything_is_audited(desk: Desk) -> None:
    """Who said what, and what came of it; never what was not understood."""
    ada = await desk.opened()
    desk.press(AMY, await desk.card(AMY), "not-me")
    await desk.card(BO)
    await desk.ask(KIM, "off amy for 30m")
    await desk.ask(KIM, "open the pod bay doors")
    await desk.ask(KIM, f"history {ref(ada)}")
    assert await desk.audit() == [
        (AMY, f"not-me {ref(ada)}", "asked for"),
        (KIM, "off amy for 30m", "done"),
        (KIM, "not understood", "refused"),
        (KIM, f"history {ref(ada)}", "done"),
    ]


async def test_doubled_webhooks_do_it_once(desk: Desk) -> None:
    """Webex may send a webhook twice; a command is done and answered once, in its order."""
    desk.world.webhook_duplicate = 1.0
    for text in ("off amy for 1h", "on amy", "off amy for 2h"):
        desk.world.say(KIM, BOT_EMAIL, text=text)
    await eventually(lambda: len(desk.texts(KIM)) >= 3)
    await eventually(lambda: desk.all_heard())
    await desk.settled()
    assert [what for _, what, _ in await desk.audit()] == ["off amy for 1h", "on amy", "off amy for 2h"]
    assert len(desk.texts(KIM)) == 3


async def test_unsigned_news_for_the_bot_is_refused(desk: Desk) -> None:
    """Only Webex, who knows the secret, can make the bot look at something."""
    [hook] = [one for one in desk.world.bot.hooks if one.resource == "messages"]
    body = {
        "id": hook.id,
        "name": hook.name,
        "resource": "messages",
        "event": "created",
        "data": {"id": "x", "personId": "y"},
    }
    async with desk.bridge.session.post(f"{desk.bridge.url}/webex/webhooks", json=body) as answer:
        assert answer.status == 401


async def test_bots_webhooks_are_repaired_and_what_was_missed_is_read(desk: Desk) -> None:
    """A webhook that Webex switched off is on again at the next look, and the leads hear of it."""
    for hook in desk.world.bot.hooks:
        hook.active = False
    desk.world.say(KIM, BOT_EMAIL, text="board")
    await desk.bridge.service.bot.reconcile()  # type: ignore[union-attr]
    assert all(hook.active for hook in desk.world.bot.hooks)
    await desk.told(KIM, "Open conversations: 0")
    await desk.look_for_trouble()
    await desk.told(KIM, "Webex had switched the bot's webhook off")


async def test_presence_is_a_veto(desk: Desk) -> None:
    """Out of office in Webex: nobody new, and `status` says why; back, and customers come again."""
    desk.world.bots_see_presence = True
    amy = desk.world.find_person(AMY)
    amy.status = "OutOfOffice"
    await desk.look_at_presence()
    await desk.opened()
    await desk.card(BO)
    assert "out of office in Webex" in await desk.ask(AMY, "status")
    amy.status = "active"
    await desk.look_at_presence()
    await desk.opened("eve")
    await desk.card(AMY)


async def test_presence_that_is_not_shown_is_no_veto(desk: Desk) -> None:
    """The rota decides where the bot may not see anybody's status."""
    desk.world.find_person(AMY).status = "DoNotDisturb"
    desk.world.bots_see_presence = False
    await desk.look_at_presence()
    await desk.opened()
    await desk.card(AMY)


async def test_without_a_token_there_is_no_bot(sim: Simulator, clock: ShiftedClock) -> None:
    """Everything else works, and nobody is written to by a bot."""
    async with running(desk_config(), sim, public_url=True, clock=clock) as bridge:
        ada = await bridge.opened("ada", "hello")
        await eventually(lambda: bridge.texts() == ["hello"])
        guest = bridge.world.messages_to(AMY)[-1]["personEmail"]
        bridge.world.say(AMY, guest, text="hi")
        await eventually(ada.heard)
        bridge.world.say(AMY, guest, text="/done")
        desk = Desk(bridge)
        await eventually(lambda: desk.ended(ada))
        assert desk.heard(AMY) == []
        assert not bridge.world.bot.hooks
        assert await desk.states("open") == []
