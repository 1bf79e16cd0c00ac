"""What the commands share: plain errors, the configuration, a look into the store without a running service."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import typer

from bridge.clock import SystemClock
from bridge.domain.errors import BridgeError
from bridge.keys import own_key
from bridge.store.store import Store
from bridge.store.vault import Cipher
from config.load import Loaded, load
from config.problems import ConfigError
from config.settings import Settings, SettingsError, load_settings

T = TypeVar("T")

ConfigOption = typer.Option(
    "--config", help="Configuration file or folder [BRIDGE_CONFIG]", metavar="FILE"
)


def fail(message: str, code: int = 1) -> NoReturn:
    """Ends with a sentence on stderr."""
    print(message, file=sys.stderr)  # noqa: T201 - a command's voice
    raise typer.Exit(code)


def say(message: str) -> None:
    print(message)  # noqa: T201 - a command's voice


def environment(config: Path | None) -> dict[str, str]:
    """The environment, with --config in BRIDGE_CONFIG's place."""
    environ = dict(os.environ)
    if config is not None:
        environ.pop("BRIDGE_CONFIG_FILE", None)
        environ["BRIDGE_CONFIG"] = str(config)
    return environ


def settings_of(environ: dict[str, str]) -> Settings:
    try:
        return load_settings(environ)
    except SettingsError as error:
        fail("\n".join(error.problems))


def loaded_of(settings: Settings, environ: dict[str, str], *, offline: bool = False) -> Loaded:
    try:
        return load(settings.bridge_config, environ, offline=offline)
    except ConfigError as error:
        fail("\n".join(str(problem) for problem in error.problems))


def with_store(work: Callable[[Store], Awaitable[T]]) -> T:
    """Opens the store that the environment names, beside a running service or without one."""
    settings = settings_of(environment(None))

    async def run() -> T:
        keys = [key.decode() for key in settings.secret_keys] or [own_key()]
        store = Store(settings.database_url.get_secret_value(), Cipher(keys), SystemClock(), "command")
        await store.start()
        try:
            return await work(store)
        finally:
            await store.stop()

    return plainly(run)


def plainly(run: Callable[[], Awaitable[T]]) -> T:
    """Runs to the end; our own errors and the machine's become a sentence."""

    async def inner() -> T:
        return await run()

    try:
        return asyncio.run(inner())
    except (BridgeError, OSError) as error:
        fail(str(error))
