"""What happens to every call: whose it is, whether it came too early, what hits it, its line in the log."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable

from aiohttp import web

from bridge.simulator.ask import FORM, Ask, bearer, refusal
from bridge.simulator.faults import Fault
from bridge.simulator.model import Call, Refusal
from bridge.simulator.world import World

Handler = Callable[[Ask], Awaitable[web.StreamResponse]]
Door = Callable[[web.Request], Awaitable[web.StreamResponse]]

CLOSING = web.AppKey("closing", asyncio.Event)
_MINT = "/v1/guests/token"
_FORMS = ("multipart/form-data", FORM)
_TROUBLES = {
    429: "The user has sent too many requests in a given amount of time. Please refer to the "
    "Retry-After response header for the time in seconds after which the request can be retried.",
}


class Cut(Exception):
    """The connection is to be closed without an answer."""


def door(world: World, handler: Handler) -> Door:
    """An aiohttp handler around one of the API's."""

    async def enter(request: web.Request) -> web.StreamResponse:
        at, word = world.now(), bearer(request)
        token = world.tokens.find(word) if word else None
        owner = token.person.owner if token else None
        ask = Ask(world, request, word, token, at)
        early = world.evidence.waiting and world.evidence.too_early(
            owner, request.method, _route(request), await _subject(ask), at
        )
        fault = world.pick_fault(request.method, _path(request), owner) if world.faults else None
        response: web.StreamResponse | None = None
        expired = token is not None and token.expires_at <= at
        with contextlib.suppress(Cut):
            response = await (_under(fault, ask, handler) if fault else _safely(ask, handler))
        status = response.status if response is not None else 0
        world.evidence.record(Call(at, request.method, _path(request), owner, status, expired, early))
        if response is None:
            return await _cut(request, wait=fault is not None and fault.kind == "never")
        if world.latency:
            await asyncio.sleep(world.latency)
        return response

    return enter


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical.rstrip("/") if resource else _path(request)


def _path(request: web.Request) -> str:
    """Without the slash that some clients put at its end."""
    return request.path.rstrip("/")


async def _subject(ask: Ask) -> str | None:
    """Whose token is to be minted, which is what a 429 on minting is about."""
    if _path(ask.request) != _MINT:
        return None
    try:
        subject = (await ask.json()).get("subject")
    except Refusal:
        return None
    return subject if isinstance(subject, str) else None


async def _safely(ask: Ask, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(ask)
    except Refusal as no:
        return refusal(no)
    except UnicodeEncodeError:
        return refusal(
            Refusal(400, "The request could not be understood by the server due to malformed syntax.")
        )
    except web.HTTPRequestEntityTooLarge:
        return refusal(Refusal(400, 'Unable to post message to room: "The request payload is too big"'))


async def _under(fault: Fault, ask: Ask, handler: Handler) -> web.StreamResponse:
    if fault.kind == "revoke" and ask.token is not None:
        ask.token.revoked = True
    if fault.kind == "block_agent":
        return refusal(Refusal(403, "External communication is blocked by the organization of this user."))
    if fault.kind in ("revoke", "kms"):
        ask.kms = fault.kind == "kms"
        return await _safely(ask, handler)
    if fault.kind == "hold":
        return await _held(fault, ask, handler)
    if fault.kind == "late":
        await _body(ask.request)  # which cannot be read any more once the caller has hung up
        await _wait(fault)
        return await _safely(ask, handler)
    response = await _safely(ask, handler) if fault.effect else None
    if fault.kind == "slow":
        await _wait(fault)
    elif fault.kind == "status":
        return await _trouble(fault, ask)
    if response is None or fault.kind != "slow":
        raise Cut
    return response


async def _held(fault: Fault, ask: Ask, handler: Handler) -> web.StreamResponse:
    """The request is here as a whole, so it is carried out even if its connection has broken meanwhile."""
    await _body(ask.request)
    response = await _safely(ask, handler) if fault.effect else None
    closing, until = ask.request.app[CLOSING], asyncio.get_running_loop().time() + (fault.seconds or math.inf)
    while not (fault.released or closing.is_set() or asyncio.get_running_loop().time() > until):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), 0.02)
    return response or await _safely(ask, handler)


async def _body(request: web.Request) -> None:
    with contextlib.suppress(ValueError):
        await (request.post() if request.content_type in _FORMS else request.read())


async def _wait(fault: Fault) -> None:
    """Its `seconds`, which may be changed while somebody waits."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (left := began + fault.seconds - loop.time()) > 0:  # noqa: ASYNC110 - whoever changes it says nothing
        await asyncio.sleep(min(left, 0.05))


async def _trouble(fault: Fault, ask: Ask) -> web.Response:
    wait = fault.retry_header(ask.at)
    if fault.status == 429:
        owner = ask.token.person.owner if ask.token else None
        ask.world.evidence.throttled(
            owner, ask.request.method, _route(ask.request), await _subject(ask), ask.at, wait
        )
    text = fault.message or _TROUBLES.get(fault.status, "Something went wrong on purpose.")
    return refusal(
        Refusal(fault.status, text, {} if wait is None else {"Retry-After": wait}), html=fault.html
    )


async def _cut(request: web.Request, *, wait: bool) -> web.Response:
    """Ends the connection; with `wait` only when the server closes or the caller has hung up."""
    closing = request.app[CLOSING]
    while wait and not closing.is_set() and request.transport is not None:
        try:
            await asyncio.wait_for(closing.wait(), 0.2)
        except TimeoutError:
            continue
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
