"""Webhooks: their rules, what they match, and when one is switched off.

https://developer.webex.com/docs/api/guides/webhooks
"""

from __future__ import annotations

import hmac
from hashlib import sha1, sha256, sha512
from typing import Any, Final
from urllib.parse import parse_qsl

from bridge.simulator.ids import iso, make_id, tracking_id
from bridge.simulator.model import Person, Refusal, Webhook
from bridge.simulator.settings import Settings

_FILTERS: Final = {
    "messages": {
        "roomId",
        "roomType",
        "personId",
        "personEmail",
        "mentionedPeople",
        "hasFiles",
        "hasAttachments",
    },
    "attachmentActions": {"roomId", "personId", "messageId"},
    "memberships": {"roomId", "personId", "personEmail", "isModerator"},
    "rooms": {"type", "isLocked"},
    "serviceApp": set(),
    "all": set(),
}
_EVENTS: Final = {
    "messages": {"created", "updated", "deleted", "all"},
    "attachmentActions": {"created", "all"},
    "memberships": {"created", "updated", "deleted", "all"},
    "rooms": {"created", "updated", "migrated", "all"},
    "serviceApp": {"authorized", "deauthorized", "all"},
    "all": {"created", "updated", "deleted", "all"},
}


def make_hook(person: Person, body: dict[str, Any], at: float) -> Webhook:
    """A webhook of this creator; Refusal 400 where the body breaks a rule."""
    name, target = body.get("name"), body.get("targetUrl")
    resource, event = body.get("resource"), body.get("event")
    _need_name(name, target)
    if not isinstance(resource, str) or resource not in _EVENTS:
        raise Refusal(400, "resource is not valid")
    if not isinstance(event, str) or event not in _EVENTS[resource]:
        raise Refusal(400, "event is not valid")
    wanted, secret = body.get("filter"), body.get("secret")
    if body.get("ownedBy") not in (None, "creator"):
        raise Refusal(403, "An organization's webhook is not for this token.")
    conditions = _conditions(wanted, resource)
    return Webhook(
        make_id("WEBHOOK"), person, str(name), str(target), resource, event, wanted, conditions,
        secret if isinstance(secret, str) and secret else None, at,
    )  # fmt: skip


def _need_name(name: object, target: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise Refusal(400, "name cannot be empty")
    if not isinstance(target, str) or not target:
        raise Refusal(400, "targetUrl cannot be null")
    if not target.startswith(("http://", "https://")):
        raise Refusal(400, "targetUrl is not a valid URL")


def _conditions(wanted: object, resource: str) -> dict[str, str]:
    if wanted is None or wanted == "":
        return {}
    pairs = parse_qsl(wanted, keep_blank_values=True) if isinstance(wanted, str) else []
    bad = next((key for key, _ in pairs if key not in _FILTERS[resource]), None if pairs else str(wanted))
    if bad is not None:
        raise Refusal(
            400,
            "POST failed: HTTP/1.1 400 Bad Request (url = "
            "https://webhook-engine-a.wbx2.com/webhook-engine/api/v1/webhooks, request/response "
            f"TrackingId = {tracking_id()}, error = 'Invalid value for filter: {bad}')",
        )
    return dict(pairs)


def update_hook(hook: Webhook, body: dict[str, Any], *, keeps_secret: bool = True) -> None:
    """PUT: name and targetUrl are required, resource and filter stay, nothing can be switched off.

    `keeps_secret`: whether the secret stays where the body has none.
    """
    _need_name(body.get("name"), body.get("targetUrl"))
    status, secret = body.get("status"), body.get("secret")
    if status not in (None, "active"):
        raise Refusal(400, "status can only be set to active")
    hook.name, hook.target_url = body["name"], body["targetUrl"]
    if isinstance(secret, str) or not keeps_secret:
        hook.secret = secret or None
    if status == "active" and not hook.active:
        hook.active = True
        hook.failures.clear()


def view(hook: Webhook) -> dict[str, Any]:
    """A webhook as the API shows it, its secret included."""
    return {**_core(hook), **({"secret": hook.secret} if hook.secret else {})}


def _core(hook: Webhook) -> dict[str, Any]:
    shown = {
        "id": hook.id,
        "name": hook.name,
        "targetUrl": hook.target_url,
        "resource": hook.resource,
        "event": hook.event,
        "orgId": hook.person.org_id,
        "createdBy": hook.person.id,
        "appId": make_id("APPLICATION", hook.person.app or "simulator"),
        "ownedBy": "creator",
        "status": "active" if hook.active else "inactive",
        "created": iso(hook.created),
    }
    return {**shown, "filter": hook.filter} if hook.filter else shown


def envelope(hook: Webhook, resource: str, event: str, actor_id: str, data: dict[str, Any]) -> dict[str, Any]:
    """What is posted: ids only, never a text."""
    return {**_core(hook), "resource": resource, "event": event, "actorId": actor_id, "data": data}


def matches(hook: Webhook, resource: str, event: str, facts: dict[str, str]) -> bool:
    """`facts`: what filters may ask about, all as text."""
    return (
        hook.active
        and hook.resource in (resource, "all")
        and hook.event in (event, "all")
        and (
            not hook.conditions or all(_same(facts.get(key), value) for key, value in hook.conditions.items())
        )
    )


def _same(fact: str | None, value: str) -> bool:
    return fact is not None and fact.lower() == value.lower()


def count_failure(hook: Webhook, settings: Settings, now: float) -> None:
    """100 failures within 5 minutes switch a hook off; soon after a re-enabling, one does."""
    hook.failures.append(now)
    while hook.failures and hook.failures[0] <= now - settings.webhook_window:
        hook.failures.popleft()
    probation = now - hook.disabled_at <= settings.webhook_window
    if hook.active and (probation or len(hook.failures) >= settings.webhook_failures):
        hook.active = False
        hook.disabled_at = now


def signatures(secret: str | None, body: bytes, mode: str) -> dict[str, str]:
    """The signature headers over the raw body; none without a secret."""
    if not secret or mode == "none":
        return {}
    key, headers = secret.encode("utf-8", "replace"), {}
    if mode in ("spark", "both"):
        headers["X-Spark-Signature"] = hmac.new(key, body, sha1).hexdigest()
    if mode in ("webex", "both"):
        short, long = (hmac.new(key, body, each).hexdigest() for each in (sha256, sha512))
        headers["X-Webex-Signature"] = f"SHA-256={short}, SHA-512={long}"
    return headers
