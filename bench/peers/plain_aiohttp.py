"""A careful express-like handler: aiohttp, both Webex calls inline, tokens in a dict, nothing written down.

python -m bench.peers.plain_aiohttp PORT API
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from bench.processes import AGENT, SECRET
from bridge.domain.signing import verify
from bridge.simulator import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN


class Inline:
    def __init__(self, api: str) -> None:
        self.api = api
        self.tokens: dict[str, str] = {}
        self.service_token = ""

    async def session(self, app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=512)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            self.http = session
            self.service_token = await self._service_token()
            yield

    async def _service_token(self) -> str:
        form = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
        }
        async with self.http.post(f"{self.api}/access_token", data=form) as answer:
            return str((await answer.json())["access_token"])

    async def event(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = request.headers
        verify(
            (SECRET,),
            headers.get("webhook-id"),
            headers.get("webhook-timestamp"),
            headers.get("webhook-signature"),
            body,
            time.time(),
        )
        return web.json_response({"messageId": await self.send(json.loads(body)["data"])}, status=202)

    async def send(self, data: dict[str, str]) -> str:
        """Makes both calls for one event; returns the message's id."""
        token = self.tokens.get(data["subject"])
        if token is None:
            guest = {"subject": data["subject"], "displayName": data["displayName"]}
            answer = await self._post("/guests/token", self.service_token, guest)
            token = self.tokens[data["subject"]] = answer["accessToken"]
        sent = await self._post("/messages", token, {"toPersonEmail": AGENT, "text": data["message"]})
        return sent["id"]

    async def _post(self, path: str, token: str, body: dict[str, str]) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(self.api + path, json=body, headers=headers) as answer:
            answer.raise_for_status()
            found: dict[str, str] = await answer.json()
            return found


async def ready(request: web.Request) -> web.Response:
    return web.Response()


def main() -> None:
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    inline = Inline(sys.argv[2])
    app = web.Application()
    app.cleanup_ctx.append(inline.session)
    app.router.add_post("/v1/events/kiosk", inline.event)
    app.router.add_get("/", ready)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, backlog=4096)


if __name__ == "__main__":
    asyncio.set_event_loop_policy(None)
    main()
