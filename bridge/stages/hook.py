"""A webhook of Webex for each guest: made with the guest's token, kept alive, repaired; or polling instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from bridge.domain.errors import Refused, Throttled, Unauthorized, WebexError
from bridge.domain.retry import backoff
from bridge.ports import Clock
from bridge.stages.replies import PROBE_SECONDS, REFUSED, Replies
from bridge.stages.tokens import LentToken, NotNow, Tokens
from bridge.store import hooks
from bridge.store.guests import Budget
from bridge.store.hooks import HookClaim, HookDone, HookWork
from bridge.store.store import Store
from bridge.webex.client import WebexClient
from bridge.webex.meanings import webhook_is_gone
from bridge.webex.wire import Webhook

NAME = "webex-guest-bridge"
_EVENTS = ("created", "updated", "deleted")
_REST_AFTER_DISABLING = 300.0  # one failure within 5 minutes of re-enabling disables at once (webhooks guide)


def guest_of(name: str | None) -> str | None:
    """The guest whose webhook has this name; None for somebody else's."""
    prefix, _, guest_id = (name or "").partition(" ")
    return guest_id if prefix == NAME and guest_id else None


class Hooks:
    """The workers of the stage `hook`."""

    def __init__(
        self,
        store: Store,
        webex: WebexClient,
        tokens: Tokens,
        clock: Clock,
        budget: Callable[[], Budget],
        replies: Replies,
        on_change: Callable[[], Awaitable[None]],
        registered: Callable[[], None],
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._webex = webex
        self._tokens = tokens
        self._clock = clock
        self._budget = budget
        self._replies = replies
        self._on_change = on_change
        self._registered = registered
        self._lease = lease_seconds
        self._inactive_since: dict[str, float] = {}
        self._log = structlog.get_logger()

    async def claim(self, room: int) -> Sequence[HookWork]:
        wish = HookClaim(self._store.owner, self._clock.now(), self._lease, room, self._budget())
        return await self._store.do(hooks.claim_hooks, wish)

    async def work(self, work: HookWork) -> None:
        fingerprint = self._replies.wanted(self._clock.now())
        if fingerprint is None or (work.guest.webhook == REFUSED and not work.guest.open_conversations):
            await self._settle(work, None, None)
            return
        try:
            lent = await self._tokens.lend(work.guest)
            again_in = await self._bring_up(work, lent, fingerprint)
        except NotNow as later:
            await self._settle(work, None, later.at)
        except Throttled as error:
            await self._settle(work, None, self._clock.now() + error.retry_after)
        except Unauthorized:
            await self._settle(work, None, self._clock.now() + 1)
        except Refused as error:
            await self._refused(work, error)
        except WebexError:
            await self._settle(work, None, self._clock.now() + backoff(3, self._clock.chance()))
        else:
            again_at = self._clock.now() + again_in if again_in else None
            await self._settle(work, fingerprint, again_at)
            self._registered()
            if self._replies.allow():
                self._log.info("webhook.allowed")
                await self._on_change()

    async def _bring_up(self, work: HookWork, lent: LentToken, fingerprint: str) -> float | None:
        """Registers what is missing; the seconds after which to look again, if need be."""
        name = f"{NAME} {work.guest.id}"
        found: list[Webhook] = []
        if work.guest.webhook is not None:  # a guest who never had one needs no look
            found = [
                one for one in await self._webex.list_webhooks(self._tokens.still(lent)) if one.name == name
            ]
        rest: float | None = None
        for event in _EVENTS:
            same = [one for one in found if (one.resource, one.event) == ("messages", event)]
            good = [one for one in same if one.target_url == self._replies.target]
            good = good[:1] if work.guest.webhook == fingerprint else []  # else made with another secret
            for one in same:
                if one not in good:
                    await self._remove(lent, one)
            if not good:
                await self._create(lent, name, event)
            elif good[0].status == "inactive":
                rest = await self._revive(work, lent, good[0])
        return rest

    async def _remove(self, lent: LentToken, webhook: Webhook) -> None:
        try:
            await self._webex.delete_webhook(self._tokens.still(lent), webhook.id)
        except Refused as error:
            if not webhook_is_gone(error):
                raise

    async def _create(self, lent: LentToken, name: str, event: str) -> None:
        try:
            await self._webex.create_webhook(
                self._tokens.still(lent),
                name=name,
                target_url=self._replies.target or "",
                resource="messages",
                event=event,
                secret=self._replies.secret,
            )
        except Refused as error:
            if event == "created" and error.status != 409:  # 409: it is there already
                raise
            self._log.info("webhook.not_offered", webhook_event=event, reason=str(error))

    async def _revive(self, work: HookWork, lent: LentToken, webhook: Webhook) -> float | None:
        """Webex disables a webhook after failures; it is enabled again, but not while that would be undone."""
        now = self._clock.monotonic()
        since = self._inactive_since.setdefault(webhook.id, now)
        if now - since < _REST_AFTER_DISABLING:
            self._log.warning("webhook.disabled", guest=work.guest.id[:12])
            return _REST_AFTER_DISABLING - (now - since)
        try:
            await self._webex.update_webhook(
                self._tokens.still(lent),
                webhook.id,
                name=webhook.name,
                target_url=webhook.target_url,
                # What a PUT without the secret does to it is recorded nowhere (webex-facts 13).
                secret=self._replies.secret,
            )
        except Refused as error:
            if not webhook_is_gone(error):
                raise
            await self._create(lent, webhook.name, webhook.event)
        self._inactive_since.pop(webhook.id, None)
        self._log.info("webhook.enabled", guest=work.guest.id[:12])
        return None

    def disabled_since(self, moment: float) -> int:
        """How many webhooks were found switched off since then (of the steady clock) and wait to be enabled again."""
        return sum(since > moment for since in self._inactive_since.values())

    async def _refused(self, work: HookWork, error: Refused) -> None:
        """Webex gives this guest no webhook: it is polled, and asked for again later; or all guests are polled."""
        now = self._clock.now()
        everybody = self._replies.refuse(work.guest.id, error.status, now)
        self._log.warning(
            "webhook.refused", guest=work.guest.id[:12], reason=str(error), all_guests_polled=everybody
        )
        await self._settle(work, REFUSED, None if everybody else now + PROBE_SECONDS)
        self._registered()
        if everybody:
            await self._on_change()

    async def _settle(self, work: HookWork, webhook: str | None, again_at: float | None) -> None:
        done = HookDone(work, webhook, again_at, self._clock.now())
        if not await self._store.do(hooks.settle_hooks, done):
            self._log.warning("lease.lost", guest=work.guest.id[:12])
