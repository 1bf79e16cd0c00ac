"""Files: sent as a form or by address, fetched with a token, scanned."""

import aiohttp
import pytest
from aiohttp import web


def form(**fields):
    data = aiohttp.FormData({"toPersonEmail": "amy@example.com", **fields}, quote_fields=False)
    data.add_field("files", b"\x00\xff bytes", filename="name ü.bin", content_type="application/x-thing")
    return data


@pytest.fixture
async def file(ada):
    """The address of a file that a guest sent."""
    return (await ada("POST", "/messages", data=form(text="look"))).body["files"][0]


async def test_upload_and_download(file, amy, sim):
    """The other party gets the same bytes, as an attachment that keeps its name and type."""
    assert file.startswith(f"{sim.url}/contents/")
    head = await amy("HEAD", file)
    assert (head.status, head.headers["Content-Length"]) == (200, "8")
    assert head.headers["Content-Disposition"].startswith('attachment; filename="name _.bin"')
    assert head.headers["Content-Disposition"].endswith("name%20%C3%BC.bin")
    async with amy.session.get(file, headers={"Authorization": f"Bearer {amy.token}"}) as answer:
        assert await answer.read() == b"\x00\xff bytes"
        assert answer.headers["Content-Type"] == "application/x-thing"


async def test_only_the_two_get_a_file(file, nobody):
    """Without a token a file is 401, for a third person 404."""
    assert (await nobody("GET", file)).status == 401
    assert (await nobody.as_("sim-token-bo@example.com")("GET", file)).status == 404


async def test_scanning_then_clean(file, amy, world, clock):
    """While it is scanned a file is 423 with Retry-After; then it is there. HEAD does not wait."""
    world.set_scan(file, "scanning")
    answer = await amy("GET", file)
    assert (answer.status, answer.headers["Retry-After"]) == (423, "2")
    assert (await amy("HEAD", file)).status == 200
    clock.at += 2
    assert (await amy("GET", file)).status == 200


async def test_infected_and_unscannable(file, amy, world):
    """An infected file is 410 for good; an unscannable one is 428 unless the risk is accepted."""
    world.set_scan(file, "infected")
    assert (await amy("GET", file)).status == 410
    world.set_scan(file, "unscannable")
    assert (await amy("GET", file)).status == 428
    assert (await amy("GET", f"{file}?allow=unscannable")).status == 200


async def test_one_file_a_message(ada):
    """A second file in a form is refused."""
    twice = form()
    twice.add_field("files", b"x", filename="b.txt")
    assert (await ada("POST", "/messages", data=twice)).status == 400


async def test_too_large(ada, world):
    """A file over the limit is refused."""
    world.max_file_bytes = 3
    answer = await ada("POST", "/messages", data=form())
    assert (answer.status, "too big" in answer.body["message"]) == (400, True)


async def test_file_by_address(ada, amy):
    """A file given as an address is fetched by Webex; one that cannot be had is 400."""

    async def give(request):
        return web.Response(body=b"png", content_type="image/png")

    app = web.Application()
    app.router.add_get("/a/pic.png", give)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        message = (await ada.write(files=[f"{root}/a/pic.png"])).body
        assert (await ada.write(files=[f"{root}/none"])).status == 400
        assert (await ada.write(files=["not an address"])).status == 400
    finally:
        await runner.cleanup()
    head = await amy("HEAD", message["files"][0])
    assert (head.headers["Content-Type"], 'filename="pic.png"' in head.headers["Content-Disposition"]) == (
        "image/png",
        True,
    )


async def test_agent_sends_a_file(ada, world):
    """`say` can carry a file, which is fetched from the simulator's own address."""
    await ada.write()
    said = world.say("amy@example.com", "ada", "here", file=("a.txt", b"hello", "text/plain"))
    assert (await ada("GET", said["files"][0])).body == "hello"


async def test_a_file_whose_get_is_refused_or_fails(ada, world, clock):
    """A policy refuses one for good (403); a failing file service (503) gives it later."""
    await ada.write()
    [refused], [failing] = (
        world.say("amy@example.com", "ada", "here", file=(name, b"hello", "text/plain"))["files"]
        for name in ("a.txt", "b.txt")
    )
    world.set_scan(refused, "refused")
    world.set_scan(failing, "failing")
    assert [(await ada("GET", url)).status for url in (refused, failing)] == [403, 503]
    clock.at += world.scan_seconds
    assert [(await ada("GET", url)).status for url in (refused, failing)] == [403, 200]
