"""A store of each kind on a clock that tests move."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from cryptography.fernet import Fernet

from bridge.domain.conversation.desk import Desk, DutyBook
from bridge.domain.conversation.model import SourceRules
from bridge.domain.duty.roster import Agent, Roster, Route, Team
from bridge.store import deciding, inbox, outbox, policies, settling, tokens
from bridge.store.guests import Budget
from bridge.store.inbox import Arrival, Opening
from bridge.store.outbox import Claim, Work
from bridge.store.settling import Settled
from bridge.store.store import Store
from bridge.store.vault import Cipher

NOW = 1_795_300_000.0
BUDGET = Budget(3, 0.8)
LEASE = 10.0


@dataclass
class Clock:
    at: float = NOW

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def chance(self) -> float:
        return 0.5


def roster(capacity: int | None = None) -> Roster:
    agents = {"amy": Agent("amy", "amy@example.com", "Amy", capacity=capacity)}
    return Roster(agents, {"front": Team("front", "UTC", ("amy",))}, (Route("front"),))


class Policy:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.book = DutyBook(bench.roster)

    def desk(self, states, queued, _overrides) -> Desk:
        return Desk(self.book, states, queued)

    def rules(self, _source: str) -> SourceRules:
        return self.bench.rules

    def say(self, _now: float, key: str, _conversation, **_values) -> str:
        return key

    def leads(self, _team: str | None) -> tuple[str, ...]:
        return ()

    def new_id(self) -> str:
        return f"n{next(self.bench.ids)}"


@dataclass
class Bench:
    """The store with what its operations need, in few words."""

    store: Store
    clock: Clock
    roster: Roster = field(default_factory=roster)
    rules: SourceRules = field(default_factory=lambda: SourceRules(idle_seconds=0, callback=True))
    ids: itertools.count = field(default_factory=itertools.count)
    adopted: Roster | None = None
    lookers: dict[str, Work] = field(default_factory=dict)  # what each owner is about to say

    def arrival(
        self, key: str, subject: str = "ada", kind: str = "requested", name: str = "Ada", **more
    ) -> Arrival:
        rename = more.pop("rename", "new-guest")
        opening = Opening(
            conversation_id=f"c{next(self.ids)}",
            subject=subject,
            display_name=name,
            name_key=f"key of {name}",
            guest_id=f"g-{subject}",
            named_guest_id=f"g-{subject}-{name}",
            rename=rename,
        )
        text = more.pop("text", key)
        values = {
            "key": key,
            "kind": kind,
            "source": "kiosk",
            "body": f'{{"ids":["{key}"],"at":{self.clock.at},"message":"{text}"}}',
            "at": self.clock.at,
            "customer": subject,
            "opening": opening if kind == "requested" else None,
        }
        if kind == "ended":
            values["body"] = '{"reason":"source"}'
        return Arrival(**{**values, **more})

    async def accept(self, *args, **more):
        return await self.store.do(inbox.accept, self.arrival(*args, **more))

    async def intake(self) -> deciding.Outcome:
        if self.roster is not self.adopted:
            self.adopted = self.roster
            await self.store.do(policies.adopt, policies.Adopted("p1", Policy(self)))
        return await self.store.do(deciding.work, deciding.Round(self.clock.at, "p1"))

    async def claim(self, owner: str = "p1", limit: int = 100, stage: str = "say") -> list[Work]:
        budget = BUDGET if stage == "say" else None
        return await self.store.do(outbox.claim, Claim(stage, owner, self.clock.at, LEASE, limit, budget))

    async def take(self, owner: str = "p1", stage: str = "say") -> list[Work]:
        """Claims, and gives each guest that needs one a token, as a worker does first."""
        works = await self.claim(owner, stage=stage)
        for work in works:
            if work.guest is not None and work.guest.grant_at is not None:
                await self.mint(work, life=10_000)
        return works

    async def settle(self, work: Work, outcome: str = "done", **more) -> settling.Next:
        more.setdefault("budget", BUDGET if work.stage == "say" else None)
        return await self.store.do(settling.settle, Settled(work, outcome, self.clock.at, LEASE, **more))

    async def mint(self, work: Work, life: float = 100.0) -> None:
        """The guest of this work gets a token."""
        assert work.guest is not None
        assert work.guest.grant_at is not None
        await self.store.do(
            tokens.save_tokens,
            tokens.Minted(
                guest_id=work.guest.id,
                grant_at=work.guest.grant_at,
                token=self.store.cipher.seal("token"),
                issued_at=self.clock.at,
                expires_at=self.clock.at + life,
                reissue_at=self.clock.at + life * 0.8,
                name=work.guest.display_name,
                person_id="person",
                email="guest@example.com",
            ),
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bench(database_url: str, clock: Clock) -> AsyncIterator[Bench]:
    store = Store(database_url, Cipher([Fernet.generate_key().decode()]), clock, "p1")
    await store.start()
    yield Bench(store, clock)
    await store.stop()
