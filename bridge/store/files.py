"""Customers' files on their way to Webex, in pieces, so that no one transaction is long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, tuple_, update

from bridge.domain.elapsed import long_ago
from bridge.store.tables import deliveries, envelopes, file_chunks, files, messages
from bridge.store.upkeep import known_jumps

CHUNK_BYTES = 256 * 1024
_AT_ONCE = 100
UNCLAIMED_SECONDS = 3600.0  # longer than any upload takes


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
    forgotten by whoever removes the conversation.

    `reserved`: how many bytes may come; they count until it is whole, but no longer than `counts_for` seconds.
    """

    id: str
    conversation_id: str
    name: str
    type: str
    at: float
    reserved: int
    most_of_conversation: int
    most_in_all: int
    counts_for: float


class ConversationFull(Exception):
    """The conversation's files have as many bytes as they may have."""


class StoreFull(Exception):
    """All customers' files together have as many bytes as they may have."""


def put_files(connection: Connection, new: Sequence[NewFile]) -> list[Exception | None]:
    """Makes each file known for which there is room; else ConversationFull or StoreFull, as a value."""
    return [_put_file(connection, one) for one in new]


def _put_file(connection: Connection, one: NewFile) -> Exception | None:
    coming = case((files.c.created_at > one.at - one.counts_for, files.c.reserved), else_=0)
    held = select(func.coalesce(func.sum(files.c.size + coming), 0)).where(files.c.url.is_(None))
    mine = connection.execute(held.where(files.c.conversation_id == one.conversation_id)).scalar_one()
    if mine + one.reserved > one.most_of_conversation:
        return ConversationFull()
    if connection.execute(held).scalar_one() + one.reserved > one.most_in_all:
        return StoreFull()
    row = {
        "id": one.id,
        "conversation_id": one.conversation_id,
        "name": one.name,
        "type": one.type,
        "size": 0,
        "reserved": one.reserved,
        "url": None,
        "created_at": one.at,
    }
    connection.execute(insert(files), [row])
    return None


@dataclass(frozen=True, slots=True)
class Whole:
    """A file all of whose bytes are in the store."""

    file_id: str
    size: int


def finish_files(connection: Connection, done: Sequence[Whole]) -> list[None]:
    rows = [{"file": one.file_id, "bytes": one.size} for one in done]
    connection.execute(_FINISH, rows)
    return [None] * len(done)


_FINISH = update(files).where(files.c.id == bindparam("file")).values(size=bindparam("bytes"), reserved=0)


def drop_files(connection: Connection, ids: Sequence[str]) -> list[None]:
    """An upload that was not finished, or not taken, leaves nothing.

    Whoever asks may not know whether the words that came with it are stored: then the file stays.
    """
    query = select(files.c.id, files.c.conversation_id).where(files.c.id.in_(ids))
    known = {row.id: row.conversation_id for row in connection.execute(query)}
    _remove(connection, [one for one in ids if not _belongs(connection, one, known.get(one, ""))])
    return [None] * len(ids)


drop_files.rank = 1  # type: ignore[attr-defined]  # after the words of the same transaction, which it must see


@dataclass(frozen=True, slots=True)
class Sweep:
    """Looks for files that belong to no words an hour after they came, from `behind` (a time and an id) on."""

    now: float
    behind: tuple[float, str] = (0.0, "")


def sweep_files(connection: Connection, sweeps: Sequence[Sweep]) -> list[tuple[tuple[float, str], bool]]:
    """Removes what an upload left behind whose process died; how far it looked, and whether there is more."""
    return [_sweep(connection, one) for one in sweeps]


def _sweep(connection: Connection, sweep: Sweep) -> tuple[tuple[float, str], bool]:
    f = files.c
    before = long_ago(sweep.now, UNCLAIMED_SECONDS, known_jumps(connection))
    query = (
        select(f.id, f.conversation_id, f.created_at)
        .where(f.url.is_(None), f.created_at < before, tuple_(f.created_at, f.id) > sweep.behind)
        .order_by(f.created_at, f.id)
        .limit(_AT_ONCE)
    )
    rows = connection.execute(query).all()
    _remove(connection, [row.id for row in rows if not _belongs(connection, row.id, row.conversation_id)])
    return (rows[-1].created_at, rows[-1].id) if rows else sweep.behind, len(rows) == _AT_ONCE


def _belongs(connection: Connection, file_id: str, conversation_id: str) -> bool:
    """Whether words of this conversation have the file: said, still to be decided, or a dead letter."""
    places = (
        (messages.c.conversation_id, messages.c.files),
        (envelopes.c.conversation_id, envelopes.c.body),
        (deliveries.c.conversation_id, deliveries.c.payload),
    )
    return any(
        connection.execute(
            select(mine).where(mine == conversation_id, content.contains(file_id)).limit(1)
        ).first()
        for mine, content in places
    )


def _remove(connection: Connection, ids: Sequence[str]) -> None:
    if ids:
        connection.execute(delete(file_chunks).where(file_chunks.c.file_id.in_(ids)))
        connection.execute(delete(files).where(files.c.id.in_(ids)))


def read_chunk(connection: Connection, file_id: str, n: int) -> bytes | None:
    query = select(file_chunks.c.data).where(file_chunks.c.file_id == file_id, file_chunks.c.n == n)
    data = connection.execute(query).scalar()
    return bytes(data) if data is not None else None
