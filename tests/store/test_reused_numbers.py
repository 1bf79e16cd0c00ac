"""SQLite gives the number of a removed delivery to the next one: what is made of both must count."""

from sqlalchemy import delete, func, select

from bridge.domain.conversation.model import Envelope
from bridge.store import bot
from bridge.store.delivering import NewDelivery, put_deliveries
from bridge.store.operator import dead_letters
from bridge.store.outbox import Claim
from bridge.store.settling import Settled
from bridge.store.tables import deliveries, envelopes
from tests.store.conftest import LEASE, NOW


async def known_envelopes(bench):
    return await bench.store.read(
        lambda connection: connection.execute(select(func.count()).select_from(envelopes)).scalar()
    )


async def test_a_dead_letter_with_a_used_number_is_replayed(bench):
    """Its envelope goes into the inbox, although another one of that number was replayed before."""

    def die_and_replay(connection, items):
        for at in items:
            dead = Envelope(0, "e", "in:ada", "said", "c", {"text": "hello"}, at)
            put_deliveries(connection, [dead_letters.dead_envelope(dead, ValueError(), at)])
            (ident,) = dead_letters.dead_ids(connection)
            assert dead_letters.replay(connection, [ident], at) == {ident: dead_letters.REPLAYED}
            connection.execute(delete(deliveries))  # as an erasure does
        return [None] * len(items)

    await bench.store.do(die_and_replay, NOW)
    await bench.store.do(die_and_replay, NOW + 60)
    assert await known_envelopes(bench) == 2


async def test_words_to_the_bot_with_a_used_number_have_their_effect(bench):
    """A lead's order is carried out, although another one of that number was carried out before."""

    def hear(connection, items):
        put_deliveries(connection, [NewDelivery("bot-in:kim", "heard", "", "{}", at) for at in items])
        return [None] * len(items)

    def erase(connection, items):
        connection.execute(delete(deliveries))
        return [None] * len(items)

    for at in (NOW, NOW + 60):
        await bench.store.do(hear, at)
        (work,) = await bench.store.do(bot.claim, Claim("bot-in", "p1", at, LEASE, 5))
        order = bot.Effects(wishes=(bot.Wish("ended", "c", "ada", {}),))
        await bench.store.do(bot.answer, bot.Answered(Settled(work, "done", at, LEASE), order))
        await bench.store.do(erase, None)
    assert await known_envelopes(bench) == 2
