"""Webex's own websocket, as far as public code shows it: catalogue, devices, the socket, ids of what it tells.

Cisco documents none of this. Read from `webex_bot` 1.3.1 and webex-js-sdk 3.12 (internal-plugin-mercury, -device). A
message's text is never in an event, only ciphertext: whoever hears of it asks REST.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from bridge.simulator.ids import key_of, make_id
from bridge.simulator.model import Person
from bridge.simulator.world import World

_VERBS = {
    ("messages", "created"): "post",
    ("messages", "updated"): "update",
    ("attachmentActions", "created"): "cardAction",
}
_KINDS = {"messages": "MESSAGE", "attachment/actions": "ATTACHMENT_ACTION"}


class Device:
    """A registered client of somebody, and its socket while it is open."""

    def __init__(self, person: Person, shown: dict[str, Any]) -> None:
        self.person = person
        self.shown = shown
        self.socket: web.WebSocketResponse | None = None
        self.sequence = 0
        self.unacknowledged: set[str] = set()


class Sockets:
    """Every device of a world. `mute`: pings are not answered; `refuse`: what a handshake is answered, 0: taken."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.devices: dict[str, Device] = {}
        self.mute = False
        self.refuse = 0
        self.most_devices = 25
        self.connected = 0
        self._sending: set[asyncio.Task[None]] = set()

    def hears(self, person: Person) -> bool:
        """Whether a person has a socket that is open."""
        return any(one.person is person and one.socket is not None for one in self.devices.values())

    def tell(self, person: Person, resource: str, event: str, actor: Person, data: dict[str, Any]) -> None:
        """Has the sockets of a person hear of a message or of a pressed button."""
        verb = _VERBS.get((resource, event))
        for device in self.devices.values():
            if verb and device.person is person and device.socket is not None:
                self.send(
                    device,
                    {"eventType": "conversation.activity", "activity": self._activity(verb, actor, data)},
                )

    def _activity(self, verb: str, actor: Person, data: dict[str, Any]) -> dict[str, Any]:
        ident, room = key_of(data["id"]), key_of(data["roomId"])
        conversations = f"{self._world.root}/conversation/api/v1/conversations"
        return {
            "id": ident,
            "objectType": "activity",
            "verb": verb,
            # A press belongs to its card, as a reply does to a message.
            **({"parent": {"id": key_of(data["messageId"]), "type": verb}} if "messageId" in data else {}),
            "published": data["created"],
            "encryptionKeyUrl": "kms://kms-cisco.wbx2.com/keys/" + str(uuid4()),
            "actor": {
                "objectType": "person",
                "id": actor.email,
                "emailAddress": actor.email,
                "entryUUID": key_of(actor.id),
                "type": "PERSON",
            },
            "object": {
                "objectType": "comment",
                "displayName": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..cipher",
            },
            "target": {
                "id": room,
                "objectType": "conversation",
                "url": f"{conversations}/{room}",
                "tags": ["ONE_ON_ONE"],
            },
        }

    def send(self, device: Device, data: dict[str, Any]) -> None:
        """Sends an event, numbered, which the client acknowledges."""
        device.sequence += 1
        ident = str(uuid4())
        device.unacknowledged.add(ident)
        self.raw(device, {"id": ident, "sequenceNumber": device.sequence, "data": data})

    def raw(self, device: Device, frame: Any) -> None:
        """Sends a frame as it stands; a text stays as it is."""
        socket = device.socket
        if socket is None:
            return
        text = frame if isinstance(frame, str) else json.dumps(frame)
        task = asyncio.get_running_loop().create_task(_quietly(socket, text))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def shut_down(self) -> None:
        """Tells every socket that this server goes away."""
        for device in self.devices.values():
            self.raw(device, {"id": str(uuid4()), "type": "shutdown"})

    async def close(self, code: int = 1001, reason: str = "") -> None:
        """Closes every socket that is open."""
        for device in list(self.devices.values()):
            if device.socket is not None:
                await device.socket.close(code=code, message=reason.encode())


async def _quietly(socket: web.WebSocketResponse, text: str) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError):
        await socket.send_str(text)


