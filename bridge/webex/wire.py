"""Webex's answers and webhook calls: bytes in, a value or a typed error out. No I/O.

A 2xx answer that cannot be read raises Doubtful, because what was asked may have been done; a webhook call
that cannot be read raises Refused. Of a list only the items that cannot be read are left out, and `skipped` is told
why. Texts are free of NUL and lone surrogates; ids are plain ASCII.

Sources: https://developer.webex.com/docs/api/v1/messages, .../people, .../webhooks, .../attachment-actions,
.../guests-management, https://developer.webex.com/docs/service-apps (token answers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bridge.domain.errors import Doubtful, Refused, WebexError
from bridge.ports import MintedGuest
from bridge.webex import wire_values as read
from bridge.webex.wire_values import Fields, Malformed, Skipped, ignore

_COUNT = re.compile(rb"\s*\d{1,15}\s*")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Times are epoch seconds; `files` are addresses that need the bearer token.

    `kms_failed`: Webex could not decrypt it just now; the texts are None then, ask again later. `unreadable`: only
    whose it is and when it was written could be read; asking again does not help.
    """

    id: str
    room_id: str
    room_type: str
    person_id: str
    person_email: str
    text: str | None = None
    markdown: str | None = None
    html: str | None = None
    files: tuple[str, ...] = ()
    created: float = 0.0
    updated: float | None = None
    parent_id: str | None = None
    kms_failed: bool = False
    unreadable: bool = False
    has_card: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One person, bot or guest (`type`: person, bot, appuser). What the token may not see is None, empty."""

    id: str
    emails: tuple[str, ...] = ()
    display_name: str = ""
    type: str | None = None
    status: str | None = None
    org_id: str | None = None
    licenses: tuple[str, ...] = ()
    invite_pending: bool | None = None
    login_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """One registered webhook; Webex echoes the secret, which is why it is not in the repr."""

    id: str
    name: str
    target_url: str
    resource: str
    event: str
    filter: str | None = None
    status: str | None = None
    created: float | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """What POST /access_token gives; lifetimes in seconds. `refresh_expires_in`: what is left of 90 days."""

    access_token: str = field(repr=False)
    expires_in: float
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class AttachmentAction:
    """A pressed card button and what was filled in."""

    id: str
    message_id: str
    person_id: str
    room_id: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """What Webex posts to a webhook: ids only, never a text.

    `webhook_id` names the webhook, not this call: tell repeats by `resource`, `event`, `object_id`.
    `object_id` is the id of the message, membership or action; `message_id` the message's where there is one.
    """

    webhook_id: str
    resource: str
    event: str
    object_id: str
    actor_id: str | None = None
    created_by: str | None = None
    name: str | None = None
    message_id: str | None = None
    room_id: str | None = None
    room_type: str | None = None
    person_id: str | None = None
    person_email: str | None = None
    created: float | None = None


def parse_message(body: bytes) -> Message:
    """Raises Doubtful."""
    return _parse("the message", lambda: _message(read.load_object(body)))


def parse_messages(body: bytes, skipped: Skipped = ignore) -> list[Message]:
    """A list answer, in Webex's order (newest first). Raises Doubtful."""
    return _parse("the messages", lambda: read.each(read.load_items(body), _listed, skipped))


def parse_person(body: bytes) -> Person:
    """Raises Doubtful."""
    return _parse("the person", lambda: _person(read.load_object(body)))


def person_from(fields: Fields) -> Person:
    """The same from JSON that was already read (by the SDK). Raises Doubtful."""
    return _parse("the person", lambda: _person(fields))


def parse_people(body: bytes, skipped: Skipped = ignore) -> list[Person]:
    """Raises Doubtful."""
    return _parse("the people", lambda: read.each(read.load_items(body), _person, skipped))


def parse_webhook(body: bytes) -> Webhook:
    """Raises Doubtful."""
    return _parse("the webhook", lambda: _webhook(read.load_object(body)))


def webhook_from(fields: Fields) -> Webhook:
    """The same from JSON that was already read (by the SDK). Raises Doubtful."""
    return _parse("the webhook", lambda: _webhook(fields))


def parse_webhooks(body: bytes, skipped: Skipped = ignore) -> list[Webhook]:
    """Raises Doubtful."""
    return _parse("the webhooks", lambda: read.each(read.load_items(body), _webhook, skipped))


def parse_attachment_action(body: bytes) -> AttachmentAction:
    """Raises Doubtful."""
    return _parse("the attachment action", lambda: _attachment_action(read.load_object(body)))


def parse_minted_guest(body: bytes) -> MintedGuest:
    """The answer of POST /guests/token. Raises Doubtful."""

    def build() -> MintedGuest:
        fields = read.load_object(body)
        return MintedGuest(
            token=read.token(fields, "accessToken"),
            expires_in=read.seconds(fields, "expiresIn"),
            person_id=read.optional_ident(fields, "id"),
            email=read.words(fields, "email"),
        )

    return _parse("the guest token", build)


def parse_jwt_login(body: bytes) -> MintedGuest:
    """The answer of the legacy POST /jwt/login: `expiresIn` is a number or a string. Raises Doubtful."""

    def build() -> MintedGuest:
        fields = read.load_object(body)
        return MintedGuest(read.token(fields, "token"), read.seconds(fields, "expiresIn"))

    return _parse("the guest token", build)


