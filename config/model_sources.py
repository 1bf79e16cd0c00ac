"""`webex`, `sources` and `privacy`: where events come from, and what is done with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from bridge.domain.senders.presets import PRESETS
from config.fields import (
    AnySecret,
    HeaderName,
    Jmespath,
    Key,
    Listed,
    MediaType,
    Origin,
    Secret,
    SenderSecret,
    UrlName,
)
from config.model_base import Model

EventField = Literal[
    "type",
    "conversationId",
    "subject",
    "displayName",
    "message",
    "store",
    "topic",
    "language",
    "context",
    "files",
]


class Webex(Model):
    """How the bridge works with Webex."""

    guests: Literal["service-app", "guest-issuer", "personal-token"] = "service-app"
    """Who mints guests; `guest-issuer` is the legacy JWT, `personal-token` is for development only."""
    reissue_at: float = Field(default=0.8, gt=0, lt=1)
    """Share of a guest token's life after which a token still in use is re-issued."""
    token_budget: int = Field(default=700, ge=1, le=750)
    """Live tokens that one guest may hold; Webex allows 750."""
    replies: Literal["auto", "webhook", "poll"] = "auto"
    """How agents' replies arrive; `auto` is by webhook where `PUBLIC_URL` and Webex allow it, else polled."""
    bot_events: Literal["auto", "webhook", "websocket", "poll"] = "auto"
    """How the bot hears of messages and presses; `auto`: by webhook with `PUBLIC_URL`, else by Webex's websocket."""
    poll_seconds: float = Field(default=2, ge=1, le=3600)
    """Fastest poll of an active conversation, in seconds."""


class SignedTime(Model):
    """Where the time stands that a sender signs."""

    header: HeaderName | None = None
    """The header that holds it; none: it stands beside the signature, as `value` shows."""
    unit: Literal["s", "ms"] = "s"
    """Seconds or milliseconds since 1970."""
    tolerance: float = Field(default=300, gt=0, le=86400)
    """How far it may be from now, in seconds."""


class Handshake(Model):
    """What a service asks by GET before it sends anything (Meta)."""

    verify_token: AnySecret
    """The word that it must bring along, as `env:NAME`."""


class Auth(Model):
    """How a source proves who it is."""

    scheme: Literal["standard-webhooks", "page", "hmac", "jws", "bearer", "basic", "header", "query"] = (
        "standard-webhooks"
    )
    """`standard-webhooks`: every event is signed; `page`: pages in a browser, which cannot keep a secret; the others
    are for services with a way of their own."""
    preset: Annotated[str | None, Field(json_schema_extra={"enum": [*sorted(PRESETS), None]})] = None
    """The service, if it is one that is known here; fills in the keys below."""
    key: Literal["text", "whsec", "base64", "hex"] = "text"
    """What the secret's text is; with `standard-webhooks` always `whsec`."""
    secrets: Annotated[tuple[SenderSecret, ...], Listed] = ()
    """Secrets, newest first, as `env:NAME`; with `standard-webhooks` each value is `whsec_` and base64, with `basic`
    it is `user:password`. Not with `page`."""
    header: HeaderName | None = None
    """The header that holds the signature, the statement (`jws`) or the secret itself (`header`)."""
    parameter: str | None = Field(default=None, min_length=1, max_length=64)
    """The parameter of the address that holds the secret, for `query`."""
    value: str | None = Field(default=None, max_length=200)
    """The header's shape, such as `sha256={signature}` or `t={timestamp},v1={signature}`."""
    algorithm: Literal["sha256"] | None = None
    """The hash of the HMAC."""
    encoding: Literal["hex", "base64"] | None = None
    """How the signature is written."""
    signs: str | None = Field(default=None, max_length=200)
    """What is signed, put together from `{method}` `{url}` `{timestamp}` `{id}` `{body}` `{form}`."""
    timestamp: SignedTime | None = None
    """Where the time stands that is signed."""
    at: Jmespath | None = None
    """JMESPath over the body: when it was made. Older than a day is refused."""
    id: Jmespath | None = None
    """JMESPath over the body: what it is deduplicated by; else a hash of it."""
    handshake: Handshake | None = None
    """What a service asks by GET before it sends anything."""


