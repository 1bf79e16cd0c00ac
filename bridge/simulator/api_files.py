"""/contents: files and what the virus scan says of them. https://developer.webex.com/docs/basics"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from aiohttp import web

from bridge.simulator.ask import Ask
from bridge.simulator.ids import tracking_id
from bridge.simulator.model import File, Refusal


async def content(ask: Ask) -> web.Response:
    """HEAD describes, GET gives; 423 while scanning, 410 infected, 428 unscannable unless accepted.

    403 where a policy of the organization refuses it; 503 while the file service fails.
    """
    person, file = ask.person, ask.known("CONTENT", ask.world.files, ask.part("id"))
    if file is None or file.room is None or person not in file.room.members:
        raise Refusal(404, "Content not found.")
    if ask.request.method == "GET":
        _scan(ask, file)
    return give(file, ask.world.file_names)


def _named(name: str, way: str) -> str:
    """The Content-Disposition of a file, in one of the ways that were seen in the field."""
    plain = "".join(each if " " <= each <= "~" and each not in '"\\' else "_" for each in name)
    if way == "none":
        return "attachment"
    if way == "unquoted":
        return f"attachment; filename={plain}"
    if way == "rfc2047":
        word = b64encode(name.encode("utf-8", "replace")).decode()
        return f'attachment; filename="=?UTF-8?B?{word}?="'
    quoted = f'attachment; filename="{plain}"'
    if way == "quoted":
        return quoted
    return f"{quoted}; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def give(file: File, way: str = "both") -> web.Response:
    """The bytes, to be saved and never shown; aiohttp leaves them out of an answer to HEAD. `way`: see `Settings`."""
    headers = {
        "Content-Type": file.type,
        "Content-Disposition": _named(file.name, way),
        "TrackingID": tracking_id(),
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=file.content, headers=headers)


def _scan(ask: Ask, file: File) -> None:
    if file.scan == "infected":
        raise Refusal(410, "The file was found to be infected and is gone.")
    if file.scan == "unscannable" and ask.query("allow") != "unscannable":
        raise Refusal(428, "The file cannot be scanned. Use allow=unscannable to download it anyway.")
    if file.scan == "refused":
        raise Refusal(403, "Downloads are restricted by the organization of this user.")
    left = file.clean_at - ask.at
    if file.scan == "failing" and left > 0:
        raise Refusal(503, "The file service does not answer.")
    if file.scan == "scanning" and left > 0:
        raise Refusal(423, "The file is being scanned.", {"Retry-After": str(max(1, round(left)))})
