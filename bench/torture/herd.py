"""The processes of one bridge, and what befalls them: kill -9, freezes, clean stops, logs that break."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench.processes import free_port, webex_environment
from bench.torture.member import GONE, PARTS, STUCK, Member
from bench.torture.options import Options
from bench.torture.weather import Weather

_NAMES = ("amy", "bo", "cy", "di")
CONFIG: dict[str, Any] = {
    "webex": {"poll_seconds": 1, "token_budget": 60},
    "sources": {
        "kiosk": {"auth": {"scheme": "standard-webhooks", "secrets": ["env:KIOSK_SECRET"]}, "idle_minutes": 0}
    },
    "agents": {name: {"email": f"{name}@example.com", "name": name} for name in _NAMES},
    "teams": {
        "desk": {"timezone": "UTC", "agents": ["amy", "bo", "cy"]},
        "quick": {"timezone": "UTC", "agents": ["amy", "bo", "cy"], "answer_within_seconds": 4},
        "far": {"timezone": "UTC", "agents": ["di", "amy"]},
    },
    "routes": [
        {"when": {"topic": ["quick"]}, "team": "quick"},
        {"when": {"topic": ["far"]}, "team": "far"},
        {"team": "desk"},
    ],
}
BUDGET = 60
_LEAST_FREEZE, _MOST_FREEZE = 5.0, 30.0


class Herd:
    """The processes, each on a port of its own that it keeps. Times are epoch seconds."""

    def __init__(
        self, folder: Path, api: str, database: str, key: str, options: Options, public: str | None
    ) -> None:
        (folder / "bridge.yaml").write_text(json.dumps(CONFIG))
        self._options = options
        self.members = [_member(folder, api, database, key, n, public) for n in range(options.processes)]
        self.kills: list[float] = []
        self.freezes: list[float] = []
        self.stops: list[float] = []  # how long each took
        self.broken_logs = 0

    async def start(self) -> None:
        for member in self.members:
            member.start()
        await asyncio.gather(*(asyncio.to_thread(member.wait_ready, 180) for member in self.members))

    async def torment(self, weather: Weather, chance: random.Random) -> None:
        """Each trouble as often as it is asked for, at random moments, now and then two in a row."""
        options = self._options

        async def stop(member: Member) -> None:
            await self._stop(member, weather)

        acts: list[tuple[int, Callable[[Member], Awaitable[None]]]] = [
            (options.kills, self._kill),
            (options.freezes, lambda member: self._freeze(member, chance)),
            (options.stops, stop),
            (options.logs, lambda member: self._break_log(member, chance)),
        ]
        async with asyncio.TaskGroup() as group:
            for count, act in acts:
                for _ in range(count):
                    moment = chance.uniform(0, options.spread)
                    group.create_task(self._later(moment, chance.choice(self.members), act))

    @staticmethod
    async def _later(moment: float, member: Member, act: Callable[[Member], Awaitable[None]]) -> None:
        await asyncio.sleep(moment)
        await act(member)

    async def _kill(self, member: Member) -> None:
        """Started again at once. One that is frozen is killed now or, as often, when it is awake again."""
        if member.frozen and len(self.kills) % 2:
            await self._kill_now(member)
        else:
            async with member.busy:
                await self._kill_now(member)

    async def _kill_now(self, member: Member, broken: str = "") -> None:
        async with member.dying:
            member.note_death()
            self.kills.append(time.time())
            await asyncio.to_thread(member.kill)
            member.start(broken)

    async def _freeze(self, member: Member, chance: random.Random) -> None:
        """For 5 to 30 s, mostly nearer to 5; a lonely process seldom longer, for nobody works meanwhile."""
        async with member.busy:
            await member.revive()
            seldom = 4 if len(self.members) > 1 else 12
            seconds = _LEAST_FREEZE + (_MOST_FREEZE - _LEAST_FREEZE) * chance.random() ** seldom
            self.freezes.append(time.time())
            member.freeze(chance.choice(PARTS))
            try:
                await _while(lambda: member.frozen, seconds)
            finally:
                member.thaw()

    async def _stop(self, member: Member, weather: Weather) -> None:
        """Clean, in the midst of calls that Webex takes long for."""
        async with member.busy:
            await member.revive()
            with contextlib.suppress(RuntimeError):  # a busy machine starts it slowly
                await asyncio.to_thread(member.wait_ready, 20)
            spell = asyncio.create_task(weather.slow_spell(1.5, least=9.0))
            await asyncio.sleep(1.0)
            self.stops.append(await asyncio.to_thread(member.stop_cleanly))
            member.start()
            await spell

    async def _break_log(self, member: Member, chance: random.Random) -> None:
        """Of a process that is killed for it and started again."""
        async with member.busy:
            self.broken_logs += 1
            await self._kill_now(member, chance.choice((GONE, STUCK)))

    def fallen(self) -> list[str]:
        """Who died without being killed."""
        return [member.name for member in self.members for _ in range(member.deaths + (not member.alive))]

    def stop(self) -> None:
        for member in self.members:
            member.kill()


async def _while(true: Callable[[], bool], seconds: float) -> None:
    """As long as it is true, at most so many seconds."""
    until = time.monotonic() + seconds
    while true() and time.monotonic() < until:  # noqa: ASYNC110 - somebody may kill it meanwhile
        await asyncio.sleep(0.1)


def _member(folder: Path, api: str, database: str, key: str, number: int, public: str | None) -> Member:
    port = free_port()
    environ = {
        **webex_environment(api),
        "BRIDGE_CONFIG": str(folder / "bridge.yaml"),
        "BRIDGE_SECRET_KEY": key,
        "DATABASE_URL": database,
        "PORT": str(port),
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "info",
        **({"PUBLIC_URL": public} if public else {}),
    }
    name = f"bridge-{number}"
    command = [sys.executable, "-m", "bridge", "run"]
    return Member(
        name, command, f"http://127.0.0.1:{port}", folder / f"{name}.log", environ, folder, "/readyz"
    )
