"""News between processes on one PostgreSQL: NOTIFY tells, LISTEN hears. Only a hint; a poll is the floor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

import psycopg
import structlog
from sqlalchemy import Connection, text

from bridge.store.engine.open import postgres_options

_CHANNEL = "bridge_news"
_MOST_BYTES = 7000  # PostgreSQL takes 8000
_AGAIN_SECONDS = 5.0


def announce(connection: Connection, news: Sequence[frozenset[str]]) -> list[None]:
    """Tells every process that these topics have news. On SQLite there is nobody else to tell."""
    if connection.dialect.name != "sqlite":
        for payload in _packed(sorted(frozenset().union(*news))):
            connection.execute(
                text("SELECT pg_notify(:channel, :payload)"), {"channel": _CHANNEL, "payload": payload}
            )
    return [None] * len(news)


def _packed(topics: Iterable[str]) -> list[str]:
    packed: list[list[str]] = [[]]
    size = 0
    for topic in topics:
        if size + len(topic.encode()) + 1 > _MOST_BYTES:
            packed.append([])
            size = 0
        packed[-1].append(topic)
        size += len(topic.encode()) + 1
    return ["\n".join(one) for one in packed if one]


async def hear(url: str, tell: Callable[[Iterable[str]], None]) -> None:
    """Listens until cancelled; a connection that breaks, or a pooler that cannot do it, is tried again."""
    log = structlog.get_logger()
    address, options = url.replace("postgresql+psycopg://", "postgresql://"), postgres_options(url)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                address, autocommit=True, **options
            ) as connection:
                await connection.execute(f"LISTEN {_CHANNEL}")
                async for notice in connection.notifies():
                    tell(notice.payload.split("\n"))
        except psycopg.Error as error:
            log.warning("news.not_heard", reason=type(error).__name__)
        await asyncio.sleep(_AGAIN_SECONDS)
