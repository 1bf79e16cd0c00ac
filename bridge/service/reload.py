"""Hot reload: a changed configuration is taken when it is valid; else the last good one stays in force."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

from bridge.domain.duty.rota import RotaError
from bridge.ports import Clock
from bridge.service.live import Live, make_live
from bridge.service.metrics import Metrics
from bridge.stages.intake import Intake
from bridge.store.store import Store
from bridge.store.upkeep import Tick, look_at_all
from config.load import ConfigError, fingerprint, load
from config.settings import Settings


class Reloaded(Protocol):
    """What a reload needs of the service; `live` is replaced."""

    settings: Settings
    environ: Mapping[str, str]
    clock: Clock
    metrics: Metrics
    store: Store
    intake: Intake
    live: Live

    async def adopt(self) -> None: ...


class Reloader:
    """Looks at the files' content, so that a replaced file is seen like an edited one."""

    def __init__(self, service: Reloaded) -> None:
        self._service = service
        self._seen = service.live.loaded.fingerprint
        self._calendars = service.live.loaded.calendars  # also of a configuration that was refused for them
        self._secret_files = service.live.loaded.secret_files
        self._timers = service.live.timers
        self._adopted = service.live
        self.problems: tuple[str, ...] = ()
        self._looking = asyncio.Lock()
        self._log = structlog.get_logger()

    async def look(self) -> None:
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        service = self._service
        path = service.settings.bridge_config
        now = await asyncio.to_thread(fingerprint, path, self._calendars, self._secret_files)
        if now != self._seen:
            self._seen = now
            await self._take()
        if self._adopted is not service.live:  # also when the store did not take it the last time
            await service.adopt()
            self._adopted = service.live
            service.intake.wake()
        if self._timers != service.live.timers:
            await service.store.do(look_at_all, Tick(service.clock.now()))
            self._timers = service.live.timers

    async def _take(self) -> None:
        service = self._service
        path = service.settings.bridge_config
        try:
            loaded = await asyncio.to_thread(load, path, service.environ)
            self._seen, self._calendars = loaded.fingerprint, loaded.calendars
            self._secret_files = loaded.secret_files
            live = await asyncio.to_thread(make_live, loaded, service.clock.now)
        except ConfigError as error:
            self._refuse(tuple(str(problem) for problem in error.problems))
        except RotaError as error:
            self._refuse((str(error),))
        except Exception as error:
            self._refuse((f"it cannot be read: {type(error).__name__}",))
            raise  # a fault of ours: the log has where
        else:
            if loaded.config.webex.guests != service.live.loaded.config.webex.guests:
                self._refuse(("webex.guests changed: restart the service to change who mints guests",))
                return
            self.problems = ()
            service.live = live
            service.metrics.config_loaded.set(service.clock.now())
            warnings = [*map(str, loaded.warnings), *live.problems]
            more = {"warnings": warnings[:20]} if warnings else {}
            self._log.info("configuration.loaded", path=str(path), **more)

    def _refuse(self, problems: tuple[str, ...]) -> None:
        self.problems = tuple(f"the changed configuration is not in force: {one}" for one in problems[:5])
        self._service.metrics.config_refused.inc()
        self._log.error("configuration.refused", problems=list(problems[:20]))
