"""Hearing the agent: reads 1:1 threads and puts what is new into the inbox, once and in order.

A webhook of Webex only says 'look'. Reading the thread makes late, doubled, missing and reordered webhooks
all the same; where there are no webhooks the thread is simply read more often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from bridge.domain.conversation.hearing import (
    HINT_TRIES,
    all_listed,
    in_time,
    is_the_guests,
    next_read,
    oldest_first,
    while_away,
    worth_keeping,
)
from bridge.domain.errors import (
    NotFound,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
    WebexError,
)
from bridge.domain.retry import backoff
from bridge.ports import Clock
from bridge.stages.markup import safe_html
from bridge.stages.patience import AgentFiles, NotYet, Patience
from bridge.stages.reading import Reading
from bridge.stages.tokens import LentToken, NotNow, Tokens
from bridge.store import hearing, new_words
from bridge.store.guests import Budget
from bridge.store.hearing import Listen, Thread
from bridge.store.new_words import NewWords
from bridge.store.store import Store
from bridge.store.taken_back import Unsaid, note_deleted, shown_since
from bridge.webex.client import WebexClient
from bridge.webex.wire import Message

_PAGE = 50
_MOST_LISTED = 1000  # messages in memory at once; of more the oldest are dealt with first
_MOST_ASKED = 10  # in one reading, for messages that are not listed any more
_ASKED_SECONDS = 60.0  # so seldom for each that Webex gives by its id and does not list
_FORGET_SECONDS = 3600.0
_FIRST_WORDS_WAIT = 0.5


class Listener:
    """The workers of the stage `hear`. `polled(webhook)`: whether threads of a guest with this webhook are polled."""

    def __init__(
        self,
        store: Store,
        webex: WebexClient,
        tokens: Tokens,
        clock: Clock,
        budget: Callable[[], Budget],
        polled: Callable[[str | None], bool],
        poll_seconds: Callable[[], float],
        heard: Callable[[], None],
        lease_seconds: float,
    ) -> None:
        self._store = store
        self._webex = webex
        self._tokens = tokens
        self._clock = clock
        self._budget = budget
        self._polled = polled
        # By the configured address, the one from which an agent was seen to write instead.
        self.other_addresses: dict[str, str] = {}
        self._poll_seconds = poll_seconds
        self._heard = heard
        self._lease = lease_seconds
        self._patience = Patience(store, clock)
        self._files = AgentFiles(webex, tokens, self._patience)
        # When each that was shown and is not listed any more was asked for last.
        self._asked: dict[str, float] = {}
        self._log = structlog.get_logger()

    async def claim(self, room: int) -> Sequence[Thread]:
        wish = Listen(self._store.owner, self._clock.now(), self._lease, room, self._budget())
        return await self._store.do(hearing.claim_threads, wish)

    async def work(self, thread: Thread) -> None:
        """Reads one thread and settles it."""
        reading = Reading(thread, self._clock.now())
        if not thread.open and (not thread.hints or thread.since is None):
            reading.dropped.update(thread.hints)
            await self._settle(reading, None)
            return
        if (
            thread.since is None
        ):  # the customer's first words are just being said; the answer comes after them
            await self._settle(reading, reading.began + _FIRST_WORDS_WAIT)
            return
        try:
            lent = await self._tokens.lend(thread.guest)
            try:
                await self._read(reading, lent)
            except Unauthorized:
                await self._read(reading, await self._tokens.refused(lent))
        except NotNow as later:
            await self._settle(reading, later.at)
        except WebexError as error:
            await self._failed(reading, error)

    async def _failed(self, reading: Reading, error: WebexError) -> None:
        """What was heard up to there counts all the same."""
        thread, now = reading.thread, self._clock.now()
        failures = thread.failures + 1
        wait = error.retry_after if isinstance(error, Throttled) else backoff(failures, self._clock.chance())
        level = self._log.info if isinstance(error, NotFound) else self._log.warning
        level(
            "thread.not_read", conversation=thread.conversation_id, reason=str(error), retry_in=round(wait, 1)
        )
        more: dict[str, Any] = {"failures": failures, "parked": isinstance(error, Throttled)}
        if isinstance(error, Refused):  # where reading back was to go on is not there any more
            more["unread_from"] = None
        await self._settle(reading, now + wait, **more)

    async def _read(self, reading: Reading, lent: LentToken) -> None:
        thread = reading.thread
        reading.words, reading.handled = [], []
        await self._list(reading, lent)
        if not reading.back:
            await self._settle(reading, self._clock.now())
            return
        wait = await self._new_words(reading, lent, oldest_first(reading.listed))
        if thread.unread_from is not None:  # all that is newer comes next
            await self._settle(reading, self._clock.now() + (wait or 0.0))
            return
        seen = {message.id for message in reading.listed}
        missing = [hint for hint in thread.hints if hint not in seen]
        failures, again_at = 0, self._next_read(thread)
        if missing and thread.failures < HINT_TRIES:  # Webex's REST lags behind its webhooks now and then
            failures = thread.failures + 1
            again_at = self._clock.now() + backoff(failures, self._clock.chance()) / 2
        elif missing and wait is None:
            wait = await self._ask_for(missing, reading, lent)
        if wait is not None:
            again_at = self._clock.now() + wait
        await self._withdraw(reading, lent)
        whole = wait is None and failures == 0 and all_listed(reading.began, thread.back_at)
        await self._settle(reading, again_at, failures=failures, whole=whole)

    async def _list(self, reading: Reading, lent: LentToken) -> None:
        """Lists the thread from the newest message, or where the turn before stopped, back to what was read before.

        However many pages that takes; but not more in one turn than fits into memory.
        """
        thread = reading.thread
        if not reading.listed and (thread.unread_from is None or thread.room_id is None):
            newest = await self._webex.list_direct(
                self._tokens.still(lent),
                person_email=thread.agent_email,
                is_there=thread.room_id is not None,
            )
            if not reading.add(newest):  # nothing there, or nothing of a whole page that can be read
                reading.back = thread.room_id is None
        while not reading.back and len(reading.listed) < _MOST_LISTED:
            room, oldest = thread.room_id, thread.unread_from
            if reading.listed:
                room, oldest = reading.listed[-1].room_id, reading.listed[-1].id
            assert room is not None
            page = await self._webex.list_messages(
                self._tokens.still(lent), room, before_message=oldest, max_items=_PAGE
            )
            if not reading.add(page.items):
                if page.more:
                    raise Unavailable("Webex gave empty pages of a thread")
                reading.back = True  # there is nothing older

    async def _ask_for(self, ids: Sequence[str], reading: Reading, lent: LentToken) -> float | None:
        """Messages that webhooks have named and that are not listed, such as old ones that were edited."""
        for ident in ids:
            try:
                message = await self._webex.get_message(self._tokens.still(lent), ident)
            except (Throttled, Unauthorized):
                raise
            except WebexError as error:
                if isinstance(error, Refused) or not await self._may_come(ident):
                    self._log.warning("hint.dropped", webex_message=ident, reason=str(error))
                    reading.dropped.add(ident)
                continue
            wait = await self._new_words(reading, lent, [message])
            if wait is not None:
                return wait
        return None

    async def _may_come(self, message_id: str) -> bool:
        try:
            await self._patience.wait(message_id)
        except NotYet:
            return True
        return False

    async def _withdraw(self, reading: Reading, lent: LentToken) -> None:
        """Takes from the customer what the agent has taken back: where replies are polled, or a webhook got lost,
        nobody else tells. It was listed once, no longer is, and is not found by its id either."""
        thread = reading.thread
        if not thread.open or not reading.listed:
            return
        oldest = min(message.created for message in reading.listed)
        shown = await self._store.read(shown_since, thread.conversation_id, thread.agent_email, oldest)
        there = {message.id for message in reading.listed}
        for ident in self._to_ask_for([one for one in shown if one not in there]):
            try:
                await self._webex.get_message(self._tokens.still(lent), ident)
            except (Throttled, Unauthorized):
                raise
            except NotFound:
                unsaid = Unsaid(ident, thread.guest.id, self._clock.now())
                if await self._store.do(note_deleted, unsaid):
                    self._heard()
            except WebexError as error:  # whatever is wrong with it, it is not gone
                self._log.info("message.not_read", webex_message=ident, reason=str(error))

    def _to_ask_for(self, missing: Sequence[str]) -> Sequence[str]:
        """Those that were not asked for just now, new ones first. One that only its list does not show, or not in a
        form that can be read, would cost a call at each reading."""
        if not missing:
            return ()
        now = self._clock.monotonic()
        self._asked = {ident: at for ident, at in self._asked.items() if at > now - _FORGET_SECONDS}
        due = [ident for ident in missing if now >= self._asked.get(ident, -_ASKED_SECONDS) + _ASKED_SECONDS]
        asked = sorted(due, key=lambda ident: self._asked.get(ident, 0.0))[:_MOST_ASKED]
        self._asked.update(dict.fromkeys(asked, now))
        return asked

    async def _new_words(self, reading: Reading, lent: LentToken, page: Sequence[Message]) -> float | None:
        """Puts the agent's messages into `reading` as envelopes' bodies; a wait, where one of them is not ready yet."""
        thread = reading.thread
        begun = all(message.id != thread.since_id for message in page)
        for index, message in enumerate(page):
            begun = begun or message.id == thread.since_id
            theirs = self._is_the_agents(message, thread)
            if theirs and worth_keeping(message.created, thread.since):
                behind = [one.id for one in page[index + 1 :] if one.files or one.kms_failed]
                try:
                    words = await self._words(thread, lent, message, begun, behind)
                except NotYet as later:
                    return later.after
                if words:
                    reading.words.append((message.created, words))
            reading.handled.append(message)
        return None

    def _is_the_agents(self, message: Message, thread: Thread) -> bool:
        guest, agent = thread.guest, thread.agent_email
        if is_the_guests(message.person_id, message.person_email, guest.person_id, guest.email, agent):
            return False
        if message.person_email.casefold() != agent.casefold() and self.other_addresses.get(agent) is None:
            self.other_addresses[agent] = message.person_email
            self._log.warning("agent.other_address", agent=thread.agent_email)
        return True

    async def _words(
        self, thread: Thread, lent: LentToken, message: Message, begun: bool, behind: Sequence[str]
    ) -> NewWords | None:
        """None for what was heard before and cannot be read just now: it stays as it is known."""
        body: dict[str, Any] = {
            "message_id": message.id,
            "text": message.text or message.markdown or "",
            "html": safe_html(message.html),
            "agent_email": thread.agent_email,
            "in_time": in_time(message.created, thread.since, listed_after=begun),
            "away": not thread.present or while_away(message.created, thread.back_at),
            "files": [],
            "refused_files": [],
        }
        for_customer = body["in_time"] and not body["away"]
        dark = message.kms_failed or message.unreadable
        has_files = bool(message.files) and for_customer
        known = (dark or has_files) and await self._store.read(new_words.is_heard, message.id)
        if dark and known:
            return None
        if for_customer and message.kms_failed:
            await self._patience.wait(message.id, behind)
        body["unread"] = dark
        body["card"] = message.has_card and not (dark or body["text"] or message.files)
        if dark:
            self._log.warning(
                "message.not_read", conversation=thread.conversation_id, webex_message=message.id
            )
        elif has_files and not known:
            fresh = lent.guest.issued_at != thread.guest.issued_at
            body["files"], body["refused_files"] = await self._files.look(
                message, lent, behind, new_token=fresh
            )
        return NewWords(message.id, message.updated or 0.0, body)

    def _next_read(self, thread: Thread) -> float | None:
        return next_read(
            self._clock.now(),
            quiet_since=thread.quiet_since,
            open=thread.open,
            present=thread.present,
            polled=self._polled(thread.guest.webhook),
            poll_seconds=self._poll_seconds(),
        )

    async def _settle(self, reading: Reading, again_at: float | None, **more: Any) -> None:
        read = reading.result(self._clock.now(), again_at, **more)
        came_of_it = await self._store.do(hearing.settle_thread, read)
        if came_of_it == "lost":
            self._log.warning("lease.lost", conversation=reading.thread.conversation_id)
        elif came_of_it == "changed":
            self._log.info("thread.changed", conversation=reading.thread.conversation_id)
        elif read.words:
            self._heard()
