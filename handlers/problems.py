"""Every error as application/problem+json. Source: RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from aiohttp import web

from bridge.domain.errors import crash
from bridge.logs import REQUEST
from bridge.store.engine.committer import StoreUnavailable

STORE_RETRY_SECONDS = 5
# An answer belongs to one caller and is data, never a page.
DATA_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """An answer that says no. `extra`: further members of the problem document.

    `reason`, `why`: what only the operator is told, in a metric and in the log.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        retry_after: float | None = None,
        headers: dict[str, str] | None = None,
        reason: str = "",
        why: str = "",
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, ceil(retry_after)))
        self.extra = extra
        self.reason = reason
        self.why = why

    def _request(self) -> dict[str, str]:
        # A 401 is the same to the letter whatever was wrong; its request is named in the header alone.
        request = REQUEST.get()
        return {"requestId": request["request"]} if request and self.status != 401 else {}

    def response(self) -> web.Response:
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
            **self._request(),
        }
        return web.Response(
            status=self.status,
            body=json.dumps(document, ensure_ascii=True).encode(),
            content_type="application/problem+json",
            headers={**self.headers, **DATA_HEADERS},
        )


def wrong_field(field: str, detail: str) -> Problem:
    """422 for one field."""
    return Problem(422, "Some fields are wrong.", errors=[{"field": field, "detail": detail}])


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into a problem document; an unforeseen error shows nothing of itself."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - the last resort: nobody outside sees what it was
        if request.writer.output_size > 0:  # a second answer cannot follow: the caller sees a broken one
            raise ConnectionResetError("the answer broke off") from None
        return _problem_of(error, request).response()


def _problem_of(error: Exception, request: web.Request) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, StoreUnavailable):
        detail = "This cannot be stored now. Send it again with the same webhook-id or Idempotency-Key."
        return Problem(503, detail, retry_after=STORE_RETRY_SECONDS)
    if isinstance(error, web.HTTPException) and error.status >= 400:
        allow = error.headers.get("Allow")
        detail = _DETAILS.get(error.status, error.reason)
        return Problem(error.status, detail, headers={"Allow": allow} if allow else None)
    if isinstance(error, web.RequestPayloadError | ConnectionError):
        return Problem(400, "The body broke off or is not framed as HTTP wants it.")
    structlog.get_logger().error("request.crashed", path=route_of(request), **crash(error))
    return Problem(500, "Something went wrong here. It has been noted.")


def route_of(request: web.Request) -> str:
    """Returns the route's pattern, never the address itself: it may carry a key."""
    try:
        resource = request.match_info.route.resource
    except AttributeError:  # before the router has seen it
        return "unknown"
    return resource.canonical if resource else "unknown"


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method; the header Allow names those it takes.",
    413: "The body is too large.",
    417: "Only Expect: 100-continue can be met.",
}
