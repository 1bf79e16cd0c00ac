"""Customers' files on their way to Webex, in pieces, so that no one transaction is long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bridge.store.tables import file_chunks, files

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    file_id: str
    n: int
    data: bytes


def put_chunks(connection: Connection, chunks: Sequence[Chunk]) -> list[None]:
    connection.execute(
        insert(file_chunks), [{"file_id": one.file_id, "n": one.n, "data": one.data} for one in chunks]
    )
    return [None] * len(chunks)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file whose bytes are about to come. The row goes first: should we die meanwhile, the bytes are not
    forgotten by whoever removes the conversation."""

    id: str
    conversation_id: str
    name: str
    type: str
    at: float


def put_files(connection: Connection, new: Sequence[NewFile]) -> list[None]:
    rows = [
        {
            "id": one.id,
            "conversation_id": one.conversation_id,
            "name": one.name,
            "type": one.type,
            "size": 0,
            "url": None,
            "created_at": one.at,
        }
        for one in new
    ]
    connection.execute(insert(files), rows)
    return [None] * len(new)


@dataclass(frozen=True, slots=True)
class Whole:
    """A file all of whose bytes are in the store."""

    file_id: str
    size: int


def finish_files(connection: Connection, done: Sequence[Whole]) -> list[None]:
    rows = [{"file": one.file_id, "bytes": one.size} for one in done]
    connection.execute(_FINISH, rows)
    return [None] * len(done)


_FINISH = update(files).where(files.c.id == bindparam("file")).values(size=bindparam("bytes"))


def drop_files(connection: Connection, ids: Sequence[str]) -> list[None]:
    """An upload that was not finished leaves nothing."""
    connection.execute(delete(file_chunks).where(file_chunks.c.file_id.in_(ids)))
    connection.execute(delete(files).where(files.c.id.in_(ids)))
    return [None] * len(ids)


def read_chunk(connection: Connection, file_id: str, n: int) -> bytes | None:
    query = select(file_chunks.c.data).where(file_chunks.c.file_id == file_id, file_chunks.c.n == n)
    data = connection.execute(query).scalar()
    return bytes(data) if data is not None else None
