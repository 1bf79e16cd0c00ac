"""A customer's file: read in pieces, counted, written to the store as it comes."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from bridge.domain.filenames import shortened
from bridge.domain.filetypes import HEAD_BYTES, Mismatch, is_among, type_of
from bridge.domain.visible import is_visible
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.files import (
    CHUNK_BYTES,
    Chunk,
    ConversationFull,
    NewFile,
    StoreFull,
    Whole,
    drop_files,
    finish_files,
    put_chunks,
    put_files,
)
from handlers.door import Door
from handlers.events import Words, clean, not_too_long
from handlers.problems import Problem, wrong_field
from handlers.reading import MOST_BYTES, need_plain
from handlers.sources import SourceView

UPLOAD_SECONDS = 600.0  # for a whole file; no line is kept longer than that
MOST_OF_CONVERSATION = 100 * 1024 * 1024  # bytes of all its files; one of the largest size always fits
_FULL_RETRY = 600  # as often as retention makes room
_MOST_PARTS = 16
_LONGEST_NAME = 150
_AROUND_THE_FILE = 256 * 1024  # bytes of a body that are not the file: boundaries, headers, the text
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")
_AS_IT_IS = ("", "binary", "8bit", "7bit")


async def receive_upload(request: web.Request, door: Door, conversation_id: str, source_name: str) -> Words:
    """The words of a multipart body with one file and, if wanted, a `text`. Raises Problem.

    Whatever goes wrong on the way, nothing of the file stays in the store.
    """
    need_plain(request)
    source = door.source(source_name)
    if (request.content_length or 0) > source.max_file_bytes + _AROUND_THE_FILE:
        raise _too_large(source)
    upload = _Upload(door, source, conversation_id, request.content_length)
    done = False
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            words = await upload.read(request)
        done = True
        return words
    except TimeoutError:
        raise Problem(408, "The file did not arrive in time.", headers={"Connection": "close"}) from None
    except (HttpProcessingError, ValueError, LookupError, RuntimeError, AssertionError):
        raise Problem(400, "The body is not multipart/form-data.") from None
    finally:
        if not done and upload.file_id:
            with suppress(StoreUnavailable):  # then retention removes it
                await door.store.do(drop_files, upload.file_id)


class _Upload:
    """One multipart body on its way in."""

    def __init__(self, door: Door, source: SourceView, conversation_id: str, length: int | None) -> None:
        self.file_id: str | None = None  # set from the moment something of it may be in the store
        # What is not known beforehand may be as large as it may be.
        self._most_bytes = min(length or source.max_file_bytes, source.max_file_bytes)
        self._door = door
        self._source = source
        self._conversation_id = conversation_id

    async def read(self, request: web.Request) -> Words:
        text: str | None = None
        file: dict[str, object] | None = None
        async for part in _parts(request):
            if part.filename is None and part.name == "text":
                text = await _small_text(part)
            elif part.filename is None and part.name != "file":
                await _small(part)  # a form's other fields are no concern of ours
            elif file is not None:
                raise Problem(422, "Send one file at a time.")
            else:
                file = await self._file(part)
        if file is None:
            raise wrong_field("file", "is required")
        return Words(text, (file,))  # type: ignore[arg-type]

    async def _file(self, part: BodyPartReader) -> dict[str, object]:
        said = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip().lower()
        if not _MEDIA_TYPE.fullmatch(said):
            raise Problem(415, "The file's Content-Type is no media type.")
        if part.headers.get("Content-Transfer-Encoding", "").strip().lower() not in _AS_IT_IS:
            raise Problem(415, "Send the file's bytes as they are, without Content-Transfer-Encoding.")
        name = safe_name(part.filename or "file")
        pieces = _pieces(part)
        first = await anext(pieces, b"")
        if not first:
            raise wrong_field("file", "is empty")
        kind = self._type(name, first[:HEAD_BYTES])
        await self._begin(name, kind)
        size = await self._bytes(first, pieces)
        assert self.file_id is not None
        await self._door.store.do(finish_files, Whole(self.file_id, size))
        return {"id": self.file_id, "name": name, "type": kind, "size": size}

    def _type(self, name: str, head: bytes) -> str:
        """What the file is, whatever its sender says. Raises Problem 415 where this source does not take it."""
        allowed = self._source.file_types
        try:
            kind = type_of(name, head)
        except Mismatch as mismatch:
            raise Problem(415, str(mismatch)) from None
        if not is_among(kind, allowed):
            raise Problem(415, f"This file is {kind}. Taken here are only {', '.join(allowed)}.")
        return kind

    async def _begin(self, name: str, kind: str) -> None:
        """Makes the file known, and takes the room that it may need."""
        door = self._door
        self.file_id = secrets.token_hex(12)
        new = NewFile(
            self.file_id,
            self._conversation_id,
            name,
            kind,
            door.clock.now(),
            reserved=self._most_bytes,
            most_of_conversation=MOST_OF_CONVERSATION,
            most_in_all=door.most_file_bytes(),
            counts_for=UPLOAD_SECONDS,
        )
        try:
            await door.store.do(put_files, new)
        except ConversationFull:
            most = MOST_OF_CONVERSATION / (1024 * 1024)
            raise Problem(413, f"The files of one conversation may have {most:g} MB together.") from None
        except StoreFull:
            raise Problem(
                503, "There is no room for files just now. Words are taken.", retry_after=_FULL_RETRY
            ) from None

    async def _bytes(self, first: bytes, rest: AsyncIterator[bytes]) -> int:
        assert self.file_id is not None
        size, n, piece = 0, 0, first
        while piece:
            size += len(piece)
            if size > self._source.max_file_bytes:
                raise _too_large(self._source)
            await self._door.store.do(put_chunks, Chunk(self.file_id, n, piece))
            n, piece = n + 1, await anext(rest, b"")
        return size


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    reader = await request.multipart()
    for _ in range(_MOST_PARTS):
        part = await reader.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader):
            raise Problem(422, "The body's parts must not be multipart themselves.")
        yield part
    raise Problem(422, f"The body has more than {_MOST_PARTS} parts.")


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    """Pieces of CHUNK_BYTES, the last one smaller, however small they arrive."""
    piece = bytearray()
    while chunk := await part.read_chunk(CHUNK_BYTES):
        piece += chunk
        while len(piece) >= CHUNK_BYTES:
            yield bytes(piece[:CHUNK_BYTES])
            del piece[:CHUNK_BYTES]
    if piece:
        yield bytes(piece)


async def _small(part: BodyPartReader) -> bytes:
    raw = bytearray()
    while chunk := await part.read_chunk():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise Problem(413, f"A field is larger than {MOST_BYTES} bytes.")
    return bytes(raw)


async def _small_text(part: BodyPartReader) -> str | None:
    raw = await _small(part)
    try:
        text = clean(raw.decode())
    except ValueError:
        raise wrong_field("text", "must be UTF-8 without NUL") from None
    return not_too_long(text, "text") if is_visible(text) else None


def _too_large(source: SourceView) -> Problem:
    return Problem(413, f"Files may have at most {source.max_file_bytes / (1024 * 1024):g} MB.")


def safe_name(name: str) -> str:
    """A file name without path, control characters or direction marks."""
    whole = name.encode("utf-8", errors="ignore").decode()
    last = whole.replace("\\", "/").rpartition("/")[2]
    return shortened(_NOT_IN_NAMES.sub("_", last).strip(" ."), _LONGEST_NAME) or "file"
