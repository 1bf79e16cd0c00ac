"""What Webex asked to wait for stands in the store, on both databases."""

from bridge.domain.throttling import BOT, READING, SENDING
from bridge.store import bot, gates, hooks, reads
from bridge.store.outbox import Claim
from tests.store.conftest import BUDGET, LEASE, NOW


async def test_gate_stays_closed_for_the_longest_that_was_asked(bench):
    """Each owner and flow for itself; what is over is not told."""
    for until in (NOW + 60, NOW + 10):
        await bench.store.do(gates.close, gates.Gate("g-ada", SENDING, until))
    await bench.store.do(gates.close, gates.Gate(BOT, READING, NOW + 5))
    assert await bench.store.read(gates.closed, NOW + 6) == [gates.Gate("g-ada", SENDING, NOW + 60)]
    asked = ["g-ada", "g-bert", BOT]
    assert await bench.store.read(gates.closed_until, asked, SENDING, NOW + 6) == {"g-ada": NOW + 60}
    assert await bench.store.read(gates.closed_until, asked, SENDING, NOW + 60) == {}


async def test_erased_guest_leaves_no_gate(bench):
    """Its id goes; another guest's gate stays."""
    for owner in ("g-ada", "g-bert"):
        await bench.store.do(gates.close, gates.Gate(owner, SENDING, NOW + 60))

    def forget(connection, items):
        gates.forget(connection, ["g-ada"])
        return [None] * len(items)

    await bench.store.do(forget, None)
    assert [one.owner for one in await bench.store.read(gates.closed, NOW)] == ["g-bert"]


async def test_no_process_says_anything_for_a_throttled_bot(bench, clock):
    """New notes are not claimed while the gate of sending is closed; what was heard still is."""
    await bench.store.do(_say, "amy@example.com")
    await bench.store.do(bot.note_news, bot.News("message", "m1", "p1", NOW))
    await bench.store.do(gates.close, gates.Gate(BOT, SENDING, NOW + 60))

    async def claimed(stage):
        return len(await bench.store.do(bot.claim, Claim(stage, "p2", clock.at, LEASE, 10)))

    assert [await claimed("bot"), await claimed("bot-in")] == [0, 1]
    assert await bench.store.read(reads.oldest_ready, ["bot"]) == {"bot": NOW + 60}  # it is not left undone
    clock.at += 60
    assert await claimed("bot") == 1


def _say(connection, emails):
    for email in emails:
        bot.put_alert(connection, email, "hello", NOW)
    return [None] * len(emails)


async def test_webhook_of_a_guest_who_may_not_send_waits(bench, clock):
    """Another process, or one after a restart, does not write it before the time is over."""
    await bench.accept("e1")
    await bench.intake()
    (work,) = await bench.take()
    await bench.settle(work, room_id="R1", webex_id="M1", webex_created=NOW, webhook="wanted", listen_at=NOW)
    guest = work.guest.id
    await bench.store.do(gates.close, gates.Gate(guest, SENDING, NOW + 60))

    async def claimed():
        wish = hooks.HookClaim("p2", clock.at, LEASE, 10, BUDGET)
        return [one.guest.id for one in await bench.store.do(hooks.claim_hooks, wish)]

    assert await claimed() == []
    clock.at += 59
    assert await claimed() == []
    clock.at += 1
    assert await claimed() == [guest]