class Callback(Model):
    """Where news of this source's conversations is posted, signed by Standard Webhooks."""

    url: str = Field(max_length=2048)
    """The address: https; http on this machine or with `allow_private` only."""
    secret: Secret | None = None
    """The secret that signs the news, as `env:NAME`; its value is `whsec_` and base64."""
    secrets: Annotated[tuple[Secret, ...], Listed] = ()
    """Several of them, newest first: the news is signed with each, while one is being replaced."""
    headers: dict[HeaderName, AnySecret] = Field(default_factory=dict)
    """Further headers that go with each call, each value as `env:NAME`."""
    allow_private: bool = False
    """Whether the address may be on this machine or in a private network."""

    @property
    def every_secret(self) -> tuple[SecretStr, ...]:
        """The secrets that sign, newest first."""
        return (*([] if self.secret is None else [self.secret]), *self.secrets)


class Files(Model):
    """The files that this source's customers may send. What an agent sends always reaches them, as a download."""

    max_mb: float = Field(default=20, gt=0, le=100)
    """Largest file in megabytes; Webex takes 100."""
    types: Annotated[tuple[MediaType, ...], Listed] = ("image/*", "application/pdf")
    """Media types that are let through; `*` stands for every subtype."""


class Source(Model):
    """Where events come from: a kiosk, a web form, a page."""

    auth: Auth
    """How this source proves who it is."""
    idle_minutes: float = Field(default=30, ge=0)
    """A conversation ends when the customer has been silent this long; 0: never; fractions are fine."""
    namespace: UrlName | None = None
    """Sources with the same namespace share their customers; default: the source's own name."""
    rename: Literal["rename", "new-guest", "refuse"] = "new-guest"
    """What a changed `displayName` for a known subject means: the same person under a new name, another
    person, or a mistake."""
    callback: Callback | None = None
    """Where news of this source's conversations is posted."""
    share_guest_token: bool = False
    """Whether the customer's page may have the guest token, for the Webex SDK or widgets."""
    origins: Annotated[tuple[Origin, ...], Listed] = ()
    """Web origins whose pages may use the customer's API."""
    rate_per_minute: int = Field(default=0, ge=0)
    """Events accepted from this source in a minute; 0: no limit."""
    files: Files = Files()
    """The files that this source's customers may send. What an agent sends always reaches them, as a download."""
    answer: Literal["full", "id", "empty"] = "full"
    """What the sender is told: `id` and `empty` keep the conversation's key out of other people's logs."""
    body: Literal["json", "form", "multipart"] | None = None
    """How the sender writes its payload; default: JSON, or what the preset's service sends."""
    json_fields: Annotated[tuple[str, ...], Listed] = ()
    """Fields of the body whose value is JSON in a text."""
    first_line: Key | None = None
    """The chatbot that this source's customers meet first, by its name in `first_line`."""
    map: dict[EventField, Jmespath] = Field(default_factory=dict)
    """JMESPath expressions over the sender's own payload, one for each event field."""


class Privacy(Model):
    """What leaves for Webex, and how long things are kept."""

    mask: Annotated[tuple[Literal["card-number", "email", "phone"], ...], Listed] = ()
    """What is made unreadable in a customer's text before it leaves for Webex."""
    keep_days: float = Field(default=30, ge=0, le=36500)
    """How long ended conversations are kept, in days; 0: no longer than the service needs them."""
    keep_files_gb: float = Field(default=20, gt=0, le=100_000)
    """Most that customers' files may take up in the database, in gigabytes; beyond it no more are taken."""
