"""The Webex calls of the hot path, over aiohttp. No retries: what an error means for the work others decide.

Every method raises WebexError: Throttled (429), Unauthorized (401), Refused and its kinds (other 4xx),
Unavailable (nothing was done), Doubtful (it may have been done; POST, PUT and DELETE only, and any 5xx).

Source: https://developer.webex.com/docs/api/basics and the page of each resource.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
from pydantic_core import to_json
from yarl import URL

from bridge.domain.deadlines import call_limit
from bridge.domain.errors import CredentialsDead, Refused, Throttled, WebexError
from bridge.domain.throttling import SERVICE_APP
from bridge.ports import Clock, MintedGuest
from bridge.webex import multipart, wire
from bridge.webex.caller import JSON_TYPE, Caller, FileStream, Page, parsed
from bridge.webex.gates import Gates
from bridge.webex.multipart import FilePart
from bridge.webex.transport import OnCall
from bridge.webex.wire import AccessGrant, AttachmentAction, Message, Person, Webhook
from bridge.webex.wire_links import file_name, same_origin

__all__ = ["FilePart", "FileStream", "Page", "WebexClient"]

FORM_TYPE = "application/x-www-form-urlencoded"
LONGEST_PAGING = 20  # pages followed in one call; empty pages with a next link do occur


class WebexClient(Caller):
    """All calls to one Webex (`base_url`, e.g. `https://webexapis.com/v1`); `timeout` in seconds per call.

    A token should be an OwnedToken, for a 429 is about whose it is.
    """

    def __init__(
        self,
        base_url: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        timeout: float = 20.0,
        on_call: OnCall | None = None,
        gates: Gates | None = None,
    ) -> None:
        super().__init__(base_url, session, clock, timeout, on_call, gates)
        self._guest_token_url = self._url("/guests/token")
        self._messages_url = self._url("/messages")

    # guests and credentials

    async def mint_guest(self, service_token: str, subject: str, display_name: str) -> MintedGuest:
        """POST /guests/token with the Service App's token: creates, renames or re-tokens the guest."""
        body = to_json({"subject": subject, "displayName": display_name})
        answer = await self._transport.call(
            "POST", self._guest_token_url, "/guests/token", service_token, body=body, content_type=JSON_TYPE
        )
        return wire.parse_minted_guest(answer.body)

    async def guest_count(self, service_token: str) -> int:
        """GET /guests/count."""
        return await self._get("/guests/count", service_token, wire.parse_guest_count)

    async def refresh(self, client_id: str, client_secret: str, refresh_token: str) -> AccessGrant:
        """POST /access_token. Any 4xx but 429 raises CredentialsDead: asking again will not help."""
        fields = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        dead: CredentialsDead
        try:
            answer = await self._transport.call(
                "POST",
                self._url("/access_token"),
                "/access_token",
                None,
                body=urlencode(fields, errors="replace").encode(),
                content_type=FORM_TYPE,
                secrets=(client_secret, refresh_token),
                owner=SERVICE_APP,
            )
            return wire.parse_access_grant(answer.body)
        except WebexError as exc:
            if isinstance(exc, Throttled) or exc.status is None or not 400 <= exc.status < 500:
                raise
            dead = CredentialsDead(exc.reason, status=exc.status, tracking_id=exc.tracking_id)
        raise dead

    async def jwt_login(self, jwt: str) -> MintedGuest:
        """POST /jwt/login of the legacy Guest Issuer. A wrong JWT has been answered with 401 and with 404."""
        answer = await self._transport.call("POST", self._url("/jwt/login"), "/jwt/login", jwt, body=b"")
        return wire.parse_jwt_login(answer.body)

    # people

    async def me(self, token: str) -> Person:
        """GET /people/me."""
        return await self._get("/people/me", token, wire.parse_person)

    async def people_by_email(self, token: str, email: str) -> list[Person]:
        """GET /people?email=: only people whom this token may see (usually its own organisation)."""
        return await self._get("/people", token, self._listed(wire.parse_people), email=email)

    async def person(self, token: str, person_id: str) -> Person:
        """GET /people/{id}."""
        return await self._get("/people/{id}", token, wire.parse_person, person_id)

    # messages

    async def send_message(
        self,
        token: str,
        *,
        to_person_email: str | None = None,
        to_person_id: str | None = None,
        room_id: str | None = None,
        text: str | None = None,
        markdown: str | None = None,
        attachments: Sequence[dict[str, Any]] | None = None,
        file: FilePart | None = None,
        file_url: str | None = None,
    ) -> Message:
        """POST /messages to exactly one of the three destinations; `text`, `markdown` below 7439 UTF-8 bytes.

        `file_url`: a public address that Webex itself fetches. A card (`attachments`) and a `file` exclude each
        other (ValueError). On Doubtful look for the message before sending it again: Webex knows no idempotency
        key.
        """
        fields: dict[str, Any] = {}
        if room_id is not None:
            fields["roomId"] = room_id
        if to_person_email is not None:
            fields["toPersonEmail"] = to_person_email
        if to_person_id is not None:
            fields["toPersonId"] = to_person_id
        if text is not None:
            fields["text"] = text
        if markdown is not None:
            fields["markdown"] = markdown
        if file is not None:
            if attachments:
                raise ValueError("a message holds a card or a file, not both")
            return await self._send_file(token, fields, file)
        if file_url is not None:
            fields["files"] = [file_url]
        if attachments:
            fields["attachments"] = list(attachments)
        answer = await self._transport.call(
            "POST",
            self._messages_url,
            "/messages",
            token,
            body=to_json(fields),
            content_type=JSON_TYPE,
        )
        return wire.parse_message(answer.body)

    async def _send_file(self, token: str, fields: dict[str, str], file: FilePart) -> Message:
        form = multipart.encode(fields, file)
        answer = await self._transport.call(
            "POST",
            self._messages_url,
            "/messages",
            token,
            body=form.body,
            content_type=form.content_type,
            length=form.length,
            timeout=self._transport.timeout_for(call_limit(self._timeout, form.length)),
        )
        return wire.parse_message(answer.body)

    async def get_message(self, token: str, message_id: str) -> Message:
        """GET /messages/{id}."""
        return await self._get("/messages/{id}", token, wire.parse_message, message_id)

    async def delete_message(self, token: str, message_id: str) -> None:
        """DELETE /messages/{id}."""
        await self._delete("/messages/{id}", token, message_id)

    async def list_direct(
        self,
        token: str,
        *,
        person_email: str | None = None,
        person_id: str | None = None,
        is_there: bool = False,
    ) -> list[Message]:
        """GET /messages/direct: both parties' messages, newest first; [] where there is no 1:1 yet.

        How many come at once is documented nowhere (facts 13, on 4.3), so `Link` is followed until something came.
        Without a 1:1 it is an error whose status is recorded nowhere: 400, 403 and 404 all mean that, unless `is_there`
        says that there is one.
        """
        items: list[Message] = []
        query = {
            name: value for name, value in (("personEmail", person_email), ("personId", person_id)) if value
        }
        url: URL | None = self._url("/messages/direct", **query)
        try:
            for _ in range(LONGEST_PAGING):
                if url is None or items:
                    break
                answer = await self._transport.call("GET", url, "/messages/direct", token)
                items += parsed("GET", self._listed(wire.parse_messages), answer)
                url, _more = self._next(answer)
        except Refused as error:
            missing = error.status == 404 or (error.status in (400, 403) and not is_there)
            if not missing:
                raise
        return items

    async def list_messages(
        self, token: str, room_id: str, *, before_message: str | None = None, max_items: int = 50
    ) -> Page:
        """GET /messages of a room, newest first, over as many pages as `max_items` takes (at most 20)."""
        query = {"roomId": room_id, "beforeMessage": before_message, "max": str(max_items)}
        items: list[Message] = []
        url: URL | None = self._url("/messages", **query)
        for _ in range(LONGEST_PAGING):
            assert url is not None
            answer = await self._transport.call("GET", url, "/messages", token)
            items += parsed("GET", self._listed(wire.parse_messages), answer)
            url, more = self._next(answer)
            if url is None or len(items) >= max_items:
                break
        return Page(tuple(items[:max_items]), more or len(items) > max_items)

    # webhooks and cards

    async def create_webhook(
        self,
        token: str,
        *,
        name: str,
        target_url: str,
        resource: str,
        event: str,
        filter: str | None = None,
        secret: str | None = None,
    ) -> Webhook:
        """POST /webhooks; it outlives `token`."""
        fields = {"name": name, "targetUrl": target_url, "resource": resource, "event": event}
        fields |= {key: value for key, value in (("filter", filter), ("secret", secret)) if value}
        return await self._write("POST", "/webhooks", token, fields)

    async def list_webhooks(self, token: str) -> list[Webhook]:
        """GET /webhooks: all of this identity, over at most 20 pages of 100."""
        hooks: list[Webhook] = []
        url: URL | None = self._url("/webhooks", max="100")
        for _ in range(LONGEST_PAGING):
            if url is None:
                break
            answer = await self._transport.call("GET", url, "/webhooks", token)
            hooks += parsed("GET", self._listed(wire.parse_webhooks), answer)
            url, _more = self._next(answer)
        return hooks

    async def update_webhook(
        self, token: str, webhook_id: str, *, name: str, target_url: str, secret: str | None = None
    ) -> Webhook:
        """PUT /webhooks/{id}; also sets it `active` again after Webex switched it off."""
        fields = {"name": name, "targetUrl": target_url, "status": "active"}
        if secret:
            fields["secret"] = secret
        return await self._write("PUT", "/webhooks/{id}", token, fields, webhook_id)

    async def delete_webhook(self, token: str, webhook_id: str) -> None:
        """DELETE /webhooks/{id}."""
        await self._delete("/webhooks/{id}", token, webhook_id)

    async def attachment_action(self, token: str, action_id: str) -> AttachmentAction:
        """GET /attachment/actions/{id}."""
        return await self._get("/attachment/actions/{id}", token, wire.parse_attachment_action, action_id)

    # files

    @asynccontextmanager
    async def open_file(
        self, token: str, url: str, *, allow_unscannable: bool = False
    ) -> AsyncGenerator[FileStream]:
        """A file of a message. Raises Scanning (423), Gone (410, infected), Unscannable (428), Refused.

        An address elsewhere than at this Webex is refused, so that no message can carry the token away.
        """
        address = self._file_url(url, allow_unscannable)
        async with self._transport.stream(address, "/contents/{id}", token) as response:
            encoded = "Content-Encoding" in response.headers
            yield FileStream(
                file_name(response.headers.get("Content-Disposition")),
                response.content_type,
                None if encoded else response.content_length,
                response,
            )

    async def file_name(self, token: str, url: str) -> str | None:
        """The name of a file that is not given out, where Webex tells it all the same (HEAD). Raises Throttled."""
        try:
            answer = await self._transport.call("HEAD", self._file_url(url, False), "/contents/{id}", token)
        except Throttled:
            raise
        except WebexError:
            return None
        disposition = answer.headers.get("Content-Disposition")
        return file_name(disposition) if disposition else None

    def _file_url(self, url: str, allow_unscannable: bool) -> URL:
        try:
            address = URL(url, encoded=True).with_fragment(None)
            allowed = same_origin(address, self._base)
        except (ValueError, TypeError):
            allowed = False
        if not allowed:
            raise Refused("the file's address is not at this Webex")
        return address.extend_query(allow="unscannable") if allow_unscannable else address
