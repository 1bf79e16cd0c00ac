"""A request as its proof is looked for, and what every scheme can do with it."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bridge.domain.signing import BadSignature


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. `url`: PUBLIC_URL with the request's own path and query, "" without PUBLIC_URL.

    `headers` finds names in any case. `query`: what stands behind the ? of the address, as it came.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    query: str
    body: bytes


class Scheme(Protocol):
    """How one source proves that a request is its own."""

    @property
    def replay_safe(self) -> bool:
        """True if a recorded request is refused when it comes again later, by what the scheme itself signs."""
        ...

    def check(self, request: Request, now: float) -> str | None:
        """Returns the id that the sender signed, None where it signs none. Raises BadSignature."""
        ...

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes what a sender would send: (the address with what is added to it, the headers)."""
        ...


def same(expected: bytes, given: Iterable[bytes]) -> bool:
    """True if one of `given` is `expected`; how long it takes says nothing about either."""
    return max((hmac.compare_digest(expected, one) for one in given), default=False)


def header_of(request: Request, name: str) -> bytes:
    """Returns a header's value. Raises BadSignature where there is none, or where it is no text in ASCII."""
    value = request.headers.get(name)
    if not value:
        raise BadSignature(f"no header {name}")
    try:
        return value.encode("ascii")
    except UnicodeEncodeError:
        raise BadSignature(f"the header {name} is not in ASCII") from None
