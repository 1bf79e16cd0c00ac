"""One run: everything is started, sent, killed, waited for, and judged."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from cryptography.fernet import Fernet

from bench import postgres
from bench.torture.crowd import Agents, Customer, Tally
from bench.torture.herd import BUDGET, Balancer, Herd
from bench.torture.options import Options
from bench.torture.verdict import Story, Verdict, judge, told_early
from bench.torture.weather import Weather
from bridge.simulator import Simulator, World


@dataclass
class Report:
    options: Options
    tally: Tally
    kills: int
    faults: dict[str, int]
    places: dict[str, int]
    calls: dict[str, int]
    stories: Sequence[Story]
    most_tokens: int
    violations: Sequence[str]
    forgotten: int  # 429s that a process read and was killed before writing down
    verdict: Verdict
    quiet: bool
    seconds: float
    logs: Path | None

    @property
    def kept(self) -> bool:
        return self.quiet and self.verdict.kept


@contextlib.contextmanager
def _database(options: Options, folder: Path) -> Iterator[str]:
    if options.database == "sqlite":
        yield f"sqlite:///{folder}/bridge.db"
    elif options.database == "postgres":
        with postgres.server() as server:
            yield server.new_database()
    else:
        yield options.database


async def perform(options: Options) -> Report:
    """Raises NoPostgres, or RuntimeError where the bridge does not start."""
    folder = Path(tempfile.mkdtemp(prefix="bridge-torture-"))
    with _database(options, folder) as database:
        report = await _perform(options, folder, database)
    if report.kept:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        report.logs = folder
    return report


async def _perform(options: Options, folder: Path, database: str) -> Report:
    chance = random.Random(options.seed)
    world = World(seed=options.seed)
    stories = {name: Story(name) for name in (f"c{n}" for n in range(options.subjects))}
    tally = Tally()
    begun = time.monotonic()
    async with (
        Balancer(chance) as balancer,
        Simulator(world) as sim,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        public = balancer.url if options.replies == "webhook" else None
        herd = Herd(folder, sim.url, database, Fernet.generate_key().decode(), options.processes, public)
        balancer.ports = [int(member.url.rpartition(":")[2]) for member in herd.members]
        agents = Agents(world, stories, chance)
        urls = [member.url for member in herd.members]
        customers = [Customer(story, urls, session, chance, tally) for story in stories.values()]
        try:
            await herd.start()
            weather = Weather(world, options)
            quiet = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(options.seconds):
                    await _storm(options, customers, herd, chance)
                    weather.clear()
                    await _calm(customers, agents)
                    await asyncio.sleep(options.linger)
                    quiet = True
            await asyncio.gather(*(customer.look() for customer in customers))
            oddities = [f"{name} died by itself" for name in herd.fallen()]
        finally:
            herd.stop()
    early, forgotten = told_early(world.calls, herd.kills)
    expired = [
        f"{call.method} {call.path} by {call.owner}, expired" for call in world.calls if call.token_expired
    ]
    told = [*early, *expired, *oddities]
    verdict = judge(list(stories.values()), told, world.most_tokens, BUDGET)
    return Report(
        options=options, tally=tally, kills=len(herd.kills), faults=weather.counts(), places=weather.places(),
        calls=Counter(f"{call.method} {_place(call.path)}" for call in world.calls),
        stories=list(stories.values()), most_tokens=world.most_tokens, violations=[*early, *expired],
        forgotten=forgotten, verdict=verdict, quiet=quiet, seconds=time.monotonic() - begun, logs=None,
    )  # fmt: skip


async def _storm(options: Options, customers: Sequence[Customer], herd: Herd, chance: random.Random) -> None:
    """Everything at once; over when every event is acknowledged and the last process was killed."""
    share, more = divmod(options.events, len(customers))
    async with asyncio.TaskGroup() as group:
        group.create_task(herd.torment(options.kills, options.spread, chance))
        for number, customer in enumerate(customers):
            group.create_task(customer.talk(share + (number < more), options.spread))


async def _calm(customers: Sequence[Customer], agents: Agents) -> None:
    """Until nothing is under way any more: all words sent, all answers shown."""
    waiting = list(customers)
    while waiting or agents.busy:
        await asyncio.sleep(0.3)
        done = await asyncio.gather(*(customer.look() for customer in waiting))
        waiting = [customer for customer, complete in zip(waiting, done, strict=True) if not complete]
        if not waiting:  # an agent may have answered somebody whom we had done with
            waiting = [one for one in customers if len(one.story.shown) < len(one.story.said)]


def _place(path: str) -> str:
    """`/v1/messages/direct` and `/v1/messages/{id}` alike are a read of messages."""
    return "/" + "/".join(path.split("/")[2 : 4 if path.startswith(("/v1/guests", "/v1/access")) else 3])
