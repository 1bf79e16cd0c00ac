"""Into the inbox: checks who it is from, what it is, and stores it; only then is it acknowledged."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import structlog
from prometheus_client import Counter
from pydantic_core import to_json

from bridge.domain import identity
from bridge.domain.conversation.answer import ACCEPTED
from bridge.domain.conversation.public import iso
from bridge.ports import Clock
from bridge.store import reads
from bridge.store.envelopes import EVENT
from bridge.store.inbox import (
    Accepted,
    Arrival,
    DeadKey,
    NameRefused,
    NoConversation,
    Opening,
    accept,
    kill_key,
)
from bridge.store.reads import Backlog
from bridge.store.store import Store
from handlers.amounts import Amounts
from handlers.decisions import Decisions
from handlers.events import Event, EventData, Words, context_text, words_of
from handlers.problems import Problem
from handlers.rates import Rates
from handlers.sources import SourceView

MOST_BACKLOG = 200_000
MOST_BACKLOG_OF_SOURCE = 100_000
_BACKLOG_RETRY = 10
Limit = tuple[str, float]  # whose, and how many in a minute
_KINDS = {"conversation.requested": "requested", "message.created": "said", "conversation.ended": "ended"}


class Door:
    """Shared by all doors through which customers' words come."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        root: bytes,
        sources: Callable[[], Mapping[str, SourceView]],
        backlog: Callable[[], Backlog],
        stored: Callable[[], None],
        counter: Counter,
        most_file_bytes: Callable[[], int],
        link: Callable[[str], str | None],
        decisions: Decisions,
    ) -> None:
        """`most_file_bytes()`: what customers' files may take up in all; `link(conversation)`: its customer's page."""
        self.store = store
        self.clock = clock
        self.root = root
        self.sources = sources
        self.rates = Rates()
        self._decisions = decisions
        self._link = link
        self.most_file_bytes = most_file_bytes
        self._amounts = Amounts(store)
        self._backlog = backlog
        self._stored = stored
        self._counted = cache(counter.labels)
        self._log = structlog.get_logger()

    def source(self, name: str) -> SourceView:
        """Raises Problem 404."""
        known = self.sources().get(name)
        if known is None:
            raise Problem(404, "There is no source of this name.")
        return known

    async def take_event(
        self, source: SourceView, webhook_id: str, event: Event, *limits: Limit
    ) -> tuple[int, dict[str, Any]]:
        """Stores one event of an authenticated source; (status, answer). Raises Problem.

        `limits` hold beside the source's own.
        """
        # The prefix keeps a source's ids apart from the keys of other envelopes, whatever the source is called.
        unique = f"{EVENT}{source.name}:{_short(webhook_id)}"
        counted = await self._take_from_rates(
            unique, (*limits, (f"source:{source.name}", source.rate_per_minute))
        )
        accepted: Accepted | None = None
        with self._decisions.waiting(unique) as decided:
            try:
                self._check_backlog(source.name)
                accepted = await self._accept(self._arrival(source, unique, event))
            finally:
                if accepted is None or accepted.repeated:  # limits count what is accepted
                    self._give_back(counted)
            came = accepted.answer if accepted.answer != ACCEPTED else await self._decisions.wait(decided)
        if came is None:  # another process may have decided it
            came = await self.store.read(reads.answer_to, unique)
        key = identity.conversation_key(self.root, accepted.conversation_id)
        answer = {
            "eventId": identity.event_id(source.name, webhook_id),
            "conversationId": accepted.conversation_id,
            "conversationKey": key,
            "status": came.status,
            "queuePosition": came.position,
            "opensAt": iso(came.opens_at),
        }
        if link := self._link(accepted.conversation_id):
            answer["conversationUrl"] = link
        self._counted(source.name, "repeated" if accepted.repeated else "accepted").inc()
        return (200 if accepted.repeated else 202), answer

    async def _take_from_rates(self, key: str, limits: Sequence[Limit]) -> Sequence[Limit]:
        """Those that it counts for. Raises Problem 429, but not for an event that was accepted before."""
        for passed, limit in enumerate(limits):
            try:
                self.check_rate(*limit)
            except Problem:
                self._give_back(limits[:passed])
                if not await self.store.read(reads.was_accepted, key):
                    raise
                return ()
        return limits

    def _give_back(self, limits: Sequence[Limit]) -> None:
        for limit in limits:
            self.rates.give_back(*limit)

    async def take_words(
        self, source: str, conversation_id: str, key: str | None, words: Words
    ) -> tuple[str, bool]:
        """Stores what a customer says on their page; (the message's id, it was there already). Raises Problem."""
        self._check_backlog(source)
        await self._amounts.add(conversation_id, words.message or "")
        unique = _words_key(conversation_id, key or secrets.token_hex(16))
        ids = [message_id(unique, index) for index in range(bool(words.message) + len(words.files))]
        accepted = await self._accept(
            Arrival(
                key=unique,
                kind="said",
                source=source,
                body=_body(words, ids, self.clock.now()),
                at=self.clock.now(),
                conversation_id=conversation_id,
            )
        )
        return ids[0], accepted.repeated

    async def take_end(self, source: str, conversation_id: str) -> None:
        """The customer leaves: their key is dead when this returns."""
        arrival = Arrival(
            key=f"api-end:{conversation_id}",
            kind="ended",
            source=source,
            body='{"reason":"customer"}',
            at=self.clock.now(),
            conversation_id=conversation_id,
            key_dead=True,
        )
        await self._accept(arrival)

    async def kill_key(self, conversation_id: str) -> None:
        """The customer leaves a conversation that somebody else has ended: what could still be read is not."""
        await self.store.do(kill_key, DeadKey(conversation_id, self.clock.now()))

    async def stored_before(self, conversation_id: str, key: str | None) -> str | None:
        """The id of the customer's words that came with this key, if they are stored."""
        unique = _words_key(conversation_id, key or "")
        known = key is not None and await self.store.read(reads.was_accepted, unique)
        return message_id(unique, 0) if known else None

    def check_rate(self, name: str, per_minute: float) -> None:
        """Raises Problem 429."""
        if per_minute and (wait := self.rates.take(name, per_minute, self.clock.monotonic())):
            raise Problem(429, f"No more than {per_minute:g} in a minute.", retry_after=wait)

    def _check_backlog(self, source: str) -> None:
        backlog = self._backlog()
        if backlog.whole >= MOST_BACKLOG or backlog.by_source.get(source, 0) >= MOST_BACKLOG_OF_SOURCE:
            raise Problem(
                503, "Too much is waiting to be delivered. Try again later.", retry_after=_BACKLOG_RETRY
            )

    async def _accept(self, arrival: Arrival) -> Accepted:
        try:
            stored = self.store.do(accept, arrival)
            self._stored()  # whoever goes on with it may do so in the same transaction
            accepted = await stored
        except NoConversation:
            raise Problem(409, "There is no open conversation for this.") from None
        except NameRefused:
            error = {"field": "data.displayName", "detail": "differs from the name known for this subject"}
            raise Problem(
                422, "This source does not take another name for a known subject.", errors=[error]
            ) from None
        assert isinstance(accepted, Accepted)
        self._log.debug(
            "envelope.stored", conversation=accepted.conversation_id, source=arrival.source, kind=arrival.kind
        )
        return accepted

    def _arrival(self, source: SourceView, key: str, event: Event) -> Arrival:
        data, now = event.data, self.clock.now()
        kind = _KINDS[event.type]
        customer = None
        if data.subject is not None:
            customer = identity.customer_key(self.root, source.namespace, data.subject)
        named = data.conversation_id if kind != "requested" else None
        if kind == "ended":
            body = '{"reason":"source"}'
        else:
            words = words_of(data)
            count = bool(words.message) + len(words.files)
            name = data.display_name if kind == "requested" or customer else None
            body = _body(words, [message_id(key, index) for index in range(count)], now, name)
        may_open = kind != "ended" and named is None
        opening = self._opening(source, customer, data) if may_open else None
        if kind == "said" and opening:
            kind = "requested"  # it may open a conversation
        return Arrival(
            key=key,
            kind=kind,
            source=source.name,
            body=body,
            at=now,
            customer=customer,
            conversation_id=named,
            opening=opening,
            siblings=self._siblings(source) if named else (),
        )

    def _siblings(self, source: SourceView) -> tuple[str, ...]:
        others = self.sources().values()
        return tuple(
            one.name for one in others if one.namespace == source.namespace and one.name != source.name
        )

    def _opening(self, source: SourceView, customer: str | None, data: EventData) -> Opening | None:
        if customer is None or data.subject is None or data.display_name is None:
            return None
        return Opening(
            conversation_id=secrets.token_hex(12),
            subject=data.subject,
            display_name=data.display_name,
            name_key=identity.name_key(self.root, customer, data.display_name),
            guest_id=identity.guest_subject(self.root, customer, ""),
            named_guest_id=identity.guest_subject(self.root, customer, data.display_name),
            rename=source.rename,
            store=data.store,
            topic=data.topic,
            language=data.language,
            context=context_text(data),
        )


def _words_key(conversation_id: str, key: str) -> str:
    """The key is the caller's: hashed, it may hold any byte that a header may hold."""
    return f"api:{conversation_id}:{_hashed(key)}"


def message_id(key: str, index: int) -> str:
    """The same event (or Idempotency-Key) always names its messages the same."""
    return "msg_" + hashlib.sha256(f"{key}\n{index}".encode()).hexdigest()[:24]


def _body(words: Words, ids: list[str], now: float, name: str | None = None) -> str:
    body: dict[str, Any] = {"ids": ids, "at": now}
    if words.message:
        body["message"] = words.message
    if words.files:
        body["files"] = list(words.files)
    if name:
        body["displayName"] = name
    return to_json(body).decode()


def _short(identifier: str) -> str:
    """An id of any length as a key of bounded length."""
    return identifier if len(identifier) <= 128 else _hashed(identifier)


def _hashed(identifier: str) -> str:
    return "sha256:" + hashlib.sha256(identifier.encode(errors="surrogatepass")).hexdigest()
