"""A source as the doors see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bridge.domain.senders.request import Scheme


@dataclass(frozen=True, slots=True)
class SourceView:
    """What of a source's configuration the doors go by.

    `map`: compiled JMESPath by event field. `at`, `id`, `nothing`: compiled JMESPath over the body, or None: when it
    was made, what it is deduplicated by, whether it asks for nothing. `verify_token`: what a handshake must bring.
    """

    name: str
    of_pages: bool
    scheme: Scheme
    answer: Literal["full", "id", "empty"]
    body: Literal["json", "form", "multipart"]
    json_fields: tuple[str, ...]
    at: Any
    id: Any
    nothing: Any
    verify_token: bytes | None
    namespace: str
    rename: str
    rate_per_minute: int
    origins: frozenset[str]
    share_guest_token: bool
    max_file_bytes: int
    file_types: tuple[str, ...]
    map: Mapping[str, Any]
