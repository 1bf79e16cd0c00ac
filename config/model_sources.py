"""`webex`, `sources` and `privacy`: where events come from, and what is done with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.fields import Jmespath, Listed, MediaType, Origin, Secret, UrlName
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
    poll_seconds: float = Field(default=2, ge=1, le=3600)
    """Fastest poll of an active conversation, in seconds."""


class Auth(Model):
    """How a source proves who it is."""

    scheme: Literal["standard-webhooks", "page"] = "standard-webhooks"
    """`standard-webhooks`: every event is signed; `page`: pages in a browser, which cannot keep a secret."""
    secrets: Annotated[tuple[Secret, ...], Listed] = ()
    """Signing secrets, newest first, as `env:NAME`; each value is `whsec_` and base64. Not with `page`."""


class Callback(Model):
    """Where news of this source's conversations is posted, signed by Standard Webhooks."""

    url: str = Field(max_length=2048)
    """The address: https; http on this machine or with `allow_private` only."""
    secret: Secret
    """The secret that signs the news, as `env:NAME`; its value is `whsec_` and base64."""
    allow_private: bool = False
    """Whether the address may be on this machine or in a private network."""


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
