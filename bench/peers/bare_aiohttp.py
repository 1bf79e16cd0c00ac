"""The ceiling: an aiohttp POST handler with the same HMAC check, JSON parsed, nothing stored.

python -m bench.peers.bare_aiohttp PORT
"""

from __future__ import annotations

import contextlib
import json
import sys
import time

from aiohttp import web

from bench.processes import SECRET
from bridge.domain.signing import verify


async def event(request: web.Request) -> web.Response:
    body = await request.read()
    headers = request.headers
    ident = verify(
        (SECRET,),
        headers.get("webhook-id"),
        headers.get("webhook-timestamp"),
        headers.get("webhook-signature"),
        body,
        time.time(),
    )
    subject = json.loads(body)["data"]["subject"]
    return web.json_response({"eventId": ident, "conversationId": subject}, status=202)


async def ready(request: web.Request) -> web.Response:
    return web.Response()


def main() -> None:
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    app = web.Application()
    app.router.add_post("/v1/events/kiosk", event)
    app.router.add_get("/", ready)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, backlog=4096)


if __name__ == "__main__":
    main()
