"""The product's own pages: GET /kiosk/{source}, /form/{source}, /talk/{id} and what they load."""

from __future__ import annotations

from aiohttp import web

from bridge import pages
from handlers.parts import DEMO, PARTS
from handlers.problems import Problem


async def get_kiosk(request: web.Request) -> web.Response:
    return _page(request, "kiosk")


async def get_form(request: web.Request) -> web.Response:
    return _page(request, "form")


def _page(request: web.Request, page: str) -> web.Response:
    source = request.app[PARTS].door.source(request.match_info["source"])
    if not source.of_pages:
        raise Problem(404, "There is no page source of this name.")
    return web.Response(body=pages.page_body(page), headers=pages.page_headers(sorted(source.origins)))


async def get_talk(_: web.Request) -> web.Response:
    """The page on which a customer goes on; whether there is such a conversation its key will tell."""
    return web.Response(body=pages.page_body("talk"), headers=pages.page_headers())


async def get_static(request: web.Request) -> web.Response:
    file = pages.static_file(request.match_info["file"])
    if file is None:
        raise Problem(404, "There is no such file.")
    if request.headers.get("If-None-Match") == file.headers["ETag"]:
        return web.Response(status=304, headers=file.headers)
    return web.Response(body=file.body, headers=file.headers)


async def get_demo(request: web.Request) -> web.Response:
    demo = request.app[DEMO]
    body = pages.demo_body(demo.kiosk, demo.agent)
    return web.Response(body=body, headers=pages.demo_headers(demo.agent_origin))
