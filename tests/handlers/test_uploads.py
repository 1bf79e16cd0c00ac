"""Files from customers: what is taken, what is refused, and that nothing of a refused one stays."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Connection, func, select

from bridge.store.tables import file_chunks, files
from handlers import uploads
from handlers.uploads import safe_name
from tests.customers import Answer, Customer
from tests.handlers.conftest import SETUP
from tests.harness import AMY, RunningBridge, eventually

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
MB = 1024 * 1024
FORM = "multipart/form-data; boundary=b"


def stored(connection: Connection) -> tuple[int, int]:
    """How many files and pieces of files there are."""
    count = [
        connection.execute(select(func.count()).select_from(table)).scalar() for table in (files, file_chunks)
    ]
    return count[0] or 0, count[1] or 0


async def nothing_stored(bridge: RunningBridge) -> bool:
    return await bridge.service.store.read(stored) == (0, 0)


async def send(customer: Customer, body: Any, kind: str = FORM, **headers: str) -> Answer:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await customer.call("POST", "/messages", data=body, headers={"Content-Type": kind} | given)


def part(headers: str, content: bytes = PNG) -> bytes:
    return b"--b\r\n" + headers.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content + b"\r\n"


def file_part(name: str = "a.png", kind: str = "image/png", content: bytes = PNG) -> bytes:
    return part(
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}', content
    )


async def test_file_goes_out_and_comes_back_whole(bridge: RunningBridge) -> None:
    """The same bytes, shown as a picture and as nothing else, to its own conversation only."""
    ada, bob = await bridge.opened("ada"), await bridge.opened("bob")
    assert (await ada.upload("broken box.png", "image/png", PNG, "look")).status == 202
    await eventually(lambda: len(bridge.world.messages_to("amy@example.com")) == 2)
    items = await ada.messages()
    assert [item["text"] for item in items] == ["look", ""]
    (file,) = items[1]["files"]
    assert (file["name"], file["type"], file["size"]) == ("broken box.png", "image/png", len(PNG))
    answer = await ada.download(file["url"])
    assert (answer.status, answer.body) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''broken%20box.png"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    stolen = file["url"].rpartition("/")[2]
    assert (await bob.call("GET", f"/files/{stolen}")).status == 404


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"", "multipart/form-data"),
        (400, b"", "multipart/form-data; boundary="),
        (400, b"", FORM),
        (400, b"nonsense", FORM),
        (400, b"--b\r\n" * 30, FORM),
        (400, file_part()[:200], FORM),
        (400, file_part(), FORM),
        (400, b"x", f"multipart/form-data; boundary={'b' * 80}"),
        (422, b"--b--\r\n", FORM),
        (400, part("A: " + "b" * 20_000) + b"--b--\r\n", FORM),
        (400, part("A: b\r\n" * 500) + b"--b--\r\n", FORM),
        (400, part("no header") + b"--b--\r\n", FORM),
        (400, part("A: \0") + b"--b--\r\n", FORM),
        (422, file_part() + file_part() + b"--b--\r\n", FORM),
        (422, file_part(content=b"") + b"--b--\r\n", FORM),
        (415, file_part(name="a.html", kind="image/png", content=b"<p>") + b"--b--\r\n", FORM),
        (415, file_part(name="evil.exe", content=b"MZ\x90") + b"--b--\r\n", FORM),
        (415, file_part(name="evil.png", content=b"MZ\x90") + b"--b--\r\n", FORM),
        (415, file_part(name="evil.exe") + b"--b--\r\n", FORM),
        (415, file_part(name="file", content=b"\0\1") + b"--b--\r\n", FORM),
        (415, file_part(kind="image/\udcff") + b"--b--\r\n", FORM),
        (415, file_part(kind="image/svg+xml/../png") + b"--b--\r\n", FORM),
        (415, file_part(kind="") + b"--b--\r\n", FORM),
        (415, file_part(kind="image/png\r\nContent-Transfer-Encoding: base64") + b"--b--\r\n", FORM),
        (422, part('Content-Disposition: form-data; name="text"', b"hello") + b"--b--\r\n", FORM),
        (
            422,
            part('Content-Disposition: form-data; name="text"', b"\xff") + file_part() + b"--b--\r\n",
            FORM,
        ),
        (422, file_part() + part('Content-Disposition: form-data; name="text"', b"a\0") + b"--b--\r\n", FORM),
        (
            422,
            file_part() + part('Content-Disposition: form-data; name="text"', b"a" * 8_001) + b"--b--\r\n",
            FORM,
        ),
        (
            413,
            file_part() + part('Content-Disposition: form-data; name="text"', b"a" * 65_537) + b"--b--\r\n",
            FORM,
        ),
        (422, part('Content-Disposition: form-data; name="x"', b"1") * 40 + file_part() + b"--b--\r\n", FORM),
        (422, part("Content-Type: multipart/mixed; boundary=c", b"--c--") + b"--b--\r\n", FORM),
        (400, part("Content-Type: multipart/mixed", b"--c--") + b"--b--\r\n", FORM),
        (415, file_part() + b"--b--\r\n", "multipart/mixed; boundary=b"),
    ],
    ids=range(33),
)
async def test_hostile_body_is_refused_and_leaves_nothing(
    bridge: RunningBridge, status: int, body: bytes, kind: str
) -> None:
    """Each with its own status; the conversation goes on as before."""
    ada = await bridge.opened("ada")
    answer = await send(ada, body, kind)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), (
        answer.body
    )
    assert await nothing_stored(bridge)
    assert (await ada.say("still here")).status == 202


@pytest.mark.parametrize(
    ("name", "said", "content", "kind"),
    [
        ("IMG_0001.HEIC", "application/octet-stream", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        ("report.pdf", "application/octet-stream", b"%PDF-1.7\n", "application/pdf"),
        ("broken box.png", "text/html", PNG, "image/png"),
        ("photo.jpg", "image/jpeg", PNG, "image/png"),
    ],
)
async def test_type_is_what_the_file_shows(
    bridge: RunningBridge, name: str, said: str, content: bytes, kind: str
) -> None:
    """Whatever the sender says of it; the agent and the page get the type that it has."""
    ada = await bridge.opened("ada")
    assert (await ada.upload(name, said, content)).status == 202
    await eventually(lambda: bridge.world.messages_to(AMY))
    (file,) = bridge.world.files.values()
    assert (file.name, file.type, file.content) == (name, kind, content)
    assert (await ada.messages())[0]["files"][0]["type"] == kind


async def test_refusal_of_a_file_says_why(bridge: RunningBridge) -> None:
    """The type that it has and those that are taken, or that its name belies it."""
    ada = await bridge.opened("ada")
    other = await ada.upload("evil.exe", "image/png", b"MZ\x90")
    assert "application/x-msdownload" in other.body["detail"]
    assert "image/*, application/pdf" in other.body["detail"]
    belied = await ada.upload("evil.png", "image/png", b"MZ\x90")
    assert "ends in .png" in belied.body["detail"]


async def test_packed_upload_is_415(bridge: RunningBridge) -> None:
    """Content-Encoding is refused for files too."""
    ada = await bridge.opened("ada")
    assert (await send(ada, file_part() + b"--b--\r\n", Content_Encoding="gzip")).status == 415


@pytest.mark.parametrize("chunked", [False, True])
async def test_file_of_the_limit_is_taken_and_a_byte_more_is_not(
    bridge: RunningBridge, chunked: bool
) -> None:
    """20 MB unless the source says otherwise, told beforehand or counted as it comes."""
    setup = {
        **SETUP,
        "sources": {**SETUP["sources"], "kiosk": {**SETUP["sources"]["kiosk"], "files": {"max_mb": 1}}},
    }
    await bridge.reload(setup)
    ada = await bridge.opened("ada")
    for extra, status in ((0, 202), (1, 413), (2 * MB, 413)):
        body = file_part(content=PNG + b"x" * (MB + extra - len(PNG))) + b"--b--\r\n"

        async def pieces(whole: bytes = body) -> Any:
            for start in range(0, len(whole), 100_000):
                yield whole[start : start + 100_000]

        assert (await send(ada, pieces() if chunked else body)).status == status
    assert await bridge.service.store.read(stored) == (1, 4)


async def test_client_that_leaves_half_way_leaves_nothing(bridge: RunningBridge) -> None:
    """What had arrived is taken out again."""
    ada = await bridge.opened("ada")
    _, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    head = (
        f"POST /v1/conversations/{ada.id}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.key}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: 3000000\r\n\r\n"
    )
    writer.write(head.encode() + file_part(content=PNG + b"x" * MB)[:-2])
    await writer.drain()
    await eventually(lambda: some_stored(bridge))
    writer.transport.abort()
    await eventually(lambda: nothing_stored(bridge))


async def some_stored(bridge: RunningBridge) -> bool:
    return (await bridge.service.store.read(stored))[1] >= 2


async def test_upload_that_never_ends_is_given_up(
    bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """408, and nothing of it stays."""
    monkeypatch.setattr(uploads, "UPLOAD_SECONDS", 0.3)
    ada = await bridge.opened("ada")
    release = asyncio.Event()

    async def endless() -> Any:
        yield file_part(content=PNG + b"x" * MB)[:-2]
        await release.wait()

    async with asyncio.timeout(60):
        answer = await send(ada, endless())
    release.set()
    assert answer.status == 408
    assert await nothing_stored(bridge)


async def test_repeated_upload_is_one_message_and_one_file(bridge: RunningBridge) -> None:
    """At once and later; the repeats' bytes do not stay."""
    ada = await bridge.opened("ada")
    body = file_part() + b"--b--\r\n"
    answers = await asyncio.gather(*(send(ada, body, Idempotency_Key="\udcffone") for _ in range(8)))
    answers.append(await send(ada, body, Idempotency_Key="\udcffone"))
    assert {(answer.status, answer.body["id"]) for answer in answers} == {(202, answers[0].body["id"])}
    assert await bridge.service.store.read(stored) == (1, 1)
    await eventually(lambda: len(bridge.world.messages_to("amy@example.com")) == 1)


