"""What Webex does not give of an agent's message: what may still come is waited for, within bounds.

A thread is shown in order, so one message that cannot be had holds up all behind it. A definite 'no' is believed at
once; what may pass gets two minutes, kept over restarts, and those behind it wait along, not after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import structlog

from bridge.domain.errors import (
    Gone,
    Refused,
    Scanning,
    Throttled,
    Unauthorized,
    Unscannable,
    WebexError,
)
from bridge.ports import Clock
from bridge.stages.tokens import LentToken, Tokens
from bridge.store.store import Store
from bridge.store.unread import Stuck, wait_for
from bridge.webex.client import WebexClient
from bridge.webex.wire import Message

WAIT_SECONDS = 120.0
_AGAIN_SECONDS = 2.0


def file_id(message_id: str, url: str) -> str:
    """Our own name for an agent's file, so that the customer never sees Webex's."""
    return hashlib.sha256(f"{message_id}\n{url}".encode()).hexdigest()[:24]


class NotYet(Exception):
    """A message that cannot be read yet; the ones before it can be shown, the ones after must wait."""

    def __init__(self, after: float) -> None:
        super().__init__()
        self.after = after


class Patience:
    """Until when a message is waited for."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def wait(self, message_id: str, behind: Sequence[str] = (), after: float = _AGAIN_SECONDS) -> None:
        """Raises NotYet (ask again in `after` seconds or so) until the wait for this message is over."""
        now = self._clock.now()
        until = await self._store.do(wait_for, Stuck((message_id, *behind), now + WAIT_SECONDS))
        if now < until:
            raise NotYet(min(after, until - now))


class AgentFiles:
    """Looks at the files of agents' messages. Their bytes are fetched when the customer asks for them."""

    def __init__(self, webex: WebexClient, tokens: Tokens, patience: Patience) -> None:
        self._webex = webex
        self._tokens = tokens
        self._patience = patience
        self._log = structlog.get_logger()

    async def look(
        self, message: Message, lent: LentToken, behind: Sequence[str], *, new_token: bool
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What can be passed on, and what not and why. Raises NotYet; Throttled; Unauthorized, but of a `new_token`
        that is a refusal of the file."""
        given, refused = [], []
        for url in message.files:
            try:
                given.append(await self._describe(message, lent, url))
            except Throttled:
                raise
            except WebexError as error:
                reason = await self._refusal(message, error, behind, new_token)
                self._log.warning("file.refused", webex_message=message.id, reason=str(error))
                name = await self._webex.file_name(self._tokens.still(lent), url)
                refused.append({"reason": reason, "name": name})
        return given, refused

    async def _refusal(
        self, message: Message, error: WebexError, behind: Sequence[str], new_token: bool
    ) -> str:
        """Why the file is not given for good. Raises what is no refusal, or not yet."""
        if isinstance(error, Gone):
            return "infected"
        if isinstance(error, Unscannable):
            return "unscannable"
        if isinstance(error, Refused) or (isinstance(error, Unauthorized) and new_token):
            return "refused"
        if isinstance(error, Unauthorized):
            raise error
        await self._patience.wait(
            message.id, behind, error.retry_after if isinstance(error, Scanning) else _AGAIN_SECONDS
        )
        return "unavailable"

    async def _describe(self, message: Message, lent: LentToken, url: str) -> dict[str, Any]:
        async with self._webex.open_file(self._tokens.still(lent), url) as stream:
            return {
                "id": file_id(message.id, url),
                "name": stream.name,
                "type": stream.content_type,
                "size": stream.size,
                "url": url,
            }
