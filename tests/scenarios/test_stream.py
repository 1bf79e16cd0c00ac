"""Server-sent events: everything once, resumable, over a restart of the bridge too."""

from __future__ import annotations

from bridge.simulator import Simulator, World
from tests.harness import config, eventually, running
from tests.scenarios.steps import answer, greeted, heard


async def test_resume_over_a_restart_loses_nothing(sim: Simulator, world: World, database_url: str) -> None:
    """Last-Event-ID: what was said while nobody was connected comes first, nothing comes twice."""
    async with running(config(), sim, database_url=database_url, public_url=True) as bridge:
        ada = await greeted(bridge)
        async with ada.stream(0) as before:
            answer(world, "one")
            await eventually(lambda: before.texts == ["hello", "one"])
            await bridge.stop()
            await eventually(lambda: before.ended)
        answer(world, "two")
        await bridge.start()
        await ada.say("three")
        async with ada.stream(before.last_id) as after:
            answer(world, "four")
            await eventually(lambda: len(after.texts) == 3)
            assert sorted(after.texts) == ["four", "three", "two"]
            ids = [each.id for each in after.news if each.id is not None]
            assert ids == list(range(before.last_id + 1, before.last_id + 4))
        async with ada.stream(0) as whole:
            await eventually(lambda: len(whole.texts) == 5)
            assert whole.texts == [item["text"] for item in await ada.messages()]


async def test_two_pages_of_one_customer_see_the_same(sim: Simulator, world: World) -> None:
    """Each stream tells everything, deliveries included, and both end at the end."""
    async with running(config(), sim) as bridge:
        ada = await bridge.opened("ada", "hello")
        async with ada.stream() as left, ada.stream(0) as right:
            await eventually(lambda: bridge.texts() == ["hello"])
            answer(world, "hi")
            for stream in (left, right):
                await eventually(lambda s=stream: s.texts == ["hello", "hi"])
                await eventually(
                    lambda s=stream: "sent" in [m["delivery"] for m in s.of("message") + s.of("update")]
                )
            assert (await ada.end()).status == 200
            for stream in (left, right):
                await eventually(lambda s=stream: s.of("ended") and s.ended)


async def test_shared_guest_token_is_given_and_its_renewal_announced(sim: Simulator, world: World) -> None:
    """For the SDK: 403 unless the source shares it; a `token` event when there is a newer one."""
    world.guest_expires_in = 3
    shared = config(webex={"reissue_at": 0.5}, sources={"kiosk": {"share_guest_token": True}})
    async with running(shared, sim) as bridge:
        ada = await greeted(bridge)
        async with ada.stream(0) as stream:
            first = (await ada.call("GET", "/guest-token")).body
            assert first["agent"] == {"email": "amy@example.com"}
            await eventually(lambda: stream.of("token"))
            second = (await ada.call("GET", "/guest-token")).body
            assert second["accessToken"] != first["accessToken"]
            headers = {"Authorization": f"Bearer {second['accessToken']}"}
            async with bridge.session.get(f"{sim.url}/people/me", headers=headers) as me:
                assert (await me.json())["displayName"] == "Ada"
        await bridge.reload(config())
        assert (await ada.call("GET", "/guest-token")).status == 403
        assert await heard(ada)