async def test_upload_after_the_end_leaves_nothing(bridge: RunningBridge) -> None:
    """The source ended it: 409, and the file is gone again."""
    ada = await bridge.opened("ada", "hello")
    await bridge.event("conversation.ended", subject="ada")
    assert (await send(ada, file_part() + b"--b--\r\n")).status == 409
    assert await nothing_stored(bridge)


async def test_file_without_a_name_is_called_file(bridge: RunningBridge) -> None:
    """A part `file` without filename is the file; a form's other fields are passed over."""
    ada = await bridge.opened("ada")
    body = (
        part('Content-Disposition: form-data; name="csrf"', b"1")
        + part('Content-Disposition: form-data; name="file"\r\nContent-Type: image/png')
        + b"--b--\r\n"
    )
    assert (await send(ada, body)).status == 202
    items = await eventually(lambda: ada.messages())
    assert items[0]["files"][0]["name"] == "file"


async def test_download_of_what_a_browser_could_run_is_an_attachment(bridge: RunningBridge) -> None:
    """SVG is a picture with scripts in it."""
    ada = await bridge.opened("ada")
    form = aiohttp.FormData()
    form.add_field("file", b"<svg onload='alert(1)'/>", filename='x".svg', content_type="image/svg+xml")
    assert (await ada.call("POST", "/messages", data=form)).status == 202
    items = await eventually(lambda: ada.messages())
    answer = await ada.download(items[0]["files"][0]["url"])
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''x")


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.png", "a.png"),
        ("..", "file"),
        ("", "file"),
        ("a\x00b.png", "a_b.png"),
        ("a\r\nX: y.png", "a_X_ y.png"),
        ("gnp.\u202eexe", "gnp._exe"),
        ("\ud800.png", "png"),
        ("a" * 500, "a" * 150),
        ("a" * 500 + ".jpeg", "a" * 145 + ".jpeg"),
        ('a"b.png', "a_b.png"),
        (" . ", "file"),
    ],
)
def test_file_name_holds_no_path_and_no_trick(given: str, safe: str) -> None:
    """No directories, control characters or direction marks."""
    assert safe_name(given) == safe
