"""A vault in memory, shared by any number of 'processes'."""

from __future__ import annotations

import asyncio

from bridge.ports import Clock


class MemoryVault:
    """bridge.ports.Vault; `broken` makes every write fail. `of(owner)`: as that process sees it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.values: dict[str, str] = {}
        self.holders: dict[str, tuple[object, float]] = {}
        self.writes: list[str] = []
        self.broken = False
        self.acquired = asyncio.Event()

    def of(self, owner: object) -> SharedVault:
        return SharedVault(self, owner)


class SharedVault:
    def __init__(self, memory: MemoryVault, owner: object) -> None:
        self._memory, self._owner = memory, owner

    async def read(self, name: str) -> str | None:
        return self._memory.values.get(name)

    async def write(self, name: str, value: str) -> None:
        if self._memory.broken:
            raise OSError("disk full")
        self._memory.values[name] = value
        self._memory.writes.append(value)

    async def acquire(self, name: str, seconds: float) -> bool:
        holder = self._memory.holders.get(name)
        now = self._memory.clock.now()
        if holder is not None and holder[1] > now:
            return False
        self._memory.holders[name] = (self._owner, now + seconds)
        self._memory.acquired.set()
        return True

    async def release(self, name: str) -> None:
        if self._memory.holders.get(name, (None, 0.0))[0] is self._owner:
            del self._memory.holders[name]