def add_routes(app: web.Application, world: World) -> Sockets:
    """The addresses outside the API: /u2c, /wdm, /conversation, and the sockets themselves."""
    sockets = Sockets(world)
    routes = _Routes(world, sockets)
    app.router.add_get("/u2c/api/v1/catalog", routes.catalogue)
    app.router.add_get("/wdm/api/v1/devices", routes.listing)
    app.router.add_post("/wdm/api/v1/devices", routes.register)
    app.router.add_delete("/wdm/api/v1/devices/{device}", routes.remove)
    app.router.add_get("/mercury/{device}", routes.socket)
    app.router.add_get("/conversation/api/v1/{kind:messages|attachment/actions}/{uuid}", routes.public_id)
    return sockets


class _Routes:
    def __init__(self, world: World, sockets: Sockets) -> None:
        self._world = world
        self._sockets = sockets

    def _person(self, word: str) -> Person:
        token = self._world.tokens.find(word.removeprefix("Bearer ").strip())
        if token is None or token.expires_at <= self._world.now():
            raise web.HTTPUnauthorized
        return token.person

    def _asker(self, request: web.Request) -> Person:
        return self._person(request.headers.get("Authorization", ""))

    async def catalogue(self, request: web.Request) -> web.Response:
        self._asker(request)
        root = self._world.root
        links = {
            "wdm": f"{root}/wdm/api/v1",
            "conversation": f"{root}/conversation/api/v1",
            "hydra": f"{root}/v1",
        }
        return web.json_response({"serviceLinks": links})

    def _mine(self, person: Person) -> dict[str, Device]:
        return {ident: one for ident, one in self._sockets.devices.items() if one.person is person}

    async def listing(self, request: web.Request) -> web.Response:
        mine = self._mine(self._asker(request))
        if not mine:
            return web.json_response({"message": "no devices"}, status=404)
        return web.json_response({"devices": [one.shown for one in mine.values()]})

    async def register(self, request: web.Request) -> web.Response:
        person, body = self._asker(request), await request.json()
        if len(self._mine(person)) >= self._sockets.most_devices:
            return web.json_response({"message": "User has excessive device registrations"}, status=403)
        ident, root = str(uuid4()), self._world.root
        shown = {
            **body,
            "url": f"{root}/wdm/api/v1/devices/{ident}",
            "webSocketUrl": f"{root.replace('http', 'ws', 1)}/mercury/{ident}",
        }
        self._sockets.devices[ident] = Device(person, shown)
        return web.json_response(shown)

    async def remove(self, request: web.Request) -> web.Response:
        person, ident = self._asker(request), request.match_info["device"]
        if ident not in self._mine(person):
            raise web.HTTPNotFound
        device = self._sockets.devices.pop(ident)
        if device.socket is not None:
            await device.socket.close()
        return web.Response(status=204)

    async def public_id(self, request: web.Request) -> web.Response:
        self._asker(request)
        kind = _KINDS[request.match_info["kind"]]
        return web.json_response({"id": make_id(kind, request.match_info["uuid"], self._world.id_region)})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        device = self._sockets.devices.get(request.match_info["device"])
        if self._sockets.refuse or device is None:
            return web.Response(status=self._sockets.refuse or 404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        first = json.loads((await socket.receive()).data)
        if first.get("type") != "authorization" or self._person(first["data"]["token"]) is not device.person:
            await socket.close(code=4401)
            return socket
        former, device.socket = device.socket, socket
        if former is not None:
            await former.close(code=4001, message=b"replaced")
        self._sockets.connected += 1
        self._sockets.send(device, {"eventType": "mercury.buffer_state"})
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(device, json.loads(message.data))
        finally:
            if device.socket is socket:
                device.socket = None
        return socket

    def _hear(self, device: Device, frame: dict[str, Any]) -> None:
        if frame.get("type") == "ping" and not self._sockets.mute:
            self._sockets.raw(device, {"id": frame.get("id"), "type": "pong"})
        elif frame.get("type") == "ack":
            device.unacknowledged.discard(str(frame.get("messageId")))
