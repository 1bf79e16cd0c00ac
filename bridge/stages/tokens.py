"""Guest tokens: lent for one use, minted only when there is none with enough life left, re-issued in time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.domain.errors import CredentialsDead, Doubtful, Parked, Refused, Throttled, WebexError
from bridge.domain.identity import subject_hash
from bridge.domain.pace import Pace
from bridge.domain.renewal import in_last_tenth, reissue_at, retry_reissue_at
from bridge.domain.retry import mint_parks
from bridge.domain.throttling import OwnedToken
from bridge.ports import Clock, MintedGuest, Minter
from bridge.stages.leases import LeaseLost
from bridge.store import guests, tokens
from bridge.store.guests import Budget, Guest
from bridge.store.store import Store
from bridge.store.tokens import Minted, MintFailed

_CACHED = 20_000
_REISSUES_AT_ONCE = 8  # few, so that a 429 is read before many more have left
_FRESH_SECONDS = 0.2
_SAVED_WITHIN = 0.05  # seconds after a token is in use


@dataclass(frozen=True, slots=True)
class LentToken:
    """`value` for one use now; `guest` as it stands with that token."""

    value: OwnedToken
    guest: Guest


class NotNow(Exception):
    """No token can be had before `at`; nothing was called, or what failed is worth trying again then."""

    def __init__(self, at: float, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


class Tokens:
    """Lends and re-issues. The store says who may mint, so that many processes mint a guest once.

    `shown` gives a guest's name as Webex may have it.
    """

    def __init__(
        self,
        store: Store,
        minter: Minter,
        clock: Clock,
        budget: Callable[[], Budget],
        changed: Callable[[str, float], None],
        shown: Callable[[str], str] = str,
    ) -> None:
        self._store = store
        self._shown = shown
        self._minter = minter
        self._clock = clock
        self._budget = budget
        self._changed = changed
        self._open: OrderedDict[tuple[str, float], str] = OrderedDict()
        self._reissues = asyncio.Semaphore(_REISSUES_AT_ONCE)
        self._log = structlog.get_logger()
        self.minted = 0
        self.reissued = 0
        self.failed = 0
        self.pace = Pace()

    async def lend(self, guest: Guest) -> LentToken:
        """A token that is good for a call now. Raises NotNow, or Refused where Webex will never mint it."""
        if guest.grant_at is None:
            return _lent(self._opened(guest), guest)
        try:
            return await self._mint(guest, urgent=True)
        except NotNow:
            if guest.usable(self._clock.now()):  # the new name must wait, the words need not
                return _lent(self._opened(guest), guest)
            raise

    def still(self, lent: LentToken) -> OwnedToken:
        """The token, for a call at this very moment; ask before each call, for the one before took its time.

        Raises NotNow where the token's life is over: ask for leave again.
        """
        now = self._clock.now()
        if lent.guest.usable(now):
            good_for = lent.guest.usable_until - now
            return OwnedToken(lent.value, lent.value.owner, self._clock.monotonic() + good_for)
        raise NotNow(now, "the token lapsed before its turn came")

    async def borrow(self, guest_id: str) -> LentToken:
        """The same for whoever has no leave from a claim. Raises NotNow or Refused."""
        wish = guests.Wanted(guest_id, self._budget(), self._clock.now())
        lent = await self._store.do(guests.want, wish)
        if lent.guest is None:
            raise NotNow(lent.wait_until or wish.now + 1, "no token can be minted now")
        return await self.lend(lent.guest)

    async def refused(self, lent: LentToken) -> LentToken:
        """Mints another token after a 401, or after this one lapsed before its call left. Raises NotNow or Refused."""
        if lent.guest.usable(self._clock.now()):  # else its life is over in any case, and nobody refused it
            self._log.warning("token.refused", guest=_short(lent.guest))
            await self._store.do(tokens.revoke, tokens.Revoked(lent.guest.id, lent.guest.issued_at))
        return await self.borrow(lent.guest.id)

    async def sweep(self) -> float | None:
        """Re-issues every token that is due; when the next one will be."""
        while True:
            due = tokens.Due(self._clock.now(), self._budget(), 200)
            taken = await self._store.do(tokens.take_due, due)
            await asyncio.gather(*(self._reissue(guest) for guest in taken))
            if len(taken) < due.limit:
                return await self._store.read(tokens.next_due)

    async def _reissue(self, guest: Guest) -> None:
        async with self._reissues:
            try:
                await self._mint(guest, urgent=False)
            except (NotNow, Refused) as error:
                if in_last_tenth(guest.issued_at, guest.expires_at, self._clock.now()):
                    self._log.error("token.ending", guest=_short(guest), reason=str(error))
            else:
                self.reissued += 1
                self._log.info(
                    "token.reissued", guest=_short(guest), subject_hash=subject_hash(guest.customer)
                )

    async def _mint(self, guest: Guest, *, urgent: bool) -> LentToken:
        assert guest.grant_at is not None
        if wait := await self._wait(guest, guest.grant_at, urgent=urgent):
            raise await self._not_asked(guest, wait)
        asked_at = self._clock.now()
        try:
            minted = await self._minter.mint(guest.id, self._shown(guest.display_name))
        except Parked as parked:
            raise await self._not_asked(guest, parked.retry_after) from None
        except WebexError as error:
            raise await self._mint_failed(guest, error) from None
        except LeaseLost:  # nothing was called
            await self._store.do(tokens.give_back, tokens.Returned(guest.id, guest.grant_at, asked_at))
            raise
        return self._keep(guest, minted, asked_at)

    async def _not_asked(self, guest: Guest, wait: float) -> NotNow:
        """The leave goes back; what the caller should raise."""
        at = self._clock.now() + wait
        await self._store.do(tokens.give_back, tokens.Returned(guest.id, guest.grant_at or 0, at))
        return NotNow(at, "minting keeps to the pace that Webex allows")

    async def _wait(self, guest: Guest, grant_at: float, *, urgent: bool) -> float:
        """The seconds before this guest's turn. A leave that is not quite fresh is looked over: another process may
        have been told to wait since it was given."""
        if self._clock.now() - grant_at > _FRESH_SECONDS:
            parked = await self._store.read(guests.minting_parked)
            if (wait := parked - self._clock.now()) > 0:
                return wait
        return self.pace.turn(guest.id, self._clock.monotonic(), urgent=urgent)

    def _keep(self, guest: Guest, minted: MintedGuest, asked_at: float) -> LentToken:
        """Writes the token down without waiting for the disk: should we die before, the intent that was
        written before the call still counts it, and another one is minted."""
        share = self._budget().reissue_at
        due = reissue_at(asked_at, minted.expires_in, share, self._clock.chance())
        row = Minted(
            guest_id=guest.id,
            grant_at=guest.grant_at or asked_at,
            token=self._store.cipher.seal(minted.token),
            issued_at=asked_at,
            expires_at=asked_at + minted.expires_in,
            reissue_at=due,
            name=guest.display_name,
            person_id=minted.person_id,
            email=minted.email,
        )
        saved = self._store.do_later(tokens.save_tokens, row, _SAVED_WITHIN)
        saved.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._remember(guest.id, asked_at, minted.token)
        self.minted += 1
        self.pace.succeeded()
        self._changed(guest.id, due)
        if guest.token is None:
            self._log.info("guest.minted", guest=_short(guest), subject_hash=subject_hash(guest.customer))
        fresh = guest._replace(
            token=row.token,
            issued_at=asked_at,
            expires_at=row.expires_at,
            minted_name=guest.display_name,
            person_id=minted.person_id or guest.person_id,
            email=minted.email or guest.email,
            grant_at=None,
        )
        return _lent(minted.token, fresh)

    async def _mint_failed(self, guest: Guest, error: WebexError) -> NotNow | Refused:
        """Notes the failure and the parks it leads to; what the caller should raise."""
        now = self._clock.now()
        self.failed += 1
        park_all = park_guest = None
        retry_at = retry_reissue_at(guest.failures + 1, guest.expires_at, now, self._clock.chance())
        if isinstance(error, Throttled):
            park_all, park_guest = mint_parks(error, now)
            monotonic = self._clock.monotonic()
            self.pace.throttled(monotonic, monotonic + park_all - now)
            retry_at = park_guest
        elif isinstance(error, CredentialsDead):
            retry_at = now + 30
        failure = MintFailed(
            guest_id=guest.id,
            grant_at=guest.grant_at or now,
            certain=not isinstance(error, Doubtful),
            retry_at=retry_at,
            park_guest_until=park_guest,
            park_all_until=park_all,
        )
        await self._store.do(tokens.mint_failed, failure)
        self._log.warning(
            "guest.not_minted", guest=_short(guest), reason=str(error), retry_in=round(retry_at - now, 1)
        )
        if isinstance(error, Refused) and error.status == 400:
            return error
        return NotNow(retry_at, str(error))

    def _opened(self, guest: Guest) -> str:
        known = self._open.get((guest.id, guest.issued_at))
        if known is None:
            assert guest.token is not None
            known = self._store.cipher.open(guest.token)
            self._remember(guest.id, guest.issued_at, known)
        return known

    def _remember(self, guest_id: str, issued_at: float, token: str) -> None:
        self._open[(guest_id, issued_at)] = token
        if len(self._open) > _CACHED:
            self._open.popitem(last=False)


def _lent(token: str, guest: Guest) -> LentToken:
    return LentToken(OwnedToken(token, guest.id), guest)


def _short(guest: Guest) -> str:
    """Enough of a guest's derived subject to tell guests apart in a log."""
    return guest.id[:12]
