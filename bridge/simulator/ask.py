"""One call to the API as its handler sees it, and the shapes of answers. https://developer.webex.com/docs/basics"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from bridge.simulator.ids import candidates, tracking_id
from bridge.simulator.model import Person, Refusal, Token
from bridge.simulator.world import World

T = TypeVar("T")
JSON = "application/json;charset=UTF-8"
FORM = "application/x-www-form-urlencoded"
_MALFORMED = "The request could not be understood by the server due to malformed syntax."


class Ask:
    """`at`: when it came, epoch seconds. `kms`: messages are to be shown as undecryptable."""

    __slots__ = ("at", "kms", "request", "token", "word", "world")

    def __init__(self, world: World, request: web.Request, word: str, token: Token | None, at: float) -> None:
        self.world = world
        self.request = request
        self.word = word
        self.token = token
        self.at = at
        self.kms = False

    @property
    def person(self) -> Person:
        """Whose live token this is. Refusal 401 for every other token."""
        token = self.token
        if token is None or token.revoked or token.expires_at <= self.at:
            raise Refusal(
                401, "The request requires a valid access token set in the Authorization request header."
            )
        return token.person

    async def json(self) -> dict[str, Any]:
        """The body: an object, or a form's fields as texts. Refusal 415 and 400 for anything else."""
        if self.request.content_type == FORM:
            return await self._form()
        if self.request.content_type != "application/json":
            raise Refusal(415, f"Content type '{self.request.content_type}' not supported")
        try:
            body = json.loads(await self.request.read())
        except (ValueError, RecursionError):
            raise Refusal(400, _MALFORMED) from None
        if not isinstance(body, dict):
            raise Refusal(400, _MALFORMED)
        return body

    async def _form(self) -> dict[str, Any]:
        try:
            return dict(await self.request.post())
        except ValueError:
            raise Refusal(400, _MALFORMED) from None

    def known(self, kind: str, among: Mapping[str, T], given: str) -> T | None:
        """What has this id, or this UUID; None where nothing has. Refusal 400 for what is neither (facts 4.6, 13)."""
        if given in among:
            return among[given]
        try:
            meant = candidates(kind, given, self.world.id_region)
        except ValueError:
            raise Refusal(400, "Expect base64 ID or UUID.") from None
        return next((among[each] for each in meant if each in among), None)

    def part(self, name: str) -> str:
        """The variable piece of the path."""
        return self.request.match_info[name]

    def query(self, name: str) -> str | None:
        return self.request.query.get(name) or None


def bearer(request: web.Request) -> str:
    """What the Authorization header holds, with or without the word Bearer; empty where there is none."""
    value = request.headers.get("Authorization", "").strip()
    return value[7:].strip() if value[:7].lower() == "bearer " else value


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON with a tracking id."""
    shown = {"Content-Type": JSON, "TrackingID": tracking_id(), **(headers or {})}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=shown)


def nothing() -> web.Response:
    """204"""
    return web.Response(status=204, headers={"TrackingID": tracking_id()})


def refusal(no: Refusal, html: bool = False) -> web.Response:
    """An error in Webex's shape, or as the HTML page that a gateway gives."""
    tracking = tracking_id()
    headers = {"TrackingID": tracking, **no.headers}
    if html:
        page = f"<html><head><title>{no.status}</title></head><body><h1>{no.status}</h1></body></html>"
        return web.Response(
            body=page.encode(), status=no.status, headers={"Content-Type": "text/html", **headers}
        )
    body = {"message": no.message, "errors": [{"description": no.message}], "trackingId": tracking}
    return web.Response(
        body=json.dumps(body).encode(), status=no.status, headers={"Content-Type": JSON, **headers}
    )


def text_field(body: dict[str, Any], name: str) -> str | None:
    """An optional text of a body; empty counts as absent. Refusal 400 for another type."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refusal(400, f"{name} must be a string.")
    return value or None


def size_of_page(ask: Ask, default: int) -> int:
    """`max` of a list; too large is silently lowered. Refusal 400 where it is no positive number."""
    wanted = ask.query("max")
    if wanted is None:
        return min(default, ask.world.max_page)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 10 and int(wanted) > 0):
        raise Refusal(400, "max must be a positive number.")
    return min(int(wanted), ask.world.max_page)


def page(ask: Ask, items: Sequence[T], show: Callable[[T], Any], default: int = 100) -> web.Response:
    """One page of a list and, in a Link header, where the next one is (RFC 5988)."""
    size, cursor = size_of_page(ask, default), ask.query("cursor")
    if ask.world.empty_pages and cursor is None:
        return answer({"items": []}, headers=next_page(ask, 0))
    start = cursor_of(ask)
    shown = [show(each) for each in items[start : start + size]]
    more = start + size < len(items)
    return answer({"items": shown}, headers=next_page(ask, start + size) if more else None)


def cursor_of(ask: Ask) -> int:
    """How many items the pages before this one had."""
    cursor = ask.query("cursor")
    return int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0


def next_page(ask: Ask, cursor: int) -> dict[str, str]:
    """The header that leads to the items after the first `cursor`."""
    url = ask.request.url.update_query(cursor=cursor)
    return {"Link": f'<{url}>; rel="next"'}
