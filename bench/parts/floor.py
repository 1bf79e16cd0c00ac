"""What the disk and the database cost by themselves, and what one event asks of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench import postgres
from bench.parts.busy import BUDGET, POLICY, arrival
from bench.processes import folder
from bench.table import Shown, ms, rate
from bridge.store import deciding, inbox, outbox, policies, settling, tokens
from bridge.store.engine.committer import Committer
from bridge.store.engine.migrate import migrate
from bridge.store.engine.open import open_engine

_ROW = ("x" * 200,)


def measure(quick: bool) -> list[Shown]:
    return [_commits(100 if quick else 1_000), _statements()]


def _commits(number: int) -> Shown:
    shown = Shown(
        "A bare commit, on disk when it returns", ("where", "rows in it", "commits/s", "rows/s", "one commit")
    )
    with folder() as where:
        connection = sqlite3.connect(where / "x.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE t (a TEXT)")
        for rows in (1, 64):
            _add(shown, "SQLite, synchronous=FULL", rows, number, _sqlite(connection, rows))
        connection.close()
    with postgres.server() as server, psycopg.connect(server.new_database(), autocommit=True) as connected:
        connected.execute("CREATE TABLE t (a TEXT)")
        for rows in (1, 64):
            _add(shown, "PostgreSQL, synchronous_commit=on", rows, number, _postgres(connected, rows))
    return shown


def _sqlite(connection: sqlite3.Connection, rows: int) -> Callable[[], None]:
    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO t VALUES (?)", [_ROW] * rows)
        connection.execute("COMMIT")

    return commit


def _postgres(connection: psycopg.Connection[Any], rows: int) -> Callable[[], None]:
    def commit() -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s)", [_ROW] * rows)

    return commit


def _add(shown: Shown, name: str, rows: int, number: int, commit: Callable[[], None]) -> None:
    began = time.perf_counter()
    for _ in range(number):
        commit()
    seconds = time.perf_counter() - began
    shown.add(name, rows, rate(number / seconds), rate(number * rows / seconds), ms(seconds / number))


def _statements() -> Shown:
    """Of the store's own operations, as the service submits them when nothing goes wrong."""
    shown = Shown(
        "What new customers' events ask of SQLite, from the door to the words in Webex",
        ("events together", "commits", "statements", "commits for each", "statements for each"),
        note="accepted, decided and claimed in the first commit; token and outcome in the second",
    )
    for together in (1, 8, 64):
        with folder() as where:
            said = _asked(where, together)
        commits = said.count("COMMIT")
        statements = len(said) - 2 * commits  # BEGIN and COMMIT aside
        shown.add(together, commits, statements, f"{commits / together:.2f}", f"{statements / together:.1f}")
    return shown


def _asked(where: Path, together: int) -> list[str]:
    """The statements that SQLite was given."""
    url = f"sqlite:///{where}/x.db"
    migrate(open_engine(url, writes=True))
    engine = open_engine(url, writes=True)
    said: list[str] = []
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(lambda text: said.append(text))
    committer, now = Committer(engine), time.time()
    committer.commit([(policies.adopt, policies.Adopted("p", POLICY))])
    said.clear()
    calls: list[tuple[Any, Any]] = [
        (inbox.accept, arrival(f"e{number}", f"s{number}", now)) for number in range(together)
    ]
    calls.append((deciding.work, deciding.Round(now, "p")))
    calls.append((outbox.claim, outbox.Claim("say", "p", now, 10, 256, BUDGET)))
    works: Sequence[outbox.Work] = committer.commit(calls)[-1]
    committer.commit(
        [(tokens.save_tokens, _minted(work, now)) for work in works]
        + [(settling.settle, _sent(work, now)) for work in works]
    )
    committer.hang_up()
    engine.dispose()
    return said


def _minted(work: outbox.Work, now: float) -> tokens.Minted:
    assert work.guest is not None
    assert work.guest.grant_at is not None
    return tokens.Minted(
        work.guest.id,
        work.guest.grant_at,
        "x" * 400,
        now,
        now + 64_000,
        now + 50_000,
        "Ada",
        "person",
        "mail",
    )


def _sent(work: outbox.Work, now: float) -> settling.Settled:
    return settling.Settled(
        work,
        "done",
        now,
        10,
        webex_id=f"w{work.id}",
        room_id="room",
        webex_created=now,
        listen_at=now + 30,
        budget=BUDGET,
    )
