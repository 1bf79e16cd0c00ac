"""What the commands share: the environment, the configuration, the database beside a service or without one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bridge.commands.plain import complain, fail, misused, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bridge.store.vault import Cipher
    from config.load import Loaded
    from config.settings import Settings

__all__ = ["ConfigFile", "complain", "fail", "misused", "say"]

T = TypeVar("T")
DEFAULT_CONFIG = Path("config/bridge.yaml")
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file or folder; else BRIDGE_CONFIG.", metavar="FILE"),
]


def environment(config: Path | None) -> dict[str, str]:
    """The environment, with --config in BRIDGE_CONFIG's place."""
    environ = dict(os.environ)
    if config is not None:
        environ.pop("BRIDGE_CONFIG_FILE", None)
        environ["BRIDGE_CONFIG"] = str(config)
    return environ


def config_path(environ: dict[str, str]) -> Path:
    """Where the configuration is. Asks for no other variable, so that none can be in the way."""
    from config.variables import VariableError, read_variable

    try:
        return Path(read_variable(environ, "BRIDGE_CONFIG") or DEFAULT_CONFIG)
    except VariableError as error:
        misused(str(error))


def settings_of(environ: dict[str, str]) -> Settings:
    """The settings, or what is wrong with the environment on stderr and 2."""
    from config.settings import SettingsError, load_settings

    try:
        return load_settings(environ)
    except SettingsError as error:
        misused("\n".join(error.problems))


def loaded_of(path: Path, environ: dict[str, str], *, offline: bool = False) -> Loaded:
    """The configuration, or its problems on stderr and 2. `offline`: secrets are not asked for."""
    from config.load import ConfigError, load

    try:
        return load(path, environ, offline=offline)
    except ConfigError as error:
        misused("\n".join(str(problem) for problem in error.problems))


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """`there is no team 'frontdesk'; did you mean front-desk?`"""
    from config.problems import nearest

    names = sorted(known)
    close = nearest(name, names)
    hint = f"did you mean {close}?" if close else f"{what}s: {', '.join(names) or 'none'}"
    return f"there is no {what} {name[:64]!r}; {hint}"


def text_option(name: str, value: str) -> str:
    """A text as it could stand in an event; bytes that are not UTF-8 cannot."""
    if not value.strip():
        misused(f"{name} is empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        misused(f"{name} is not text in UTF-8")
    return value


@contextmanager
def database(*, writes: bool = False) -> Iterator[Connection]:
    """One transaction on the database that the environment names; it is neither made nor migrated."""
    from bridge.store.operator.visit import visit

    settings = settings_of(environment(None))
    with visit(settings.database_url.get_secret_value(), writes=writes) as connection:
        yield connection


def cipher_of(settings: Settings) -> Cipher:
    """What opens the secrets in the database. A key that is not there is not made: it would open nothing."""
    from bridge.service.keys import PATH, NoKey, read_key
    from bridge.store.vault import Cipher

    if settings.secret_keys:
        return Cipher([key.decode() for key in settings.secret_keys])
    try:
        return Cipher([read_key()])
    except FileNotFoundError:
        fail(f"BRIDGE_SECRET_KEY is not set, and there is no {PATH} in this folder")
    except NoKey as error:
        fail(str(error))


def plainly(run: Callable[[], Awaitable[T]]) -> T:
    """Runs to the end in an event loop of its own."""

    async def inner() -> T:
        return await run()

    return asyncio.run(inner())
