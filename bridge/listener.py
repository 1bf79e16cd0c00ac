"""Hearing the agent: reads 1:1 threads and puts what is new into the inbox, once and in order.

A webhook of Webex only says 'look'. Reading the thread makes late, doubled, missing and reordered webhooks
all the same; where there are no webhooks the thread is simply read more often.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from bridge.domain.errors import (
    NotFound,
    Refused,
    Throttled,
    Unauthorized,
    WebexError,
)
from bridge.domain.hearing import HINT_TRIES, all_listed, in_time, next_read, while_away, worth_keeping
from bridge.domain.retry import backoff
from bridge.markup import safe_html
from bridge.patience import AgentFiles, NotYet, Patience
from bridge.ports import Clock
from bridge.store import hearing
from bridge.store.guests import Budget
from bridge.store.hearing import Listen, NewWords, Thread, ThreadRead
from bridge.store.store import Store
from bridge.tokens import LentToken, NotNow, Tokens
from bridge.webex.client import WebexClient
from bridge.webex.wire import Message

_PAGE = 50
_MOST_PAGES = 20
_FIRST_WORDS_WAIT = 0.5


class Listener:
    """The workers of the stage `hear`. `polled()` says whether replies are polled."""

    def __init__(
        self,
        store: Store,
        webex: WebexClient,
        tokens: Tokens,
        clock: Clock,
        budget: Callable[[], Budget],
        polled: Callable[[], bool],
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
        self._poll_seconds = poll_seconds
        self._heard = heard
        self._lease = lease_seconds
        self._patience = Patience(store, clock)
        self._files = AgentFiles(webex, tokens, self._patience)
        self._log = structlog.get_logger()

    async def claim(self, room: int) -> Sequence[Thread]:
        wish = Listen(self._store.owner, self._clock.now(), self._lease, room, self._budget())
        return await self._store.do(hearing.claim_threads, wish)

    async def work(self, thread: Thread) -> None:
        """Reads one thread and settles it."""
        if not thread.open and not thread.hints:
            await self._settle(thread, (), thread.hints, None)
            return
        if (
            thread.since is None
        ):  # the customer's first words are just being said; the answer comes after them
            await self._settle(thread, (), (), self._clock.now() + _FIRST_WORDS_WAIT)
            return
        try:
            lent = await self._tokens.lend(thread.guest)
            try:
                await self._read(thread, lent)
            except Unauthorized:
                await self._read(thread, await self._tokens.refused(lent))
        except NotNow as later:
            await self._settle(thread, (), (), later.at)
        except WebexError as error:
            await self._failed(thread, error)

    async def _failed(self, thread: Thread, error: WebexError) -> None:
        now = self._clock.now()
        failures = thread.failures + 1
        wait = error.retry_after if isinstance(error, Throttled) else backoff(failures, self._clock.chance())
        level = self._log.info if isinstance(error, NotFound) else self._log.warning
        level(
            "thread.not_read", conversation=thread.conversation_id, reason=str(error), retry_in=round(wait, 1)
        )
        parked = isinstance(error, Throttled)
        await self._settle(thread, (), (), now + wait, failures=failures, parked=parked)

    async def _read(self, thread: Thread, lent: LentToken) -> None:
        page = await self._newest(thread, lent)
        seen = {message.id for message in page}
        missing = [hint for hint in thread.hints if hint not in seen]
        cleared = [hint for hint in thread.hints if hint in seen]
        failures, again_at = 0, self._next_read(thread)
        if missing and thread.failures < HINT_TRIES:  # Webex's REST lags behind its webhooks now and then
            failures = thread.failures + 1
            again_at = self._clock.now() + backoff(failures, self._clock.chance()) / 2
        elif missing:
            found, done = await self._by_id(missing, lent)
            page += found
            cleared += done
        words, wait = await self._new_words(thread, lent, page)
        if wait is not None:
            again_at = self._clock.now() + wait
        whole = wait is None and failures == 0 and all_listed(self._clock.now(), thread.back_at)
        await self._settle(thread, words, cleared, again_at, failures=failures, whole=whole)

    async def _newest(self, thread: Thread, lent: LentToken) -> list[Message]:
        """The thread's newest messages, oldest first; as far back as this conversation goes."""
        items = await self._webex.list_direct(self._tokens.still(lent), person_email=thread.agent_email)
        pages = 1
        while self._more_to_read(thread, items) and pages < _MOST_PAGES:
            page = await self._webex.list_messages(
                self._tokens.still(lent), items[-1].room_id, before_message=items[-1].id, max_items=_PAGE
            )
            if not page.items:
                break
            known = {message.id for message in items}
            items = [*items, *(message for message in page.items if message.id not in known)]
            pages += 1
        items.reverse()  # Webex gives the newest first; within a millisecond only its order tells
        return sorted(items, key=lambda message: message.created)

    def _more_to_read(self, thread: Thread, items: Sequence[Message]) -> bool:
        """A full page that does not reach back to the last time we looked: there was a gap."""
        if len(items) < _PAGE or thread.since is None:
            return False
        return min(message.created for message in items) > max(thread.since, thread.quiet_since - 600)

    async def _by_id(self, ids: Sequence[str], lent: LentToken) -> tuple[list[Message], list[str]]:
        """The messages that can be had, and the hints that are done with: one that is not given is given up."""
        found, done = [], []
        for ident in ids:
            try:
                found.append(await self._webex.get_message(self._tokens.still(lent), ident))
            except (Throttled, Unauthorized):
                raise
            except WebexError as error:
                if not isinstance(error, Refused) and await self._may_come(ident):
                    continue
                self._log.warning("hint.dropped", webex_message=ident, reason=str(error))
            done.append(ident)
        return found, done

    async def _may_come(self, message_id: str) -> bool:
        try:
            await self._patience.wait(message_id)
        except NotYet:
            return True
        return False

    async def _new_words(
        self, thread: Thread, lent: LentToken, page: Sequence[Message]
    ) -> tuple[tuple[NewWords, ...], float | None]:
        """The agent's messages as envelopes' bodies; and a wait, where one of them is not ready yet."""
        words: list[NewWords] = []
        begun = all(message.id != thread.since_id for message in page)
        for index, message in enumerate(page):
            begun = begun or message.id == thread.since_id
            theirs = message.person_email.lower() == thread.agent_email.lower()
            if not theirs or not worth_keeping(message.created, thread.since):
                continue
            behind = [one.id for one in page[index + 1 :] if one.files or one.kms_failed]
            try:
                found = await self._words(thread, lent, message, begun, behind)
            except NotYet as later:
                return tuple(words), later.after
            words += [found] if found else []
        return tuple(words), None

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
        known = (dark or has_files) and await self._store.read(hearing.is_heard, message.id)
        if dark and known:
            return None
        if for_customer and message.kms_failed:
            await self._patience.wait(message.id, behind)
        body["unread"] = dark
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
            polled=self._polled(),
            poll_seconds=self._poll_seconds(),
        )

    async def _settle(
        self,
        thread: Thread,
        words: Sequence[NewWords],
        cleared: Sequence[str],
        again_at: float | None,
        failures: int = 0,
        parked: bool = False,
        whole: bool = False,
    ) -> None:
        now = self._clock.now()
        read = ThreadRead(thread, now, tuple(words), tuple(cleared), again_at, failures, parked, whole)
        if not await self._store.do(hearing.settle_thread, read):
            self._log.warning("lease.lost", conversation=thread.conversation_id)
        elif words:
            self._heard()
