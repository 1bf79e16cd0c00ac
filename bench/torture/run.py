"""One run: everything is started, sent, killed, waited for, and judged."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from cryptography.fernet import Fernet

from bench import postgres
from bench.torture.agents import REFUSING, Agents
from bench.torture.balancer import Balancer
from bench.torture.customers import Customer, Tally
from bench.torture.herd import BUDGET, Herd
from bench.torture.options import Options
from bench.torture.retell import retell
from bench.torture.story import Story
from bench.torture.verdict import Verdict, judge, told_early, waiting
from bench.torture.weather import Weather
from bridge.simulator import Simulator, World

# Which subjects live through what: of twenty, so many; the others have the desk's plain visits.
_MODES = (("moves", "swap", 4), ("moves", "quick", 3), ("agents", "far", 2), ("guests", "guest", 2))


@dataclass
class Report:
    options: Options
    tally: Tally
    herd: Herd
    faults: Mapping[str, int]
    places: Mapping[str, int]
    calls: Mapping[str, int]
    stories: Sequence[Story]
    most_tokens: int
    violations: Sequence[str]
    forgotten: int  # 429s that a process read and was killed or frozen before writing down
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
        (folder / "stories.txt").write_text("\n".join(map(retell, report.stories)))
    return report


async def _perform(options: Options, folder: Path, database: str) -> Report:
    chance = random.Random(options.seed)
    world = World(seed=options.seed)
    world.add_person(REFUSING, "Di")
    stories = {story.subject: story for story in _stories(options)}
    tally = Tally()
    begun = time.monotonic()
    async with (
        Balancer(chance) as balancer,
        Simulator(world) as sim,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        public = balancer.url if options.replies == "webhook" else None
        herd = Herd(folder, sim.url, database, Fernet.generate_key().decode(), options, public)
        balancer.ports = [int(member.url.rpartition(":")[2]) for member in herd.members]
        urls = [member.url for member in herd.members]
        try:
            await herd.start()
            weather = Weather(world, options, chance)
            agents = Agents(world, stories, chance, options, weather)
            ends = "ends" in options.also
            customers = [
                Customer(story, urls, session, chance, tally, ends, agents.over) for story in stories.values()
            ]
            quiet = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(options.seconds):
                    await _storm(options, customers, herd, weather, chance)
                    agents.calm = True
                    weather.clear()
                    for subject in weather.refused():
                        stories[subject].refused = True
                    await _calm(customers, agents)
                    await asyncio.sleep(options.linger)
                    quiet = True
            await asyncio.gather(*(customer.look_at_all() for customer in customers))
            oddities = [f"{name} died by itself" for name in herd.fallen()]
        finally:
            herd.stop()
    for subject in weather.refused():
        stories[subject].refused = True
    early, forgotten = told_early(world.calls, herd.kills, herd.freezes)
    expired = [
        f"{call.method} {call.path} by {call.owner}, expired" for call in world.calls if call.token_expired
    ]
    told = [*early, *expired, *oddities]
    verdict = judge(list(stories.values()), told, world.most_tokens, BUDGET, herd.stops)
    return Report(
        options=options, tally=tally, herd=herd, faults=weather.counts(), places=weather.places(),
        calls=Counter(f"{call.method} {_place(call.path)}" for call in world.calls),
        stories=list(stories.values()), most_tokens=world.most_tokens, violations=[*early, *expired],
        forgotten=forgotten, verdict=verdict, quiet=quiet, seconds=time.monotonic() - begun, logs=None,
    )  # fmt: skip


def _stories(options: Options) -> Iterator[Story]:
    modes: list[str] = []
    for also, mode, count in _MODES:
        modes += [mode] * count if also in options.also else []
    modes += ["desk"] * (20 - len(modes))
    for number in range(options.subjects):
        yield Story(f"c{number}", modes[number * 7 % 20])


async def _storm(
    options: Options, customers: Sequence[Customer], herd: Herd, weather: Weather, chance: random.Random
) -> None:
    """Everything at once; over when every event is acknowledged and every trouble has been."""
    share, more = divmod(options.events, len(customers))
    async with asyncio.TaskGroup() as group:
        group.create_task(herd.torment(weather, chance))
        group.create_task(weather.troubles([customer.story for customer in customers]))
        for number, customer in enumerate(customers):
            group.create_task(customer.talk(share + (number < more), options.spread))


async def _calm(customers: Sequence[Customer], agents: Agents) -> None:
    """Until nothing is under way any more: all words sent, all answers shown."""
    left = list(customers)
    while left or agents.busy:
        await asyncio.sleep(0.3)
        await asyncio.gather(*(customer.look_at_all() for customer in left))
        left = [customer for customer in left if not customer.seen or waiting(customer.story)]
        if not left:  # an agent may have written to somebody whom we had done with
            left = [customer for customer in customers if waiting(customer.story)]


def _place(path: str) -> str:
    """`/v1/messages/direct` and `/v1/messages/{id}` alike are a read of messages."""
    return "/" + "/".join(path.split("/")[2 : 4 if path.startswith(("/v1/guests", "/v1/access")) else 3])
