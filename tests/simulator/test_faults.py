"""Trouble on purpose, and the evidence of how it was taken."""

import asyncio
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from bridge.simulator import World
from tests.harness import eventually

AMY = "amy@example.com"
_SOON = aiohttp.ClientTimeout(total=0.1)


@pytest.mark.parametrize(
    ("given", "sent"), [(7, "7"), (0, "0"), (3600, "3600"), ("soon", "soon"), (None, None), (1.5, "1.5")]
)
async def test_retry_after_in_every_form(ada, world, given, sent):
    """A 429 carries its Retry-After as it was given, or none."""
    world.fault("POST /v1/messages", status=429, retry_after=given)
    answer = await ada.write()
    assert (answer.status, answer.headers.get("Retry-After")) == (429, sent)
    assert answer.body["trackingId"]
    assert (await ada.write()).status == 200


async def test_retry_after_as_a_date(ada, world, clock):
    """`date:30` is the HTTP-date of the moment half a minute ahead."""
    world.fault("POST /v1/messages", {"status": 429, "retry_after": "date:30"})
    answer = await ada.write()
    assert parsedate_to_datetime(answer.headers["Retry-After"]).timestamp() == clock.at + 30
    clock.at += 29
    await ada.write()
    assert world.calls[-1].retry_violation
    clock.at += 1
    await ada.write()
    assert not world.calls[-1].retry_violation


async def test_html_bodies(ada, world):
    """A gateway's answer may be HTML."""
    world.fault("POST /v1/messages", 502, html=True)
    answer = await ada.write()
    assert (answer.status, answer.headers["Content-Type"], "<html>" in answer.body) == (
        502,
        "text/html",
        True,
    )


async def test_early_calls_are_violations(ada, app, world, clock):
    """A call of the same kind before its Retry-After is over is recorded, other kinds and guests are not."""
    world.fault("POST /v1/messages", 429, retry_after=10)
    await ada.write()
    clock.at += 0.2
    await ada.write()  # was under way when the 429 was sent
    clock.at += 9
    await ada("GET", "/messages/direct?personEmail=amy@example.com")
    await (await app.guest("bob", "Bob")).write()
    assert world.violations() == []
    await ada.write()
    assert world.violations() == ["POST /v1/messages by guest:ada before its Retry-After was over"]
    clock.at += 1
    await ada.write()
    assert len(world.violations()) == 1


async def test_a_429_on_minting_parks_everybody_for_a_minute_and_the_subject_for_all_of_it(app, world, clock):
    """Other subjects may be minted after 60 s, the one that was refused only after its whole Retry-After."""
    world.fault("POST /v1/guests/token", 429, retry_after=3600)
    await app.mint("a")
    clock.at += 59
    await app.mint("b")
    assert world.calls[-1].retry_violation
    clock.at += 1
    await app.mint("b")
    assert not world.calls[-1].retry_violation
    await app.mint("a")
    assert world.calls[-1].retry_violation


@pytest.mark.parametrize(("action", "delivered"), [("drop_before", 0), ("drop_after", 1)])
async def test_dropped_connections(ada, world, action, delivered):
    """The caller sees a broken connection either way; the message is there only when dropped after."""
    world.fault("POST /v1/messages", action)
    with pytest.raises(aiohttp.ClientConnectionError):
        await ada.write()
    assert len(world.messages_to("amy@example.com")) == delivered
    assert world.calls[-1].status == 0
    assert (await ada.write()).status == 200


async def test_never_answered(ada, world, clock):
    """A call may get no answer at all; stopping the server does not wait for it."""
    world.fault("POST /v1/messages", "never")
    with pytest.raises(TimeoutError):
        await ada("POST", "/messages", json={}, timeout=aiohttp.ClientTimeout(total=0.1))
    assert world.messages_to("amy@example.com") == []
    assert world.calls[-1].status == 0


async def test_error_after_the_effect(ada, world):
    """With `effect` an error is answered although the message was delivered."""
    world.fault("POST /v1/messages", 503, effect=True)
    assert (await ada.write()).status == 503
    assert len(world.messages_to("amy@example.com")) == 1


async def test_late_calls_have_their_effect_after_the_wait(ada, world):
    """A late call sees what came meanwhile; its seconds may be changed while it waits."""
    late = world.fault("GET /v1/messages/direct", "late=30")
    await ada.write()
    listing = asyncio.create_task(ada("GET", "/messages/direct?personEmail=amy@example.com"))
    await eventually(lambda: late.used, 60)
    await ada.write()
    late.seconds = 0
    assert len((await listing).body["items"]) == 2


async def test_slow_answers_come_after_the_effect(ada, world):
    """A slow call has its effect at once; a caller that gives up has still sent."""
    world.fault("POST /v1/messages", "slow=30")
    with pytest.raises(TimeoutError):
        await ada(
            "POST",
            "/messages",
            json={"toPersonEmail": "amy@example.com", "text": "x"},
            timeout=aiohttp.ClientTimeout(total=0.2),
        )
    assert len(world.messages_to("amy@example.com")) == 1


async def test_revoked_token(ada, world):
    """The token that was used is dead from then on, which is no expiry."""
    world.fault("POST /v1/messages", "revoke")
    assert [(await ada.write()).status for _ in range(2)] == [401, 401]
    assert not world.calls[-1].token_expired


