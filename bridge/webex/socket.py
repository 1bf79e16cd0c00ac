"""A client of Webex's own websocket, for the bot: a device of ours, and what its socket tells, as hints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import aiohttp
from yarl import URL

from bridge.domain.errors import Unauthorized, Unavailable, WebexError
from bridge.webex.socket_frames import (
    LARGEST_FRAME,
    PING_SECONDS,
    PONG_SECONDS,
    Frame,
    Kind,
    acknowledgement,
    authorization,
    may_come_back,
    ping,
    public_id,
    read_frame,
)

NAME = "webex-guest-bridge"
_CATALOGUE = "https://u2c.wbx2.com/u2c/api/v1/catalog"
_API_HOST = "webexapis.com"
# Where a bot's token may go besides the API's own host: what the catalogue names must be Webex's.
_OF_WEBEX = (".wbx2.com", ".webex.com", ".ciscospark.com")
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_DEVICE = {
    "deviceName": NAME,
    "name": NAME,
    "deviceType": "DESKTOP",
    "localizedModel": "python",
    "model": "python",
    "systemName": NAME,
    "systemVersion": "1",
}


class Closed(Exception):
    """The socket is closed. `again`: it may be opened again; `replaced`: somebody else has it."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"closed with {code} {reason[:60]}".strip())
        self.again = may_come_back(code, reason)


