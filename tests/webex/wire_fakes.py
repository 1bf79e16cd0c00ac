"""aioresponses for aiohttp 3.14: `ClientResponse.__init__` wants a `stream_writer`, which 0.7.9 lacks."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientResponse
from aioresponses import aioresponses


class _SentNothing:
    output_size = 0


class FakedResponse(ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=_SentNothing(), **kwargs)


class WireFakes(aioresponses):
    """aioresponses whose every answer is a FakedResponse."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("response_class", FakedResponse)
        super().add(*args, **kwargs)