async def test_blocked_agent(ada, world):
    """The call is refused as by an agent who is closed to external people."""
    world.fault("POST /v1/messages", "block_agent")
    answer = await ada.write()
    assert (answer.status, "External communication" in answer.body["message"]) == (403, True)


async def test_undecryptable_items(ada, world):
    """A list can be 200 with items that could not be decrypted."""
    await ada.write("secret")
    world.fault("GET /v1/messages", "kms")
    [item] = (await ada("GET", "/messages/direct?personEmail=amy@example.com")).body["items"]
    assert item["errors"]["title"]["code"] == "kms_failure"
    assert item["text"] != "secret"


async def test_late_effects(ada, world):
    """A call that takes effect late does so although its caller has hung up long before."""
    await ada.write("first")
    world.fault("POST /v1/messages", "late=0.3")
    with pytest.raises(TimeoutError):
        await ada("POST", "/messages", json={"toPersonEmail": AMY, "text": "second"}, timeout=_SOON)
    assert [each["text"] for each in world.messages_to(AMY)] == ["first"]
    async with asyncio.timeout(60):
        while len(world.messages_to(AMY)) < 2:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


async def test_spoiled_messages(ada, world, clock):
    """One message may be undecryptable for a time, or misshapen for good; those around it are not."""
    await ada.write("hello")
    ids = [world.say(AMY, "ada", text)["id"] for text in ("one", "two", "three")]
    world.spoil(ids[0], "kms", 5)
    world.spoil(ids[1], "shape")
    path = f"/messages/direct?personEmail={AMY}"
    three, two, one, _ = (await ada("GET", path)).body["items"]
    assert (three["text"], "created" in two) == ("three", False)
    assert one["errors"]["title"]["code"] == "kms_failure"
    clock.at += 5
    assert (await ada("GET", path)).body["items"][2]["text"] == "one"
    with pytest.raises(ValueError, match="spoiled"):
        world.spoil(ids[0], "rotten")


async def test_an_agent_who_refuses_guests(ada, world):
    """No guest can write to them any more, in the 1:1 that is there neither; others can be written to."""
    room = (await ada.write("hello")).body["roomId"]
    world.find_person(AMY).refuses_guests = True
    assert (await ada("POST", "/messages", json={"roomId": room, "text": "more"})).status == 403
    assert (await ada.write("hello", to="bo@example.com")).status == 200
    world.find_person(AMY).refuses_guests = False
    assert (await ada.write("more")).status == 200


async def test_what_a_fault_hits(ada, app, world):
    """Owner, method, exact path, `after` and `times` narrow a fault down."""
    rule = world.fault("POST /v1/messages$", 500, times=2, after=1, owner="guest:ada")
    bob = await app.guest("bob", "Bob")
    assert (await bob.write()).status == 200
    assert (await ada("GET", "/rooms")).status == 200
    assert [(await ada.write()).status for _ in range(4)] == [200, 500, 500, 200]
    assert rule.used == 2
    assert world.faults == []
    everyone = world.fault("/v1/", 500, times=None, owner="guest:")
    assert [(await each.write()).status for each in (ada, bob, ada)] == [500, 500, 500]
    assert (await app.mint("x")).status == 200
    assert everyone.used == 3
    world.clear_faults()
    assert (await ada.write()).status == 200


async def test_chance_repeats_itself():
    """Two worlds of one seed throw the same dice."""

    def hits(seed: int) -> list[bool]:
        world = World(lambda: 0.0, seed=seed)
        world.fault("/v1/x", 500, times=None, probability=0.5)
        return [world.pick_fault("GET", "/v1/x", None) is not None for _ in range(50)]

    assert hits(1) == hits(1) != hits(2)
    assert 10 < sum(hits(1)) < 40


@pytest.mark.parametrize("action", ["explode", None, 1.5, {}, {"status": 500, "colour": 1}])
def test_senseless_faults_are_refused(world, action):
    """A fault that cannot be is a ValueError, not a rule that never fires."""
    with pytest.raises(ValueError):
        world.fault("POST /v1/messages", action)


async def test_the_log_can_be_off(ada, world):
    """Without a log there are no calls, and violations are still noticed."""
    world.calls.clear()
    world.keep_log = False
    world.fault("POST /v1/messages", 429, retry_after=60)
    await ada.write()
    world.retry_grace = 0
    world.fault("POST /v1/messages", 429, retry_after=60)
    await ada.write()
    await ada.write()
    assert len(world.calls) == 0
    assert world.violations()


async def test_calls_tell_whose_they_were(ada, app, amy, nobody, world):
    """Each call has its moment, method, path, owner and status."""
    world.calls.clear()
    await ada.write()
    await app.mint("x")
    await amy("GET", "/people/me")
    await nobody.as_("sim-bot-token")("GET", "/people/me")
    await nobody("GET", "/people/me")
    assert [(each.owner, each.status) for each in world.calls] == [
        ("guest:ada", 200), ("service-app", 200), ("amy@example.com", 200), ("bot", 200), (None, 401),
    ]  # fmt: skip
    assert world.calls[0][:3] == (world.now(), "POST", "/v1/messages")
