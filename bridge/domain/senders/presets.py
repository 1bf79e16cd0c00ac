"""How the form services sign that shops use most. Each entry names the vendor's page; docs/senders.md has recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Preset:
    """What `preset: NAME` fills in. `id`, `nothing`: JMESPath over the body; `nothing`: true for a body that asks
    for nothing (a receipt), which is answered and not stored.
    """

    header: str
    scheme: Literal["hmac", "jws"] = "hmac"
    value: str = "{signature}"
    algorithm: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signs: str = "{body}"
    timestamp_header: str | None = None
    timestamp_unit: Literal["s", "ms"] = "s"
    body: Literal["json", "form", "multipart"] = "json"
    id: str | None = None
    nothing: str | None = None
    issuer: str = ""


PRESETS = {
    # https://www.typeform.com/developers/webhooks/secure-your-webhooks/
    "typeform": Preset("Typeform-Signature", value="sha256={signature}", encoding="base64", id="event_id"),
    # https://developers.tally.so/api-reference/endpoint/webhooks/post
    "tally": Preset("Tally-Signature", encoding="base64", id="eventId"),
    # https://shopify.dev/docs/apps/build/webhooks/subscribe/https
    "shopify": Preset("X-Shopify-Hmac-Sha256", encoding="base64"),
    # https://developers.webflow.com/data/docs/working-with-webhooks
    "webflow": Preset(
        "x-webflow-signature",
        signs="{timestamp}:{body}",
        timestamp_header="x-webflow-timestamp",
        timestamp_unit="ms",
        id="payload.id",
    ),
    # https://help.formspree.io/hc/en-us/articles/360055613373
    "formspree": Preset(
        "Formspree-Signature",
        value="t={timestamp},v1={signature}",
        signs="{timestamp}.{body}",
        timestamp_header="",
    ),
    # https://developers.hubspot.com/docs/api/webhooks/validating-requests
    "hubspot": Preset(
        "X-HubSpot-Signature-v3",
        encoding="base64",
        signs="{method}{url}{body}{timestamp}",
        timestamp_header="X-HubSpot-Request-Timestamp",
        timestamp_unit="ms",
        id="eventId",
    ),
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started
    "meta": Preset(
        "X-Hub-Signature-256",
        value="sha256={signature}",
        id="entry[].changes[].value.messages[].id | [0]",
        # Receipts ('delivered', 'read') come to the same address and say nothing.
        nothing="type(entry) == 'array' && !(entry[].changes[].value.messages[]) && !(entry[].messaging[].message)",
    ),
    # https://help.formstack.com/hc/en-us/articles/360019520271
    "formstack": Preset("X-FS-Signature", value="sha256={signature}", id="UniqueID"),
    # https://docs.opnform.com
    "opnform": Preset("X-Hub-Signature-256", value="sha256={signature}"),
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    "github": Preset("X-Hub-Signature-256", value="sha256={signature}"),
    # https://www.twilio.com/docs/usage/security#validating-requests
    "twilio": Preset(
        "X-Twilio-Signature",
        algorithm="sha1",
        encoding="base64",
        signs="{url}{form}",
        body="form",
        id="MessageSid",
    ),
    # https://docs.netlify.com/deploy/deploy-notifications/#payload-signature
    "netlify": Preset("X-Webhook-Signature", scheme="jws", issuer="netlify", id="id"),
}
