"""A message with a file: multipart/form-data with the field `files`.

Source: https://developer.webex.com/docs/basics (message attachments).

Written here rather than with aiohttp's FormData because that cannot stream a part of known size with a
Content-Length, and percent-encodes file names, which an agent would then read.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field

from bridge.webex.wire_links import safe_name

_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;\s*[\w-]+=[\w.+-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file to send. `size` in bytes; a stream of another length is never taken for the file."""

    name: str
    content_type: str
    data: bytes | AsyncIterable[bytes] = field(repr=False)
    size: int


@dataclass(frozen=True, slots=True)
class Form:
    """A body ready to send; `length` in bytes."""

    content_type: str
    length: int
    body: bytes | AsyncIterator[bytes] = field(repr=False)


def encode(fields: Mapping[str, str], file: FilePart) -> Form:
    """`fields` and `file` as one form."""
    boundary = secrets.token_hex(20)
    head = b"".join(_text_part(boundary, name, value) for name, value in fields.items())
    head += _file_head(boundary, file)
    tail = f"\r\n--{boundary}--\r\n".encode()
    size = len(file.data) if isinstance(file.data, bytes) else file.size
    body = head + file.data + tail if isinstance(file.data, bytes) else _stream(head, file.data, size, tail)
    return Form(f"multipart/form-data; boundary={boundary}", len(head) + size + len(tail), body)


def _text_part(boundary: str, name: str, value: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value.encode("utf-8", "replace") + b"\r\n"


def _file_head(boundary: str, file: FilePart) -> bytes:
    kind = file.content_type if _CONTENT_TYPE.fullmatch(file.content_type) else "application/octet-stream"
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{safe_name(file.name)}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()


async def _stream(head: bytes, chunks: AsyncIterable[bytes], size: int, tail: bytes) -> AsyncIterator[bytes]:
    yield head
    sent = 0
    async for chunk in chunks:
        sent += len(chunk)
        if sent > size:
            break
        yield chunk
    if sent != size:
        # the connection breaks here, so Webex never sees a complete form
        raise ValueError("the file is not as long as it was said to be")
    yield tail
