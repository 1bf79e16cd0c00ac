"""A customer's file: read in pieces, counted, written to the store as it comes."""

from __future__ import annotations

import hashlib
import re
import secrets
from fnmatch import fnmatchcase

from aiohttp import BodyPartReader, web

from bridge.store.files import CHUNK_BYTES, Chunk, NewFile, drop_files, put_chunks, put_files
from bridge.store.reads import file_of
from handlers.door import Door
from handlers.events import Words, clean
from handlers.problems import Problem
from handlers.reading import MOST_BYTES
from handlers.sources import SourceView

_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


async def receive_upload(
    request: web.Request, door: Door, conversation_id: str, source_name: str, key: str | None
) -> Words:
    """The words of a multipart body with one file and, if wanted, a `text`. Raises Problem.

    The file's id comes from the Idempotency-Key, so that a repeat finds the file that is there already.
    """
    if "Content-Encoding" in request.headers:
        raise Problem(415, "Send the body as it is, without Content-Encoding.")
    source = door.source(source_name)
    unique = key or secrets.token_hex(16)
    file_id = hashlib.sha256(
        f"upload\n{conversation_id}\n{unique}".encode(errors="surrogateescape")
    ).hexdigest()[:24]
    text: str | None = None
    file: dict[str, object] | None = None
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise Problem(422, "The body's parts must not be multipart themselves.")
            if part.filename is None and part.name == "text":
                text = await _small_text(part)
            elif file is None:
                file = await _store_file(part, door, source, conversation_id, file_id)
            else:
                raise Problem(422, "Send one file at a time.")
    except (ValueError, LookupError, RuntimeError) as error:
        raise Problem(400, f"The body is not multipart/form-data: {str(error)[:100]}") from None
    if file is None:
        raise Problem(422, "Some fields are wrong.", errors=[{"field": "file", "detail": "is required"}])
    return Words(text, (file,))  # type: ignore[arg-type]


async def _small_text(part: BodyPartReader) -> str | None:
    raw = await part.read()
    if len(raw) > MOST_BYTES:
        raise Problem(413, f"The text is larger than {MOST_BYTES} bytes.")
    try:
        text = clean(raw.decode())
    except ValueError:
        raise Problem(
            422, "Some fields are wrong.", errors=[{"field": "text", "detail": "is not a text"}]
        ) from None
    return text if text.strip() else None


async def _store_file(
    part: BodyPartReader, door: Door, source: SourceView, conversation_id: str, file_id: str
) -> dict[str, object]:
    kind = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip().lower()
    name = safe_name(part.filename or "file")
    if not any(fnmatchcase(kind, pattern) for pattern in source.file_types):
        allowed = ", ".join(source.file_types)
        raise Problem(415, f"Files of the type {kind[:80]} are not taken here, only {allowed}.")
    known = await door.store.read(file_of, file_id)
    if known is not None:  # a repeat: the bytes are read and forgotten
        while await part.read_chunk(CHUNK_BYTES):
            pass
        return {"id": known.id, "name": known.name, "type": known.type, "size": known.size}
    size = await _store_bytes(part, door, source, file_id)
    await door.store.do(put_files, NewFile(file_id, conversation_id, name, kind, size, door.clock.now()))
    return {"id": file_id, "name": name, "type": kind, "size": size}


async def _store_bytes(part: BodyPartReader, door: Door, source: SourceView, file_id: str) -> int:
    await door.store.do(drop_files, file_id)  # what an upload that broke off left
    size = n = 0
    done = False
    try:
        while chunk := await part.read_chunk(CHUNK_BYTES):
            size += len(chunk)
            if size > source.max_file_bytes:
                raise Problem(413, f"Files may have at most {source.max_file_bytes // (1024 * 1024)} MB.")
            await door.store.do(put_chunks, Chunk(file_id, n, bytes(chunk)))
            n += 1
        if not size:
            raise Problem(422, "Some fields are wrong.", errors=[{"field": "file", "detail": "is empty"}])
        done = True
    finally:
        if not done:
            await door.store.do(drop_files, file_id)
    return size


def safe_name(name: str) -> str:
    """A file name without path, control characters or direction marks."""
    cleaned = _NOT_IN_NAMES.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    return cleaned.encode("utf-8", errors="ignore").decode()[:150] or "file"
