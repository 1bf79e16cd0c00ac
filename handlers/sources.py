"""A source as the doors see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SourceView:
    """`secrets`: the signing secrets' bytes, newest first. `map`: compiled JMESPath by event field."""

    name: str
    scheme: str  # standard-webhooks | page
    secrets: tuple[bytes, ...]
    namespace: str
    rename: str
    rate_per_minute: int
    origins: frozenset[str]
    share_guest_token: bool
    max_file_bytes: int
    file_types: tuple[str, ...]
    map: Mapping[str, Any]
