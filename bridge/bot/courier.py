"""One note to an agent or a lead: find the words, say them with the bot's token, settle; alerts are grouped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import structlog

from bridge.bot.wording import Note, Wording, Words
from bridge.domain.bot.machines import is_machine
from bridge.domain.errors import Doubtful, NotFound, Parked, Refused, Throttled, WebexError
from bridge.domain.retry import Again, after_failure
from bridge.domain.throttling import OwnedToken
from bridge.ports import Clock
from bridge.stages.leases import LeaseLost
from bridge.stages.lost_words import CutOff, cut_off_in_doubt, find
from bridge.store import bot
from bridge.store.bot import Told
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.outbox import Claim, Work
from bridge.store.settling import Settled
from bridge.store.store import Store
from bridge.webex.client import WebexClient
from bridge.webex.wire import Message

ALERT_SECONDS = 60.0  # a lead gets at most one alert in so long
_SAME_SECONDS = 600.0  # an agent is told once in so long that words to a customer came too late
_LOST_CONNECTION_QUIET = 3.0
_MERGED = ("late", "unknown-command", "file-refused", "unread", "card-held")


class BotCourier:
    """The workers of the stage `bot`."""

    def __init__(
        self,
        store: Store,
        webex: WebexClient,
        clock: Clock,
        token: OwnedToken,
        wording: Wording,
        rooms: dict[str, str],
        lease_seconds: float,
        call_seconds: float,
    ) -> None:
        self._store = store
        self._webex = webex
        self._clock = clock
        self._token = token
        self._wording = wording
        self._rooms = rooms
        self._lease = lease_seconds
        self._call_seconds = call_seconds
        self._log = structlog.get_logger()

    async def claim(self, room: int) -> Sequence[Work]:
        now, seconds = self._clock.now(), self._call_seconds
        wish = Claim("bot", self._store.owner, now, self._lease, room, call_seconds=seconds)
        return await self._store.do(bot.claim, wish)

    async def work(self, work: Work) -> Work | None:
        """Attempts one note and settles it; the lane's next one, on the same lease."""
        payload = json.loads(work.payload)
        note = Note(work, payload["kind"], payload["lead"], payload["fields"])
        name = self._hush_name(note)
        hushed = await self._store.read(bot.hushed_until, name) if name else 0.0
        if hushed > self._clock.now():
            if note.lead:
                return await self._settle(note, "again", again_at=hushed, untried=True)
            return await self._settle(note, "done")  # said already
        try:
            return await self._attempt(await self._with_others(note))
        except WebexError as error:
            return await self._failed(note, error)
        except (StoreUnavailable, LeaseLost):
            raise
        except asyncio.CancelledError as stop:
            await self._stopped(note, stop)
            raise
        except Exception as error:  # noqa: BLE001 - one note that cannot be put into words must not hold up the others
            self._log.error("note.crashed", kind=note.kind, delivery=work.id, error=type(error).__name__)
            return await self._settle(
                note, "dead", error=f"it could not be put into words: {type(error).__name__}"
            )

    async def _attempt(self, note: Note) -> Work | None:
        await self._take_cards_away(note)
        words = await self._wording.of(note)
        message: Message | None = None
        if words.text:
            message = await self._say(note.work, words)
            if message is None:
                again_at = min(note.work.quiet_until, self._clock.now() + 1.5)
                return await self._settle(note, "again", again_at=again_at, untried=True)
            self._rooms[message.room_id] = note.work.address or ""
            self._log.info("note.sent", kind=note.kind, delivery=note.work.id, along=len(note.along))
        return await self._settle(note, "done", message=message)

    async def _with_others(self, note: Note) -> Note:
        """An alert takes all that waits along; an agent's notice those alike."""
        if not note.lead and note.kind not in _MERGED:
            return note
        behind = await self._store.read(bot.waiting, note.work.lane, note.work.id)
        alike = [
            one
            for one in behind
            if note.lead
            or (one.conversation_id == note.work.conversation_id and one.payload["kind"] == note.kind)
        ]
        return Note(note.work, note.kind, note.lead, note.fields, tuple(alike))

    def _hush_name(self, note: Note) -> str | None:
        if note.lead:
            return note.work.lane
        if note.kind == "late" and not note.fields.get("asked"):
            return f"late:{note.work.conversation_id}:{note.work.address}"
        return None

    # saying it

    async def _say(self, work: Work, words: Words) -> Message | None:
        """The message in Webex, said now or found from a lost attempt; None: too early to tell."""
        if work.doubt:
            found = await self._look(work, words.text)
            if found is not None or self._clock.now() < work.quiet_until:
                return found
        cards = [dict(words.card)] if words.card else None
        call = self._webex.send_message(
            self._token, to_person_email=work.address, text=words.text, attachments=cards
        )
        return await cut_off_in_doubt(call, self._clock.now() + work.call_seconds)

    async def _look(self, work: Work, text: str) -> Message | None:
        """Ours, said after the last one that is known to have arrived."""
        try:
            found = await find(
                self._webex,
                self._store,
                lambda: self._token,
                work.address or "",
                # Ours, whatever address the other has by now.
                lambda message: is_machine(message.person_email),
                lambda message: (message.text or "").split() == text.split(),
                {work.id},
            )
        except Refused as error:  # whether it is there cannot be known: rather twice than never
            self._log.warning("room.not_read", delivery=work.id, reason=str(error))
            return None
        return found.message

    async def _take_cards_away(self, note: Note) -> None:
        """A card cannot be edited (https://developer.webex.com/docs/api/v1/messages/edit-a-message)."""
        if note.lead or note.kind not in ("moved", "ended"):
            return
        work = note.work
        for message_id in await self._store.read(
            bot.cards, work.conversation_id, work.address or "", work.id
        ):
            try:
                await self._webex.delete_message(self._token, message_id)
            except NotFound:
                continue  # it was taken away before
            except Throttled:
                raise  # what is said next would be throttled as well
            except (
                WebexError
            ) as error:  # it only misleads, and a press on it is answered: no reason to hold words back
                self._log.warning("card.not_taken_away", delivery=work.id, reason=str(error))

    # how it ended

    async def _stopped(self, note: Note, stop: asyncio.CancelledError) -> None:
        """A stop in the middle: nothing was called, or it is in doubt until its call would have been over."""
        work, now = note.work, self._clock.now()
        if isinstance(stop, CutOff):
            quiet = max(stop.quiet_until, work.quiet_until if work.doubt else 0)
            await self._settle(note, "again", again_at=now, doubt=True, quiet_until=quiet)
        else:
            await self._settle(note, "again", again_at=now, untried=True)

    async def _failed(self, note: Note, error: WebexError) -> Work | None:
        work, now = note.work, self._clock.now()
        self._log.warning(
            "note.failed", kind=note.kind, delivery=work.id, attempt=work.attempt, reason=str(error)
        )
        verdict = after_failure(
            error, attempt=work.attempt, created_at=work.created_at, now=now, jitter=self._clock.chance()
        )
        if isinstance(verdict, Again):
            lost = isinstance(error, Doubtful) and error.status is None
            return await self._settle(
                note,
                "again",
                again_at=verdict.at,
                untried=isinstance(error, Parked),
                error=str(error),
                doubt=verdict.doubt or work.doubt,
                quiet_until=now + _LOST_CONNECTION_QUIET if lost else work.quiet_until if work.doubt else now,
            )
        return await self._settle(note, "dead", error=verdict.reason)

    async def _settle(
        self,
        note: Note,
        outcome: str,
        *,
        again_at: float = 0,
        untried: bool = False,
        error: str | None = None,
        doubt: bool = False,
        quiet_until: float = 0,
        message: Message | None = None,
    ) -> Work | None:
        """`untried`: nothing was attempted, so the doubt of an earlier attempt stands as it was."""
        now, work = self._clock.now(), note.work
        settled = Settled(
            work=work,
            outcome=outcome,
            now=now,
            lease=self._lease,
            again_at=again_at,
            doubt=work.doubt if untried else doubt,
            quiet_until=work.quiet_until if untried else quiet_until,
            counted=not untried,
            error=error,
            webex_id=message.id if message else None,
            call_seconds=self._call_seconds,
        )
        name = self._hush_name(note) if message else None
        hush = (name, now + (ALERT_SECONDS if note.lead else _SAME_SECONDS)) if name else None
        merged = tuple(one.id for one in note.along)
        following = await self._store.do(bot.told, Told(settled, merged, hush, forget=note.kind == "say"))
        if following.lost:
            self._log.warning("lease.lost", delivery=work.id)
        return following.work
