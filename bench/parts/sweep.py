"""A million guests of whom a thousand are due: the sweep touches the thousand."""

from __future__ import annotations

import resource
import sqlite3
import time

from cryptography.fernet import Fernet
from sqlalchemy import insert, text

from bench.processes import folder
from bench.table import Shown, ms, times
from bridge.store.engine.migrate import migrate
from bridge.store.engine.open import open_engine
from bridge.store.guests import Budget
from bridge.store.tables import guests
from bridge.store.tokens import Due, next_due, take_due

_DUE = 1_000


def measure(quick: bool) -> Shown:
    sizes = (1_000, 10_000, 100_000) if quick else (1_000, 100_000, 1_000_000)
    shown = Shown(
        f"Re-issue sweep: {_DUE} guests due among so many",
        ("guests", "look for due", "take the due", "to the smallest", "memory added"),
        note="the plan of the look: " + _plan(),
    )
    base = None
    for size in sizes:
        look, take, grown = _sweep(size)
        base = base or take
        shown.add(f"{size:,}", ms(look), ms(take), times(take / base), f"{grown / 1024:,.1f} MiB")
    return shown


def _sweep(size: int) -> tuple[float, float, int]:
    with folder() as where:
        engine = open_engine(f"sqlite:///{where}/x.db", writes=True)
        migrate(engine)
        now = time.time()
        sealed = Fernet(Fernet.generate_key()).encrypt(b"x" * 2_000).decode()
        with engine.begin() as connection:
            for start in range(0, size, 10_000):
                rows = [_row(number, now, sealed) for number in range(start, min(size, start + 10_000))]
                connection.execute(insert(guests), rows)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with engine.begin() as connection:
            began = time.perf_counter()
            next_due(connection)
            looked = time.perf_counter()
            taken = 0
            while found := take_due(connection, [Due(now, Budget(700, 0.8), 200)])[0]:
                taken += len(found)
            took = time.perf_counter()
        assert taken == min(_DUE, size)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        engine.dispose()
        return looked - began, took - looked, after - before


def _row(number: int, now: float, sealed: str) -> dict[str, object]:
    """The first thousand are due; of the others one in ten has an open conversation."""
    due = number < _DUE
    live = due or number % 10 == 0
    return {
        "id": f"wgb-{number:040d}",
        "customer": f"{number:032d}",
        "display_name": "Ada L.",
        "name_key": "k",
        "minted_name": "Ada L.",
        "token": sealed if live else None,
        "token_issued_at": now - 900,
        "token_expires_at": now + (100 if due else 64_000),
        "reissue_at": (now - 1 if due else now + 50_000) if live else None,
        "open_conversations": int(live),
        "created_at": now,
    }


def _plan() -> str:
    with folder() as where:
        engine = open_engine(f"sqlite:///{where}/x.db", writes=True)
        migrate(engine)
        with engine.begin() as connection:
            rows = connection.execute(
                text(
                    "EXPLAIN QUERY PLAN SELECT id FROM guests WHERE reissue_at <= 1 ORDER BY reissue_at LIMIT 200"
                )
            ).all()
        engine.dispose()
    return f"{'; '.join(row[3] for row in rows)} (SQLite {sqlite3.sqlite_version})"
