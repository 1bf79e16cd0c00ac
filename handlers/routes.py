"""Every address of the service, in one place."""

from __future__ import annotations

from aiohttp import web

from handlers import customer, operations, page_files, pages, rating, source_events, stream, webex_calls
from handlers.observed import observed
from handlers.origins import cors, preflight
from handlers.parts import DEMO, PARTS, Parts
from handlers.problems import problems

ROUTES = (
    ("POST", "/v1/events/{source}", source_events.post_event),
    ("GET", "/v1/events/{source}", source_events.get_event),
    ("POST", "/v1/pages/{source}", pages.post_page),
    ("GET", "/v1/conversations/{id}", customer.get_state),
    ("GET", "/v1/conversations/{id}/messages", customer.get_messages),
    ("POST", "/v1/conversations/{id}/messages", customer.post_message),
    ("POST", "/v1/conversations/{id}/end", customer.post_end),
    ("POST", "/v1/conversations/{id}/rating", rating.post_rating),
    ("GET", "/v1/conversations/{id}/stream", stream.get_stream),
    ("GET", "/v1/conversations/{id}/guest-token", customer.get_guest_token),
    ("GET", "/v1/conversations/{id}/files/{file}", customer.get_file),
    ("GET", "/kiosk/{source}", page_files.get_kiosk),
    ("GET", "/form/{source}", page_files.get_form),
    ("GET", "/talk/{id}", page_files.get_talk),
    ("GET", "/pages/static/{file}", page_files.get_static),
    ("POST", "/webex/webhooks", webex_calls.post_webhook),
    ("GET", "/healthz", operations.get_health),
    ("GET", "/readyz", operations.get_ready),
    ("GET", "/metrics", operations.get_metrics),
    ("GET", "/openapi.json", operations.get_openapi),
)


_NO_HEAD = (stream.get_stream, customer.get_file)  # their answers are work, not a document
_FROM_PAGES = ("/v1/conversations/", "/v1/pages/")


def make_app(parts: Parts) -> web.Application:
    app = web.Application(middlewares=[observed(parts.requests), cors, problems])
    app[PARTS] = parts
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, handler)
        if method == "GET" and handler not in _NO_HEAD:
            app.router.add_route("HEAD", path, handler)
    for path in {path for _, path, _ in ROUTES if path.startswith(_FROM_PAGES)}:
        app.router.add_route("OPTIONS", path, preflight)
    if parts.demo:
        app[DEMO] = parts.demo
        app.router.add_get("/demo", page_files.get_demo)
    return app
