"""Standard Webhooks as a scheme, and the scheme of pages, which prove nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bridge.domain.senders.request import Request
from bridge.domain.signing import BadSignature, sign, verify


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """Id, time and body signed together; see `bridge.domain.signing`."""

    secrets: tuple[bytes, ...]
    replay_safe: ClassVar[bool] = True

    def check(self, request: Request, now: float) -> str | None:
        """Returns the webhook-id. Raises BadSignature."""
        headers = request.headers
        return verify(
            self.secrets,
            headers.get("webhook-id"),
            headers.get("webhook-timestamp"),
            headers.get("webhook-signature"),
            request.body,
            now,
        )

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes (the address, the headers) of a request with the newest secret."""
        return url, {
            "webhook-id": request_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": sign(self.secrets[0], request_id, int(now), body),
        }


@dataclass(frozen=True, slots=True)
class PagesOnly:
    """A source of pages in a browser, which cannot keep a secret: no event of it is taken at the senders' door."""

    replay_safe: ClassVar[bool] = True

    def check(self, request: Request, now: float) -> str | None:
        """Raises BadSignature."""
        raise BadSignature("a source of pages signs nothing")

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Raises BadSignature."""
        raise BadSignature("a source of pages signs nothing")
