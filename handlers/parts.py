"""What the doors need of the rest, handed over by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Protocol

from aiohttp import web
from prometheus_client import Gauge, Histogram

from bridge.bus import Bus
from handlers.door import Door
from handlers.feed import Feeds
from handlers.refused import Refusals


class Lent(Protocol):
    @property
    def value(self) -> str: ...
    @property
    def guest(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Demo:
    """What the page that shows both sides frames."""

    kiosk: str
    agent: str
    agent_origin: str


@dataclass(frozen=True, slots=True)
class Parts:
    """`borrow(guest_id)` lends a guest token; `open_file(token, url)` streams a file of Webex;
    `guest_of(webhook name)` says whose webhook it is; `woken(stage)` tells workers of new work."""

    door: Door
    bus: Bus
    ready: Callable[[], Awaitable[tuple[bool, dict[str, Any]]]]
    metrics: Callable[[], bytes]
    agent_name: Callable[[str | None], str | None]
    webhook_secret: str
    guest_of: Callable[[str | None], str | None]
    woken: Callable[[str], None]
    replied: Callable[[str], None]
    borrow: Callable[[str], Awaitable[Lent]]
    open_file: Callable[[str, str], AbstractAsyncContextManager[Any]]
    streams: Gauge
    feeds: Feeds
    refusals: Refusals
    requests: Histogram
    public_url: str = ""  # without a slash at its end
    own_origins: frozenset[str] = frozenset()  # of the pages that we serve ourselves
    proxies: Sequence[IPv4Network | IPv6Network] = ()  # whose X-Forwarded-For is believed
    demo: Demo | None = None
    bot_webhooks: str | None = None  # the name of the bot's webhooks, where there is a bot


PARTS = web.AppKey("parts", Parts)
DEMO = web.AppKey("demo", Demo)
