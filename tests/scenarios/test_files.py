"""Files both ways; the customer never gets a Webex address, nor a file that the scan did not like."""

from __future__ import annotations

import pytest

from bridge.simulator import Simulator, World
from tests.harness import AMY, config, eventually, running
from tests.scenarios.steps import answer, greeted, heard

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2000
ways = pytest.mark.parametrize("public_url", [True, False], ids=["webhook", "poll"])


@pytest.fixture(params=["us", "urn:TEAM:us-west-2_r"], autouse=True)
def region(request: pytest.FixtureRequest, world: World) -> None:
    """Where messages, 1:1s and files live, which their ids say; a file's has its message's, too."""
    world.id_region = request.param


async def test_customers_file_reaches_the_agent_in_order(sim: Simulator, world: World) -> None:
    """A message with a file, between the words before and after it, once although the answer got lost."""
    async with running(config(), sim) as bridge:
        ada = await greeted(bridge)
        world.fault("POST /v1/messages", "drop_after", after=1)
        await ada.say("look:")
        sent = await ada.upload("box é.png", "image/png", PNG)
        assert sent.status == 202
        await ada.say("broken")
        await eventually(lambda: bridge.texts()[-1] == "broken")
        messages = world.messages_to(AMY)
        assert [bool(message.get("files")) for message in messages] == [False, False, True, False]
        file = world.files[messages[2]["files"][0].rpartition("/")[2]]
        assert (file.name, file.type, file.content) == ("box é.png", "image/png", PNG)
        item = next(item for item in await ada.messages() if item["files"])
        own = await ada.download(item["files"][0]["url"])
        assert (own.status, own.body) == (200, PNG)


@ways
async def test_agents_file_is_streamed_through_us(sim: Simulator, world: World, public_url: bool) -> None:
    """With its bytes, its name, and headers that let no browser run it; not to another customer."""
    async with running(config(), sim, public_url=public_url) as bridge:
        ada, bert = await greeted(bridge), await greeted(bridge, "bert")
        world.say(
            AMY, _id(world), text="the form", file=("form <1>.html", b"<script>1</script>", "text/html")
        )
        await eventually(lambda: heard(ada, "the form"))
        (file,) = (await ada.messages())[-1]["files"]
        assert (file["name"], file["type"], file["size"]) == ("form <1>.html", "text/html", 18)
        assert world.root not in str(await ada.messages())
        got = await ada.download(file["url"])
        assert (got.status, got.body) == (200, b"<script>1</script>")
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert got.headers["Content-Type"] != "text/html"
        assert (await bert.download(file["url"])).status == 401


def _id(world: World) -> str:
    return next(guest.id for guest in world.guests.values() if guest.name == "Ada")


async def test_file_being_scanned_is_waited_for(sim: Simulator, world: World) -> None:
    """423: the words wait for the file, what came after waits too, and both come in order."""
    world.change({"scan": "scanning", "scan_seconds": 2.0})
    async with running(config(), sim) as bridge:
        ada = await greeted(bridge)
        world.say(AMY, _id(world), text="with a file", file=("a.pdf", b"%PDF", "application/pdf"))
        world.scan = "clean"
        answer(world, "after it")
        await eventually(lambda: heard(ada, "with a file", "after it"))
        (file,) = (await ada.messages())[1]["files"]
        assert (await ada.download(file["url"])).body == b"%PDF"


@pytest.mark.parametrize("scan", ["infected", "unscannable"])
async def test_bad_file_is_refused_with_a_word(sim: Simulator, world: World, scan: str) -> None:
    """410 and 428: the words come without the file, and the customer is told."""
    world.scan = scan
    async with running(config(), sim) as bridge:
        ada = await greeted(bridge)
        world.say(AMY, _id(world), text="see this", file=("a.exe", b"MZ", "application/x-msdownload"))
        await eventually(lambda: heard(ada, "see this"))
        items = await ada.messages()
        assert all(not item["files"] for item in items)
        assert items[-1]["from"] == "system"


async def test_file_found_infected_later_is_not_given_out(sim: Simulator, world: World) -> None:
    """The scan changes its mind after the words were shown: 404, never the bytes."""
    async with running(config(), sim) as bridge:
        ada = await greeted(bridge)
        said = world.say(AMY, _id(world), text="a file", file=("a.pdf", b"%PDF", "application/pdf"))
        await eventually(lambda: heard(ada, "a file"))
        (file,) = (await ada.messages())[-1]["files"]
        world.set_scan(said["files"][0], "infected")
        assert (await ada.download(file["url"])).status == 404


async def test_files_that_the_source_does_not_take(sim: Simulator) -> None:
    """Too large is 413, another type 415; nothing reaches the agent."""
    setup = config(sources={"kiosk": {"files": {"max_mb": 0.01, "types": ["image/*"]}}})
    async with running(setup, sim) as bridge:
        ada = await greeted(bridge)
        assert (await ada.upload("a.png", "image/png", PNG)).status == 413
        assert (await ada.upload("a.exe", "application/x-msdownload", b"MZ")).status == 415
        assert (await ada.upload("a.png", "image/png", b"")).status == 422
        await ada.say("end")
        await eventually(lambda: bridge.texts() == ["hello", "end"])
