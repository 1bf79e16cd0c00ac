"""Guests from a Service App: POST /guests/token.

Source: https://developer.webex.com/docs/sa-guest-management
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog

from bridge.domain.errors import CredentialsDead, Refused, Unauthorized, WebexError
from bridge.domain.throttling import SERVICE_APP, OwnedToken
from bridge.ports import Clock, CredentialReport, MintedGuest, Vault
from bridge.webex.client import WebexClient
from bridge.webex.service_credential import ServiceCredential

T = TypeVar("T")


class ServiceAppMinter:
    """bridge.ports.Minter with a Service App's token, which is kept and refreshed by ServiceCredential.

    Without a refresh token (or client id and secret) `first_access_token` serves until Webex refuses it.
    """

    def __init__(
        self,
        client: WebexClient,
        vault: Vault,
        clock: Clock,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        refresh_token: str | None = None,
        first_access_token: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        log: Any = None,
    ) -> None:
        self._client = client
        self._credential = ServiceCredential(
            client,
            vault,
            clock,
            client_id=client_id,
            client_secret=client_secret,
            refresh_token=refresh_token,
            first_access_token=first_access_token,
            sleep=sleep,
            log=log or structlog.get_logger(),
        )
        self._mint_refusal: str | None = None
        self._trouble: str | None = None

    async def prepare(self) -> None:
        """Refreshes the token if need be; one of unknown age is tried by counting guests."""
        try:
            await self._credential.token()
            if self._credential.unproven:
                await self.guest_count()
            self._trouble = None
        except WebexError as exc:
            self._trouble = str(exc)
            raise

    async def keep_fresh(self) -> None:
        """Refreshes below a fifth of the token's life. Trouble with Webex is logged, not raised."""
        try:
            await self._credential.token()
        except WebexError:
            return  # the credential has logged it and reports it
        self._credential.remind()

    async def mint(self, subject: str, display_name: str) -> MintedGuest:
        try:
            minted = await self._ask(lambda token: self._client.mint_guest(token, subject, display_name))
        except Refused as exc:
            self._mint_refusal = str(exc) if exc.status == 403 else self._mint_refusal
            raise
        self._mint_refusal = None
        return minted

    async def guest_count(self) -> int | None:
        return await self._ask(self._client.guest_count)

    async def close(self, seconds: float) -> None:
        """Lets a refresh under way end, within so many seconds."""
        await self._credential.close(seconds)

    def report(self) -> CredentialReport:
        credential, reasons = self._credential, []
        if credential.verdict.reason:
            trouble = "cannot be used" if credential.verdict.dead else "could not be refreshed"
            reasons.append(f"The Service App's credentials {trouble}: {credential.verdict.reason}")
        elif self._trouble and not credential.obtained:
            reasons.append(f"The Service App could not be tried: {self._trouble}")
        if self._mint_refusal:
            reasons.append(
                f"Webex refused to mint a guest, is guest-issuer:write granted? It says: {self._mint_refusal}"
            )
        return CredentialReport(
            ready=credential.obtained,
            dead=credential.verdict.dead,
            reasons=(*reasons, *credential.warnings()),
        )

    async def _ask(self, call: Callable[[str], Awaitable[T]]) -> T:
        """`call` with the token; after a 401 once more with a new one."""
        token = await self._credential.token()
        try:
            answer = await call(OwnedToken(token, SERVICE_APP))
        except Unauthorized:
            answer = await self._ask_again(call, token)
        self._credential.proven()
        return answer

    async def _ask_again(self, call: Callable[[str], Awaitable[T]], refused: str) -> T:
        token = await self._credential.renewed(refused)
        dead: CredentialsDead
        try:
            return await call(OwnedToken(token, SERVICE_APP))
        except Unauthorized as exc:
            dead = self._credential.condemn(exc)
        raise dead
