"""One delivery of the customer's words: lend a token, say it in the 1:1, settle; look before repeating."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import structlog

from bridge.domain.conversation.hearing import is_the_guests
from bridge.domain.errors import (
    Doubtful,
    NoDirect,
    NotFound,
    Parked,
    Refused,
    Throttled,
    Unauthorized,
    WebexError,
)
from bridge.domain.retry import Again, GiveUp, after_failure
from bridge.ports import Clock
from bridge.stages.leases import Lease, LeaseLost, Leases
from bridge.stages.lost_words import CutOff, Found, cut_off_in_doubt, find
from bridge.stages.patience import NotYet, Patience
from bridge.stages.tokens import LentToken, NotNow, Tokens
from bridge.store import outbox, settling
from bridge.store.files import read_chunk
from bridge.store.guests import Budget, Guest
from bridge.store.lanes import ReadingPark, park_reading
from bridge.store.looking import Look, begin_look, end_look
from bridge.store.outbox import Claim, Work
from bridge.store.settling import Settled
from bridge.store.store import Store
from bridge.webex.client import FilePart, WebexClient
from bridge.webex.wire import Message

_SETTLED_WITHIN = 0.002
_REFUSED_WAIT = 0.3  # intake moves the customer to another agent meanwhile
_LOST_CONNECTION_QUIET = 3.0  # a request whose connection broke has had its effect by then
_LOOK_AGAIN = 1.5


class Courier:
    """The workers of the stage `say`.

    `after_words(guest, now)` says when a thread just written to is read for an answer, and which webhook its guest
    should have. `call_seconds`: how long a call to Webex may take, beside the time that a file needs.
    """

    def __init__(
        self,
        store: Store,
        webex: WebexClient,
        tokens: Tokens,
        clock: Clock,
        budget: Callable[[], Budget],
        after_words: Callable[[Guest | None, float], tuple[float, str | None]],
        settled: Callable[[Settled], None],
        leases: Leases,
        call_seconds: float,
    ) -> None:
        self._store = store
        self._webex = webex
        self._tokens = tokens
        self._clock = clock
        self._budget = budget
        self._after_words = after_words
        self._settled = settled
        self._leases = leases
        self._lease = leases.seconds
        self._call_seconds = call_seconds
        self._patience = Patience(store, clock)
        self._log = structlog.get_logger()

    def claim(self, room: int) -> Awaitable[Sequence[Work]]:
        """Submitted to the store when this returns."""
        now, budget = self._clock.now(), self._budget()
        wish = Claim("say", self._store.owner, now, self._lease, room, budget, self._call_seconds)
        return self._store.do(outbox.claim, wish)

    async def work(self, work: Work) -> Work | None:
        """Attempts one delivery and settles it; the lane's next one, on the same lease."""
        try:
            message = await self._attempt(work)
        except NotNow as later:
            return await self._settle(work, "again", again_at=later.at, error=later.reason, keep=True)
        except WebexError as error:
            return await self._failed(work, error)
        except asyncio.CancelledError as stop:
            await self._stopped(work, stop)
            raise
        return await self._settle(work, "done", message=message)

    async def _stopped(self, work: Work, stop: asyncio.CancelledError) -> None:
        """A stop in the middle: nothing was called, or it is in doubt until its call would have been over."""
        now, why = self._clock.now(), "the service was stopped"
        if isinstance(stop, CutOff):
            quiet = max(stop.quiet_until, work.quiet_until if work.doubt else 0)
            await self._settle(work, "again", again_at=now, error=why, doubt=True, quiet_until=quiet)
        else:
            await self._settle(work, "again", again_at=now, error=why, keep=True)

    async def _attempt(self, work: Work) -> Message:
        """The message in Webex, said now or found from a lost attempt. Raises NotNow where it is too early to tell."""
        assert work.guest is not None
        lent = await self._tokens.lend(work.guest)
        try:
            return await self._say(work, lent)
        except Unauthorized:
            return await self._say(work, await self._tokens.refused(lent))

    async def _say(self, work: Work, lent: LentToken) -> Message:
        if work.doubt:
            found = await self._look(work, lent)
            if found is not None:
                self._log.info("delivery.found", conversation=work.conversation_id, delivery=work.id)
                return found
        payload = json.loads(work.payload)
        if work.room_id:
            try:
                return await self._post(work, lent, payload, room_id=work.room_id)
            except NotFound:
                self._log.warning("room.lost", conversation=work.conversation_id)
        return await self._post(work, lent, payload, to_person_email=work.address)

    async def _post(self, work: Work, lent: LentToken, payload: dict[str, Any], **to: Any) -> Message:
        token = self._tokens.still(lent)
        file = payload.get("file")
        if file is None:
            what: dict[str, Any] = {"text": payload["text"]}
        elif "id" in file:
            chunks = self._bytes_of(file["id"], self._leases.present())
            what = {"file": FilePart(file["name"], file["type"], chunks, file["size"])}
        else:
            what = {"file_url": file["url"]}
        over_at = self._clock.now() + work.call_seconds
        return await cut_off_in_doubt(self._webex.send_message(token, **what, **to), over_at)

    async def _bytes_of(self, file_id: str, lease: Lease | None) -> AsyncIterator[bytes]:
        """An upload takes minutes: each piece of it is asked for under the lease, and without its end it is none."""
        number = 0
        while (chunk := await self._store.read(read_chunk, file_id, number)) is not None:
            if lease is not None:
                lease.check()
            yield chunk
            number += 1

    async def _look(self, work: Work, lent: LentToken) -> Message | None:
        """Our message in the 1:1, should a lost attempt have put it there; None: it never will.

        Only what the guest said after the last message known to be ours can be it: a lane is strictly in
        order, so two equal texts sent on purpose are told apart. Looking is reading: it keeps to what Webex
        asked of the reading of answers, and the other way round. Raises NotNow meanwhile.
        """
        guest_id, now = lent.guest.id, self._clock.now()
        looking = await self._store.do(begin_look, Look(work, now, self._lease))
        if looking.state is None:
            raise LeaseLost("its delivery is somebody else's")
        if looking.state != "open":
            raise NotNow(now, "it was taken back")
        if looking.wait_until is not None:
            raise NotNow(looking.wait_until, "this guest's threads are not to be read now")
        payload, ours = json.loads(work.payload), {work.id, *looking.copies}
        try:
            with self._leases.keeping(looking.kept):
                found = await find(
                    self._webex,
                    self._store,
                    lambda: self._tokens.still(lent),
                    work.address or "",
                    lambda message: is_the_guests(
                        message.person_id,
                        message.person_email,
                        lent.guest.person_id,
                        lent.guest.email,
                        work.address or "",
                    ),
                    lambda message: _same(message, payload),
                    ours,
                    looking.since,
                )
        except Refused as error:  # whether it is there cannot be known: rather twice than never
            self._log.warning("room.not_read", conversation=work.conversation_id, reason=str(error))
            found = Found()
        except Throttled as error:
            until = self._clock.now() + error.retry_after
            await self._store.do(park_reading, ReadingPark(guest_id, until))
            raise NotNow(until, str(error)) from None
        finally:
            await self._store.do(end_look, looking)
        if found.message is None and found.dark:
            await self._wait_for_light(found.dark)
        quiet, now = max(work.quiet_until, looking.quiet_until), self._clock.now()
        if found.message is None and now < quiet:
            raise NotNow(min(quiet, now + _LOOK_AGAIN), "its outcome is not known yet")
        return found.message

    async def _wait_for_light(self, message_ids: Sequence[str]) -> None:
        """One of these may be ours, and Webex cannot decrypt it just now. Raises NotNow for a while."""
        try:
            await self._patience.wait(message_ids[-1], message_ids[:-1])
        except NotYet as later:
            raise NotNow(self._clock.now() + later.after, "its thread cannot be read just now") from None

    async def _failed(self, work: Work, error: WebexError) -> Work | None:
        now = self._clock.now()
        self._log.warning(
            "delivery.failed",
            conversation=work.conversation_id,
            delivery=work.id,
            attempt=work.attempt,
            reason=str(error),
        )
        if isinstance(error, Refused) and (error.status in (403, 404) or isinstance(error, NoDirect)):
            return await self._settle(work, "agent-refused", again_at=now + _REFUSED_WAIT, error=str(error))
        verdict = after_failure(
            error, attempt=work.attempt, created_at=work.created_at, now=now, jitter=self._clock.chance()
        )
        match verdict:
            case Again(at=at, doubt=doubt):
                lost = isinstance(error, Doubtful) and error.status is None
                quiet = now + _LOST_CONNECTION_QUIET if lost else now
                # An attempt that never looked in the room leaves the doubt of the one before; so does none at all.
                keep = isinstance(error, Parked) or (work.doubt and not doubt)
                return await self._settle(
                    work, "again", again_at=at, error=str(error), doubt=doubt, quiet_until=quiet, keep=keep
                )
            case GiveUp(reason=reason):
                return await self._settle(work, "dead", error=reason)

    async def _settle(
        self,
        work: Work,
        outcome: str,
        *,
        again_at: float = 0,
        error: str | None = None,
        doubt: bool = False,
        quiet_until: float = 0,
        keep: bool = False,
        message: Message | None = None,
    ) -> Work | None:
        """`keep`: nothing was attempted, so the doubt of an earlier attempt stands as it was."""
        now = self._clock.now()
        listen_at, webhook = self._after_words(work.guest, now)
        settled = Settled(
            work=work,
            outcome=outcome,
            now=now,
            lease=self._lease,
            again_at=again_at,
            doubt=work.doubt if keep else doubt,
            quiet_until=work.quiet_until if keep else quiet_until,
            counted=not keep,
            error=error,
            webex_id=message.id if message else None,
            room_id=message.room_id if message else None,
            webex_created=message.created if message else None,
            listen_at=listen_at,
            webhook=webhook,
            budget=self._budget(),
            call_seconds=self._call_seconds,
        )
        # The next customer's event often comes in this moment: then both are one commit.
        following = await self._store.do_later(settling.settle, settled, _SETTLED_WITHIN)
        if following.lost:
            self._log.warning("lease.lost", conversation=work.conversation_id, delivery=work.id)
        else:
            self._settled(settled)
        return following.work


def _same(message: Message, payload: dict[str, Any]) -> bool:
    if payload.get("file") is not None:
        return bool(message.files) and not (message.text or "").strip()
    return not message.files and _plain(message.text or "") == _plain(payload["text"])


def _plain(text: str) -> str:
    """White space is what Webex may change of a text."""
    return " ".join(text.split())
