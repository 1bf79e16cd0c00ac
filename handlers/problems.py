"""Every error as application/problem+json. Source: RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from aiohttp import web

from bridge.store.writer import StoreUnavailable

STORE_RETRY_SECONDS = 5
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """An answer that says no. `extra`: further members of the problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        retry_after: float | None = None,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, ceil(retry_after)))
        self.extra = extra

    def response(self) -> web.Response:
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        return web.Response(
            status=self.status,
            body=json.dumps(document, ensure_ascii=True).encode(),
            content_type="application/problem+json",
            headers={**self.headers, "Cache-Control": "no-store"},
        )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into a problem document; an unforeseen error shows nothing of itself."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except StoreUnavailable:
        return Problem(
            503,
            "This cannot be stored now; nothing was accepted. Try again.",
            retry_after=STORE_RETRY_SECONDS,
        ).response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allow = error.headers.get("Allow")
        detail = _DETAILS.get(error.status, error.reason)
        return Problem(error.status, detail, headers={"Allow": allow} if allow else None).response()
    except Exception as error:  # noqa: BLE001 - the last resort: nobody outside sees what it was
        structlog.get_logger().exception("request.crashed", path=_shape(request), error=type(error).__name__)
        return Problem(500, "Something went wrong here. It has been noted.").response()


def _shape(request: web.Request) -> str:
    """The route, never the address itself: it may carry a key."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method; the header Allow names those it takes.",
    413: "The body is too large.",
}
