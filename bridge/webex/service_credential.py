"""Keeps a Service App's access token alive: one refresh at a time, among all tasks and all processes.

Source: https://developer.webex.com/docs/service-apps (access token 14 days, refresh token 90 days, sliding).
Every access token counts towards the 750 a user may have, so it is refreshed late and not at every start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from bridge.domain.errors import CredentialsDead, Unavailable, WebexError
from bridge.logs import OF_NO_REQUEST
from bridge.ports import Clock, Vault
from bridge.webex.client import WebexClient
from bridge.webex.grant import Grant, fingerprint, grant_from, read_grant
from bridge.webex.verdict import Verdict

GRANT = "service_app.grant"
REFRESHING = "service_app.refreshing"
LEASE = 60.0  # seconds; longer than a call may take
_GIVE_UP_SECONDS = 0.5  # for a refresh that is cut off to release its lease
POLL, POLLS = 0.25, 40  # how a process waits for another one's refresh: 10 s at most
REMIND = 86400.0


class ServiceCredential:
    """The Service App's access token, in the vault and here. `sleep` waits between looks at the vault."""

    def __init__(
        self,
        client: WebexClient,
        vault: Vault,
        clock: Clock,
        *,
        client_id: str | None,
        client_secret: str | None,
        refresh_token: str | None,
        first_access_token: str | None,
        sleep: Callable[[float], Awaitable[None]],
        log: Any,
    ) -> None:
        self._client, self._vault, self._clock, self._sleep, self._log = client, vault, clock, sleep, log
        self._client_id, self._client_secret = client_id, client_secret
        self._refresh_token, self._first_access_token = refresh_token, first_access_token
        self._seed = fingerprint(refresh_token or first_access_token)
        self._grant: Grant | None = None
        self._settled = (
            False  # from then on the vault is followed, whatever the environment said at the start
        )
        self._unsaved: Grant | None = None
        self._refused: str | None = None  # an access token that got a 401
        self._renewing: asyncio.Task[Grant] | None = None
        self._reminded: float | None = None
        self.verdict = Verdict(clock)
        self.obtained = False

    async def token(self) -> str:
        """An access token with life left, refreshed when due. Raises Throttled, Unavailable, Doubtful,
        CredentialsDead only where there is none to go on with."""
        grant = self._grant or await self._recall()
        if grant is None or not self._usable(grant):
            return (await self._renew()).access_token
        if grant.due(self._clock.now()):
            try:
                grant = await self._renew()
            except WebexError:
                return grant.access_token  # it still serves; the verdict keeps the reason for the report
        return grant.access_token

    async def renewed(self, refused: str) -> str:
        """Another token than `refused`, which Webex answered with 401."""
        if self._grant is not None and self._grant.access_token != refused:
            return self._grant.access_token
        self._refused = refused
        return (await self._renew()).access_token

    def condemn(self, error: WebexError) -> CredentialsDead:
        """Even a fresh token is refused: no more refreshing, each leaves one more live token at Webex."""
        dead = CredentialsDead(
            f"Webex refuses a fresh access token: {error.reason}",
            status=error.status,
            tracking_id=error.tracking_id,
        )
        self._refused = self._grant.access_token if self._grant else None
        self._note(dead)
        return dead

    def proven(self) -> None:
        """A call with the token succeeded."""
        self.obtained = True

    @property
    def unproven(self) -> bool:
        """The token came from the environment and nobody knows yet whether it is any good."""
        return not self.obtained

    def warnings(self) -> tuple[str, ...]:
        """Sentences for an operator about what will end."""
        grant, now = self._grant, self._clock.now()
        if grant is None:
            return ()
        if grant.refresh_token is None:
            return ("The Service App's access token cannot be renewed: no refresh token is configured.",)
        if grant.refresh_token_ends_soon(now):
            day = _day(grant.refresh_ends)
            return (f"The Service App's refresh token ends on {day}: authorise the Service App again.",)
        return ()

    def remind(self) -> None:
        """Logs once a day that the refresh token is about to end."""
        grant, now = self._grant, self._clock.now()
        if grant is None or not grant.refresh_token_ends_soon(now):
            return
        if self._reminded is None or now - self._reminded >= REMIND:
            self._reminded = now
            self._log.warning("service_app.refresh_token_ending", ends=_day(grant.refresh_ends))

    async def _recall(self) -> Grant | None:
        """What the vault or, for the first time, the environment has."""
        stored = await self._stored()
        if stored is None and self._first_access_token and self._grant is None:
            self._grant = Grant(
                self._first_access_token,
                self._refresh_token,
                self._clock.now(),
                ends=None,
                refresh_ends=None,
                seed=self._seed,
            )
            return self._grant
        return None if stored is None else self._adopt(stored)

    async def _stored(self) -> Grant | None:
        """The vault's grant, unless the environment's token is another than the one it began with."""
        stored = read_grant(await self._vault.read(GRANT))
        if stored is None or self._settled or self._seed is None or stored.seed == self._seed:
            return stored
        return None

    def _adopt(self, grant: Grant) -> Grant:
        self._grant, self._settled = grant, True
        if self._usable(grant):
            self.obtained = True
        return grant

    def _usable(self, grant: Grant) -> bool:
        return not grant.lapsed(self._clock.now()) and grant.access_token != self._refused

    async def _renew(self) -> Grant:
        """Joins the refresh under way or starts one. It goes on when the caller is cancelled: Webex may
        already have replaced the refresh token, and the new one must reach the vault."""
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew_once(), context=OF_NO_REQUEST)
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._renewing)

    async def close(self, seconds: float) -> None:
        """Lets a refresh under way end: Webex may have replaced the refresh token, and the answer has the new one.

        One that takes longer is cut off, and gives its lease up.
        """
        renewing = self._renewing
        if renewing is None or renewing.done():
            return
        await asyncio.wait((renewing,), timeout=seconds)
        if not renewing.done():
            renewing.cancel()
            await asyncio.wait((renewing,), timeout=_GIVE_UP_SECONDS)

    async def _renew_once(self) -> Grant:
        if self._unsaved is not None:
            return await self._keep(self._unsaved)
        newer = await self._newer()
        if newer is not None:
            return newer
        self.verdict.check()
        if not await self._vault.acquire(REFRESHING, LEASE):
            newer = await self._wait_for_other()
            if newer is not None:
                return newer
        try:
            return await self._newer() or await self._refresh()
        finally:
            await self._vault.release(REFRESHING)

    async def _newer(self) -> Grant | None:
        """What another process has put into the vault since, if it is of use."""
        stored = await self._stored()
        known = self._grant.access_token if self._grant else None
        if stored is None or stored.access_token == known or not self._usable(stored):
            return None
        self.verdict.succeeded()
        return self._adopt(stored)

    async def _wait_for_other(self) -> Grant | None:
        """Another process refreshes: its grant, or None when this process has the lease now."""
        if self._grant is not None and self._usable(self._grant):
            return self._grant
        for _ in range(POLLS):
            await self._sleep(POLL)
            newer = await self._newer()
            if newer is not None:
                return newer
            if await self._vault.acquire(REFRESHING, LEASE):
                return None
        raise Unavailable("another process is refreshing the Service App's access token")

    async def _refresh(self) -> Grant:
        before = await self._stored() or self._grant
        used = (before.refresh_token if before else None) or self._refresh_token
        asked = self._clock.now()
        try:
            if not (used and self._client_id and self._client_secret):
                raise CredentialsDead(self._lacking(used))
            answer = await self._client.refresh(self._client_id, self._client_secret, used)
        except WebexError as exc:
            self._note(exc)
            raise
        seed = before.seed if before is not None and self._settled else self._seed
        return await self._keep(grant_from(answer, asked, used, before, seed))

    def _lacking(self, refresh_token: str | None) -> str:
        values = {
            "WEBEX_SERVICE_APP_CLIENT_ID": self._client_id,
            "WEBEX_SERVICE_APP_CLIENT_SECRET": self._client_secret,
            "WEBEX_SERVICE_APP_REFRESH_TOKEN": refresh_token,
        }
        unset = " and ".join(name for name, value in values.items() if not value)
        return f"the access token is refused or missing, and nothing is there to refresh it: set {unset}"

    async def _keep(self, grant: Grant) -> Grant:
        """Writes before use: after a crash the newest refresh token must be in the vault. If the vault fails,
        the next attempt writes the same grant instead of asking Webex for another."""
        self._unsaved = grant
        await self._vault.write(GRANT, grant.to_json())
        self._unsaved = None
        self.verdict.succeeded()
        self._log.info("service_app.token_refreshed", ends=_day(grant.ends))
        return self._adopt(grant)

    def _note(self, error: WebexError) -> None:
        self.verdict.failed(error)
        event = "service_app.credentials_refused" if self.verdict.dead else "service_app.refresh_failed"
        self._log.error(event, reason=error.reason, status=error.status, tracking_id=error.tracking_id)


def _day(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="minutes")
