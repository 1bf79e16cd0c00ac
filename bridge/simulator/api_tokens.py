"""/access_token, /guests/token, /guests/count, /jwt/login, /authorizations/tokenExpiry.

https://developer.webex.com/docs/sa-guest-management, https://developer.webex.com/docs/service-apps
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from typing import Any
from uuid import uuid4

from aiohttp import web

from bridge.simulator import jwt, seeds
from bridge.simulator.ask import Ask, answer
from bridge.simulator.ids import tracking_id
from bridge.simulator.model import Refusal

_SHORT = 64  # characters of a token that is no guest's
_CENTURY = 100 * 365 * 86400.0  # after which a bot's token lapses


async def refresh(ask: Ask) -> web.Response:
    """The refresh grant, as a form or as JSON; the client may also be named by HTTP Basic."""
    world, fields = ask.world, await _fields(ask)
    no = world.oauth_error_status
    _check_client(ask, fields)
    if fields.get("grant_type") != "refresh_token":
        raise Refusal(no, "unsupported_grant_type")
    word = str(fields.get("refresh_token", ""))
    until = world.tokens.refresh_until(word, ask.at)
    if until is None:
        raise Refusal(
            no, "invalid_grant: The refresh token provided is expired, revoked, malformed, or invalid."
        )
    access = world.tokens.mint(world.service_app, world.service_expires_in, ask.at, _SHORT)
    if world.rotate_refresh_tokens:
        world.tokens.forget_refresh(word)
        word = f"sim-refresh-{uuid4().hex}"
    world.tokens.keep_refresh(word, ask.at + world.refresh_expires_in)
    expires: Any = world.service_expires_in
    return answer(
        {
            "access_token": access,
            "expires_in": str(expires) if world.expires_as_string else expires,
            "refresh_token": word,
            "refresh_token_expires_in": world.refresh_expires_in,
            "token_type": "Bearer",
            "scope": world.service_app_scopes,
        }
    )


async def _fields(ask: Ask) -> dict[str, Any]:
    if ask.request.content_type == "application/json":
        return await ask.json()
    try:
        return dict(await ask.request.post())
    except ValueError:
        raise Refusal(400, "invalid_request") from None


def _check_client(ask: Ask, fields: dict[str, Any]) -> None:
    client, secret = fields.get("client_id"), fields.get("client_secret")
    kind, _, pair = ask.request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            client, _, secret = b64decode(pair).decode().partition(":")
        except ValueError:
            client = None
    good = _equal(client, seeds.CLIENT_ID) and _equal(secret, seeds.CLIENT_SECRET)
    if not good:
        raise Refusal(ask.world.oauth_error_status, "invalid_client: Client Id is invalid")


def _equal(given: object, known: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())


async def mint_guest(ask: Ask) -> web.Response:
    """Create, re-issue and rename in one: a new token for the guest of this subject. Older ones live on."""
    world = ask.world
    _need_service_app(ask, "guest-issuer:write")
    body = await ask.json()
    for name in ("subject", "displayName"):
        value = body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise Refusal(400, f"{name} must not be blank.")
    guest = world.guest(body["subject"], body["displayName"])
    expires = world.guest_expires_in
    token = world.tokens.mint(guest, expires, ask.at, world.token_length)
    return answer(
        {
            "id": guest.id,
            "subject": guest.subject,
            "displayName": guest.name,
            "email": guest.email,
            "accessToken": token,
            "expiresIn": str(expires) if world.expires_as_string else expires,
        }
    )


async def count_guests(ask: Ask) -> web.Response:
    """A bare number, as text or as JSON. Either scope is enough."""
    _need_service_app(ask, "guest-issuer:read", "guest-issuer:write")
    count = sum(1 for guest in ask.world.guests.values() if guest.app == "service-app")
    if ask.world.count_as_json:
        return answer(count)
    return web.Response(text=str(count), headers={"TrackingID": tracking_id()})


def _need_service_app(ask: Ask, *one_of: str) -> None:
    if ask.person is not ask.world.service_app or not set(one_of) & set(ask.world.service_app_scopes.split()):
        raise Refusal(403, f"Missing required scope: {one_of[-1]}")


async def expiry(ask: Ask) -> web.Response:
    """GET /authorizations/tokenExpiry: when the caller's own token lapses, in epoch milliseconds."""
    _ = ask.person
    lapses = ask.token.expires_at if ask.token else 0.0
    return answer({"exp": int(min(lapses, ask.at + _CENTURY) * 1000)})


async def jwt_login(ask: Ask) -> web.Response:
    """The legacy exchange of a signed JWT for a guest's token."""
    world = ask.world
    try:
        subject, name = jwt.verify(ask.word, seeds.GUEST_ISSUER_ID, seeds.GUEST_ISSUER_SECRET, ask.at)
    except ValueError as wrong:
        text = str(wrong) if isinstance(wrong, jwt.BadJwt) else "The JWT is malformed."
        raise Refusal(world.jwt_error_status, text) from None
    guest = world.guest(subject, name, app=seeds.GUEST_ISSUER_ID)
    expires = world.jwt_expires_in
    token = world.tokens.mint(guest, expires, ask.at, world.token_length)
    return answer({"token": token, "expiresIn": str(expires) if world.expires_as_string else expires})