class BotSocket:
    """One bot's device and socket. `api_url`: what WEBEX_API_URL says."""

    def __init__(
        self,
        api_url: str,
        token: str,
        session: aiohttp.ClientSession,
        *,
        ping_seconds: float = PING_SECONDS,
        pong_seconds: float = PONG_SECONDS,
    ) -> None:
        self._api = URL(api_url)
        self._token = token
        self._session = session
        self._ping, self._pong = ping_seconds, pong_seconds
        self._device: dict[str, Any] | None = None
        self._sequence: int | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Registers the device where need be, connects, and gives the socket when it is ready. Raises WebexError."""
        device = self._device or await self._find_device()
        socket = await self._connect(device)
        try:
            yield socket
        finally:
            with suppress(Exception):
                await socket.close()

    async def listen(
        self, socket: aiohttp.ClientWebSocketResponse, hear: Callable[[Frame], None], lost: Callable[[], None]
    ) -> None:
        """Hands over what happens until the socket is to be replaced (it returns) or is closed (Closed).

        `lost()`: the numbers of the events have a gap, so something was missed.
        """
        self._sequence = None
        asked: str | None = None
        while True:
            try:
                message = await socket.receive(timeout=self._pong if asked else self._ping)
            except TimeoutError:
                if asked:
                    raise Closed(None, "pong not received") from None
                asked = str(uuid4())
                await self._send(socket, ping(asked))
                continue
            if message.type is not aiohttp.WSMsgType.TEXT:
                if message.type in _CLOSING:
                    raise Closed(socket.close_code, str(message.extra or ""))
                continue
            frame = read_frame(message.data)
            if frame.kind is Kind.SHUTDOWN:
                return
            if frame.kind is Kind.PONG:
                asked = None
                continue
            if frame.id:
                await self._send(socket, acknowledgement(frame.id))
            if self._is_gap(frame.sequence):
                lost()
            if frame.kind in (Kind.MESSAGE, Kind.PRESS):
                hear(frame)

    def _is_gap(self, sequence: int | None) -> bool:
        former, self._sequence = self._sequence, sequence if sequence is not None else self._sequence
        return sequence is not None and former is not None and sequence != former + 1

    async def action_id(self, frame: Frame) -> str:
        """The public id of a pressed button: as the conversation's service says it, else made from its UUID."""
        address = frame.target.replace(
            f"conversations/{frame.conversation}", f"attachment/actions/{frame.activity}"
        )
        if frame.conversation and address != frame.target and self.is_webex(address):
            with suppress(WebexError):
                found = await self._ask("GET", address)
                if isinstance(found, dict) and isinstance(found.get("id"), str):
                    return str(found["id"])
        return public_id("ATTACHMENT_ACTION", frame.activity)

    async def give_up_device(self) -> None:
        """Deletes the device; at a clean stop."""
        device, self._device = self._device, None
        if device is not None:
            with suppress(WebexError):
                await self._ask("DELETE", str(device["url"]))

    async def _connect(self, device: dict[str, Any]) -> aiohttp.ClientWebSocketResponse:
        query = {"outboundWireFormat": "text", "bufferStates": "true", "aliasHttpStatus": "true"}
        address = URL(str(device["webSocketUrl"])).update_query(query)
        try:
            async with asyncio.timeout(_TIMEOUT.total):
                socket = await self._session.ws_connect(address, max_msg_size=LARGEST_FRAME, autoping=True)
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 404:  # Webex has forgotten it: registered anew the next time
                self._device = None
                with suppress(WebexError):
                    await self._ask("DELETE", str(device["url"]))
            raise Unavailable(f"the websocket was answered {error.status}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the websocket could not be reached ({type(error).__name__})") from None
        try:
            await self._send(socket, authorization(str(uuid4()), self._token))
            async with asyncio.timeout(_TIMEOUT.total):
                await self._until_ready(socket)
        except BaseException as error:
            await socket.close()
            if isinstance(error, TimeoutError):
                raise Unavailable("the websocket never became ready") from None
            raise
        return socket

    async def _until_ready(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = read_frame(message.data) if message.type is aiohttp.WSMsgType.TEXT else Frame(Kind.OTHER)
            if frame.id:
                await self._send(socket, acknowledgement(frame.id))
            if frame.kind is Kind.READY:
                self._sequence = frame.sequence
                return
        raise Unavailable(f"the websocket was closed at once ({socket.close_code})")

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
        try:
            await socket.send_str(text)
        except (ConnectionError, RuntimeError, aiohttp.ClientError):
            raise Closed(socket.close_code, "") from None

    async def _find_device(self) -> dict[str, Any]:
        """The device of our name, or a new one; where there are too many, ours are deleted, once."""
        devices = f"{await self._service()}/devices"
        mine = [one for one in await self._devices(devices) if one.get("name") == NAME]
        for one in mine:
            if self._is_usable(one):
                self._device = one
                return one
        try:
            made = await self._ask("POST", devices, _DEVICE)
        except WebexError as error:
            if error.status != 403 or not mine:
                raise
            for one in mine:
                with suppress(WebexError):
                    await self._ask("DELETE", str(one.get("url")))
            made = await self._ask("POST", devices, _DEVICE)
        if not self._is_usable(made):
            raise Unavailable("Webex registered a device without a websocket")
        self._device = made
        return dict(made)

    async def _service(self) -> str:
        catalogue = _CATALOGUE
        if self._api.host != _API_HOST:
            catalogue = str(self._api.origin() / "u2c/api/v1/catalog")
        found = await self._ask("GET", f"{catalogue}?format=hostmap")
        links = found.get("serviceLinks") if isinstance(found, dict) else None
        service = links.get("wdm") if isinstance(links, dict) else None
        if not isinstance(service, str) or not self.is_webex(service):
            raise Unavailable("Webex's catalogue names no service for devices")
        return service.rstrip("/")

    async def _devices(self, address: str) -> list[dict[str, Any]]:
        try:
            found = await self._ask("GET", address)
        except WebexError as error:
            if error.status == 404:
                return []
            raise
        listed = found.get("devices") if isinstance(found, dict) else None
        return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []

    def _is_usable(self, device: Any) -> bool:
        return isinstance(device, dict) and all(
            isinstance(device.get(name), str) and self.is_webex(device[name])
            for name in ("url", "webSocketUrl")
        )

    def is_webex(self, address: str) -> bool:
        """Whether the bot's token may go there: encrypted to Webex, or to the host that the API is at."""
        try:
            url = URL(address)
        except ValueError:
            return False
        if (url.host, url.port) == (self._api.host, self._api.port) and self._api.host != _API_HOST:
            return True
        return url.scheme in ("https", "wss") and (url.host or "").endswith(_OF_WEBEX)

    async def _ask(self, method: str, address: str, body: Any = None) -> Any:
        """The JSON of an answer. Raises WebexError."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.request(
                method, address, json=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                if answer.status == 401:
                    raise Unauthorized("the bot's token is refused", status=401)
                if not 200 <= answer.status < 300:
                    raise Unavailable(f"{method} was answered {answer.status}", status=answer.status)
                raw = await answer.content.read(LARGEST_FRAME)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"it could not be reached ({type(error).__name__})") from None
        return _json(raw)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        raise Unavailable("the answer is not JSON") from None


_CLOSING = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.ERROR,
)