def parse_access_grant(body: bytes) -> AccessGrant:
    """The answer of POST /access_token. Raises Doubtful."""

    def build() -> AccessGrant:
        fields = read.load_object(body)
        refresh = None if fields.get("refresh_token") is None else read.token(fields, "refresh_token")
        return AccessGrant(
            access_token=read.token(fields, "access_token"),
            expires_in=read.seconds(fields, "expires_in"),
            refresh_token=refresh,
            refresh_expires_in=read.optional_seconds(fields, "refresh_token_expires_in"),
        )

    return _parse("the access token", build)


def parse_guest_count(body: bytes) -> int:
    """The answer of GET /guests/count: a bare integer as text/plain, no JSON object. Raises Doubtful."""
    if not _COUNT.fullmatch(body):
        raise Doubtful("the answer cannot be read as the number of guests: it is not an integer", status=200)
    return int(body)


def parse_webhook_call(body: bytes) -> WebhookCall:
    """A call to our webhook address, already verified. Raises Refused."""
    return _parse("the webhook call", lambda: _webhook_call(read.load_object(body)), refused=True)


def _parse(what: str, build: Callable[[], T], *, refused: bool = False) -> T:
    error: WebexError
    try:
        return build()
    except Malformed as problem:
        sentence = f"{what} cannot be read: {problem}"
        error = Refused(sentence) if refused else Doubtful(sentence, status=200)
    raise error


def _message(fields: Fields) -> Message:
    failed = _kms_failed(fields)
    return Message(
        id=read.ident(fields, "id"),
        room_id=read.ident(fields, "roomId"),
        room_type=read.words(fields, "roomType") or "",
        person_id=read.ident(fields, "personId"),
        person_email=read.words(fields, "personEmail") or "",
        # what Webex could not decrypt is not what the author wrote
        text=None if failed else read.words(fields, "text"),
        markdown=None if failed else read.words(fields, "markdown"),
        html=None if failed else read.words(fields, "html"),
        files=read.words_list(fields, "files"),
        created=read.moment(fields, "created"),
        updated=read.optional_moment(fields, "updated"),
        parent_id=read.optional_ident(fields, "parentId"),
        kms_failed=failed,
        has_card=bool(fields.get("attachments")),
    )


def _listed(fields: Fields) -> Message:
    """An item of a list. Where only its content is malformed, its place and its author still tell something."""
    try:
        return _message(fields)
    except Malformed:
        return Message(
            id=read.ident(fields, "id"),
            room_id=read.ident(fields, "roomId"),
            room_type="",
            person_id="",
            person_email=read.words(fields, "personEmail") or "",
            created=read.moment(fields, "created"),
            unreadable=True,
        )


def _kms_failed(fields: Fields) -> bool:
    """A 200 list may have `errors: {"title": {"code": "kms_failure", ...}}` in single items (docs/basics)."""
    errors = fields.get("errors")
    if not isinstance(errors, dict):
        return False
    return any(isinstance(e, dict) and e.get("code") == "kms_failure" for e in errors.values())


def _person(fields: Fields) -> Person:
    return Person(
        id=read.ident(fields, "id"),
        emails=read.words_list(fields, "emails"),
        display_name=read.words(fields, "displayName") or "",
        type=read.words(fields, "type"),
        status=read.words(fields, "status"),
        org_id=read.optional_ident(fields, "orgId"),
        licenses=read.words_list(fields, "licenses"),
        invite_pending=read.flag(fields, "invitePending"),
        login_enabled=read.flag(fields, "loginEnabled"),
    )


def _webhook(fields: Fields) -> Webhook:
    return Webhook(
        id=read.ident(fields, "id"),
        name=read.words(fields, "name") or "",
        target_url=read.words(fields, "targetUrl") or "",
        resource=read.ident(fields, "resource"),
        event=read.ident(fields, "event"),
        filter=read.words(fields, "filter") or None,
        status=read.words(fields, "status"),
        created=read.optional_moment(fields, "created"),
        secret=read.words(fields, "secret"),
    )


def _attachment_action(fields: Fields) -> AttachmentAction:
    inputs = fields.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise Malformed("inputs is not an object")
    return AttachmentAction(
        id=read.ident(fields, "id"),
        message_id=read.ident(fields, "messageId"),
        person_id=read.ident(fields, "personId"),
        room_id=read.ident(fields, "roomId"),
        inputs=inputs or {},
    )


def _webhook_call(fields: Fields) -> WebhookCall:
    data = fields.get("data")
    if not isinstance(data, dict):
        raise Malformed("data is not an object")
    resource = read.ident(fields, "resource")
    object_id = read.ident(data, "id")
    return WebhookCall(
        webhook_id=read.ident(fields, "id"),
        resource=resource,
        event=read.ident(fields, "event"),
        object_id=object_id,
        actor_id=read.optional_ident(fields, "actorId"),
        created_by=read.optional_ident(fields, "createdBy"),
        name=read.words(fields, "name"),
        message_id=object_id if resource == "messages" else read.optional_ident(data, "messageId"),
        room_id=read.optional_ident(data, "roomId"),
        room_type=read.words(data, "roomType"),
        person_id=read.optional_ident(data, "personId"),
        person_email=read.words(data, "personEmail"),
        created=read.optional_moment(data, "created"),
    )
