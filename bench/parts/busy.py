"""How cost grows: a customer with thousands of waiting messages, and many open conversations."""

from __future__ import annotations

import time
from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy import Connection, insert

from bench.processes import folder
from bench.table import Shown, ms, rate, times
from bridge.domain.conversation.model import SourceRules
from bridge.domain.duty.roster import Agent, Roster, Route, Team
from bridge.service.policy import Policy
from bridge.store import deciding, inbox, outbox, policies, settling
from bridge.store.engine.migrate import migrate
from bridge.store.engine.open import open_engine
from bridge.store.guests import Budget
from bridge.store.tables import conversations, guests
from config.texts import Texts

BUDGET = Budget(700, 0.8)
_ROSTER = Roster(
    {"amy": Agent("amy", "amy@x.example", "Amy")}, {"d": Team("d", "UTC", ("amy",))}, (Route("d"),)
)

POLICY = Policy(_ROSTER, Texts(), {}, SourceRules(idle_seconds=0))


def measure(quick: bool) -> Shown:
    shown = Shown(
        "The store alone: 500 new customers accepted, decided and settled",
        ("beside", "events/s", "one claim", "ratio"),
        note="ratio: to an empty store",
    )
    base = None
    for name, open_ones, waiting in (
        ("an empty store", 0, 0),
        ("one customer with 2 000 waiting", 0, 2_000),
        ("1 000 open conversations", 1_000, 0),
        ("10 000 open conversations", 10_000, 0),
        *(() if quick else (("100 000 open conversations", 100_000, 0),)),
    ):
        with folder() as where:
            speed, claimed = _round(where, open_ones, waiting)
        base = base or speed
        shown.add(name, rate(speed), ms(claimed), times(speed / base))
    return shown


def _round(where: Path, open_ones: int, waiting: int) -> tuple[float, float]:
    engine = open_engine(f"sqlite:///{where}/x.db", writes=True)
    migrate(engine)
    with engine.begin() as connection:
        _fill(connection, open_ones)
    now = time.time()
    if waiting:
        with engine.begin() as connection:
            inbox.accept(connection, [arrival(f"busy{n}", "busy", now) for n in range(waiting)])
        _decide(engine, now)
    began = time.perf_counter()
    with engine.begin() as connection:
        inbox.accept(connection, [arrival(f"e{n}", f"s{n}", now) for n in range(500)])
    _decide(engine, now)
    before = time.perf_counter()
    with engine.begin() as connection:
        (works,) = outbox.claim(connection, [outbox.Claim("say", "p", now + 1, 10, 1_000, BUDGET)])
    claimed = time.perf_counter() - before
    with engine.begin() as connection:
        settling.settle(
            connection, [settling.Settled(work, "done", now, 10, budget=BUDGET) for work in works]
        )
    seconds = time.perf_counter() - began
    engine.dispose()
    return 500 / seconds, claimed


def _decide(engine: object, now: float) -> None:
    while True:
        with engine.begin() as connection:  # type: ignore[attr-defined]
            policies.adopt(connection, [policies.Adopted("p", POLICY)])
            if not deciding.work(connection, [deciding.Round(now + 1, "p")])[0].more:
                return


def arrival(key: str, subject: str, now: float) -> inbox.Arrival:
    opening = inbox.Opening(
        conversation_id=f"c-{subject}",
        subject=subject,
        display_name="Ada",
        name_key="k",
        guest_id=f"g-{subject}",
        named_guest_id=f"n-{subject}",
        rename="rename",
    )
    return inbox.Arrival(
        key=key,
        kind="requested",
        source="kiosk",
        body=f'{{"ids":["{key}"],"at":{now},"message":"hello"}}',
        at=now,
        customer=subject,
        opening=opening,
    )


def _fill(connection: Connection, number: int) -> None:
    """Open conversations whose guests have a token."""
    now, sealed = time.time(), Fernet(Fernet.generate_key()).encrypt(b"x" * 2_000).decode()
    for start in range(0, number, 5_000):
        some = range(start, min(number, start + 5_000))
        connection.execute(
            insert(guests),
            [
                {"id": f"o{n}", "customer": f"o{n}", "display_name": "Ada", "name_key": "k", "token": sealed,
                 "token_issued_at": now, "token_expires_at": now + 64_000, "reissue_at": now + 50_000,
                 "open_conversations": 1, "created_at": now}
                for n in some
            ],
        )  # fmt: skip
        connection.execute(
            insert(conversations),
            [
                {"id": f"o{n}", "source": "kiosk", "customer": f"o{n}", "subject": f"o{n}", "display_name": "Ada",
                 "guest_id": f"o{n}", "status": "open", "accepting": 1, "team": "d", "agent": "amy",
                 "agent_email": "amy@x.example", "created_at": now}
                for n in some
            ],
        )  # fmt: skip
