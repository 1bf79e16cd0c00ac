"""Webex asked by a command: with the credentials of the environment and what the store keeps of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bridge import logs
from bridge.clock import SystemClock
from bridge.commands.common import cipher_of, complain
from bridge.ports import Minter
from bridge.service.keys import own_key
from bridge.service.minting import make_minter
from bridge.store.engine.open import is_sqlite
from bridge.store.operator.visit import NoDatabase, visit
from bridge.store.store import Store, StoreVault
from bridge.store.vault import Cipher
from bridge.webex.client import WebexClient
from bridge.webex.grant import read_grant
from bridge.webex.service_credential import GRANT
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Asking:
    """`minter` is not prepared yet."""

    minter: Minter
    guests: str
    store: Store
    settings: Settings

    async def token(self) -> str | None:
        """The token in force that guests are minted with; None for the legacy issuer, which has none."""
        if self.guests != "service-app":
            personal = self.settings.webex_personal_access_token
            return personal.get_secret_value() if personal and self.guests == "personal-token" else None
        grant = read_grant(await StoreVault(self.store).read(GRANT))
        if grant is not None:
            return grant.access_token
        first = self.settings.webex_service_app_access_token
        return first.get_secret_value() if first else None


@asynccontextmanager
async def asking(settings: Settings, guests: str, *, may_make: bool) -> AsyncIterator[Asking]:
    """A minter on the store: a refreshed token must be kept, for Webex may have ended the one before.

    `may_make`: a database that is not there yet is made for that. Raises BridgeError, OSError.
    """
    logs.configure("console", "critical")  # what goes wrong is told by the command
    url = settings.database_url.get_secret_value()
    clock = SystemClock()
    fresh = _is_missing(url, may_make)
    cipher = _own_cipher(settings) if fresh else cipher_of(settings)
    store = Store(url, cipher, clock, f"command-{os.getpid()}")
    if fresh:
        await store.start()
        place = url.removeprefix("sqlite:///") if is_sqlite(url) else "in PostgreSQL"
        complain(f"made the database {place}, to keep what Webex refreshes")
    else:
        await store.writer.start()
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            webex = WebexClient(settings.webex_api_url, session, clock)
            minter = make_minter(guests, settings, webex, StoreVault(store), clock)
            yield Asking(minter, guests, store, settings)
    finally:
        await store.stop()


def _is_missing(url: str, may_make: bool) -> bool:
    try:
        with visit(url, writes=False):
            return False
    except NoDatabase:
        if not may_make:
            raise
        return True


def _own_cipher(settings: Settings) -> Cipher:
    return Cipher([key.decode() for key in settings.secret_keys] or [own_key()])
