"""`bridge guests`: how many guests there are, and how their tokens fare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.commands.common import (
    ConfigFile,
    config_path,
    database,
    environment,
    fail,
    loaded_of,
    plainly,
    say,
    settings_of,
)
from bridge.commands.words import age, instant

if TYPE_CHECKING:
    from config.settings import Settings


def guests(config: ConfigFile = None) -> None:
    """Count guests and live tokens.

    Guests are counted by Webex; also said is when the next token is re-issued. Exits 1 when Webex cannot be asked.

    \b
    bridge guests
    """
    from bridge.clock import SystemClock
    from bridge.domain.errors import BridgeError
    from bridge.store.engine.sql import time_by
    from bridge.store.tokens import live_tokens, next_due

    environ = environment(config)
    settings = settings_of(environ)
    way = loaded_of(config_path(environ), environ, offline=True).config.webex.guests
    with database() as connection:
        now = time_by(connection, SystemClock().now())
        tokens, holders = live_tokens(connection, now)
        due = next_due(connection)
    problem = None
    try:
        count = plainly(lambda: _count(settings, way))
        say(f"guests at Webex: {'not told by ' + way if count is None else count}")
    except BridgeError as error:
        problem = f"Webex could not be asked for the number of guests: {error}"
    say(f"live tokens:     {tokens}, of {holders} guest{'' if holders == 1 else 's'}")
    say(f"next re-issue:   {_when(due, now)}")
    if problem:
        fail(problem)


async def _count(settings: Settings, way: str) -> int | None:
    from bridge.commands.asking import asking

    async with asking(settings, way, may_make=False) as ask:
        await ask.minter.prepare()
        return await ask.minter.guest_count()


def _when(due: float | None, now: float) -> str:
    if due is None:
        return "none, for no conversation is open"
    if due <= now:
        return "now"
    return f"in {age(due - now)} ({instant(due)})"
