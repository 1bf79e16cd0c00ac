"""Set-up questions to Webex, in no hurry: are the agents people, who is the bot, are our webhooks in place.

They go through Cisco's own webexteamssdk, which blocks, so each runs in a thread. Every error of the SDK
becomes one of bridge.domain.errors.

Source: https://developer.webex.com/docs/api/v1/people, .../webhooks
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import requests
import webexteamssdk
from webexteamssdk.exceptions import webexteamssdkException

from bridge.domain.errors import Doubtful, Refused, Throttled, Unavailable, WebexError
from bridge.webex.meanings import webhook_is_gone
from bridge.webex.wire import Person, Webhook, person_from, webhook_from
from bridge.webex.wire_errors import DEFAULT_RETRY_AFTER, error_from

TIMEOUT = 20  # seconds; the SDK takes only whole ones
OUR_WEBHOOKS = "webex-guest-bridge"  # the name by which ours are known among others
MOST = 1000

T = TypeVar("T")
Wanted = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class AgentCheck:
    """Whether a guest can write to this address.

    `found`: True, a person; False, nobody is shown, or (`type`) a bot or a guest; None, Webex would not say.
    A token sees only its own organisation: False with `type` None may also be somebody elsewhere.
    `licensed`: None where nobody asked or the token may not see it. `address`: the one that Webex shows for this
    person, where it is another.
    """

    found: bool | None
    type: str | None = None
    reason: str | None = None
    licensed: bool | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookChanges:
    """Ids of the webhooks that were made, switched on again (or given our secret), and removed."""

    created: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


async def check_agents(
    api_url: str, token: str, emails: Iterable[str], *, licences: bool = False
) -> dict[str, AgentCheck]:
    """One look per address, two with `licences`. Raises Unauthorized, Throttled, Unavailable, Doubtful."""

    def ask(api: Any) -> dict[str, AgentCheck]:
        return {email: _check_agent(api, email, licences) for email in emails}

    return await asyncio.to_thread(_with_api, api_url, token, ask)


async def who_am_i(api_url: str, token: str) -> Person:
    """Whose `token` it is. Raises WebexError."""
    return await asyncio.to_thread(
        _with_api, api_url, token, lambda api: person_from(api.people.me().json_data)
    )


async def reconcile_webhooks(
    api_url: str, token: str, target_url: str, secret: str, wanted: Sequence[Wanted]
) -> WebhookChanges:
    """Makes this identity's webhooks of our name exactly `wanted`, at `target_url`. Raises WebexError.

    `wanted`: (resource, event, filter or None). After any error it may simply be run again.
    """

    def ask(api: Any) -> WebhookChanges:
        return _reconcile(api, target_url, secret, wanted)

    return await asyncio.to_thread(_with_api, api_url, token, ask)


def _check_agent(api: Any, email: str, licences: bool) -> AgentCheck:
    def ask() -> list[Person]:
        return [person_from(p.json_data) for p in islice(api.people.list(email=email), MOST)]

    try:
        people = _calling(ask, secrets=(api.access_token,))
    except Refused as exc:
        # 400: what was written is no address; anything else is about what this token may see
        return AgentCheck(False if exc.status == 400 else None, reason=str(exc))
    matching = [p for p in people if email.casefold() in (address.casefold() for address in p.emails)]
    if len(people) == 1 and people[0].emails:
        matching = people  # asked for by this address, and shown under the one that they have now
    if not matching:
        return AgentCheck(False, reason="Webex shows this token nobody with this address")
    person = matching[0]
    if person.type not in (None, "person"):
        return AgentCheck(False, person.type, f"this is no person but a Webex {person.type}")
    licensed = _is_licensed(api, person.id) if licences else None
    shown = person.emails[0]
    address = shown if shown.casefold() != email.casefold() else None
    return AgentCheck(True, person.type or "person", licensed=licensed, address=address)


def _is_licensed(api: Any, person_id: str) -> bool | None:
    """Only an administrator's token is shown licences."""
    try:
        fields = _calling(lambda: api.people.get(person_id).json_data, secrets=(api.access_token,))
    except Refused:
        return None
    return bool(fields["licenses"]) if "licenses" in fields else None


def _reconcile(api: Any, target_url: str, secret: str, wanted: Sequence[Wanted]) -> WebhookChanges:
    created, repaired, deleted = [], [], []
    missing = {(resource, event, _same_filter(filter)): filter for resource, event, filter in wanted}
    ours = [hook for hook in _webhooks(api) if hook.name == OUR_WEBHOOKS]
    # the working ones first, so that of two alike the broken one goes
    for hook in sorted(ours, key=lambda hook: hook.status != "active"):
        key = (hook.resource, hook.event, _same_filter(hook.filter))
        if hook.target_url != target_url or key not in missing:
            _unless_gone(api, api.webhooks.delete, hook.id)
            deleted.append(hook.id)
            continue
        if hook.status != "active" or hook.secret not in (None, secret):
            mended = {"name": OUR_WEBHOOKS, "targetUrl": target_url, "secret": secret, "status": "active"}
            if not _unless_gone(api, api.webhooks.update, hook.id, **mended):
                continue  # it is made anew
            repaired.append(hook.id)
        del missing[key]
    for (resource, event, _), filter in missing.items():
        made = api.webhooks.create(OUR_WEBHOOKS, target_url, resource, event, filter=filter, secret=secret)
        created.append(webhook_from(made.json_data).id)
    return WebhookChanges(tuple(created), tuple(repaired), tuple(deleted))


def _unless_gone(api: Any, call: Callable[..., Any], hook_id: str, **fields: Any) -> bool:
    """Changes or removes a webhook; False where Webex has none of this id any more."""
    try:
        _calling(lambda: call(hook_id, **fields), secrets=(api.access_token,))
    except Refused as error:
        if not webhook_is_gone(error):
            raise
        return False
    return True


def _webhooks(api: Any) -> list[Webhook]:
    return [webhook_from(hook.json_data) for hook in islice(api.webhooks.list(max=100), MOST)]


def _same_filter(filter: str | None) -> str:
    """Conditions joined with `&` mean the same in any order; none and an empty one are alike."""
    return "&".join(sorted((filter or "").split("&")))


def _with_api(api_url: str, token: str, ask: Callable[[Any], T]) -> T:
    if not token:  # the SDK would take one from an environment variable of its own
        raise Refused("no token is configured")

    def call() -> T:
        # without its trailing slash the SDK drops the last part of the address
        return ask(
            webexteamssdk.WebexTeamsAPI(
                access_token=token,
                base_url=api_url.rstrip("/") + "/",
                single_request_timeout=TIMEOUT,
                wait_on_rate_limit=False,
            )
        )

    return _calling(call, secrets=(token,))


def _calling(call: Callable[[], T], secrets: Iterable[str] = ()) -> T:
    """`call`, with every error of the SDK made one of ours, which chains nothing (raised at the end)."""
    error: WebexError
    try:
        return call()
    except WebexError:
        raise
    except webexteamssdk.ApiError as exc:
        # the SDK has refused odd Retry-After values before, so no date is left that would need the time
        error = error_from(exc.status_code, exc.response.headers, exc.response.content, 0.0, secrets=secrets)
    except requests.JSONDecodeError:
        error = Doubtful("the answer is not JSON")
    except requests.RequestException as exc:
        error = Unavailable(f"Webex cannot be reached ({type(exc).__name__})")
    except (json.JSONDecodeError, UnicodeError):
        error = Doubtful("the answer is not JSON")
    except ValueError:
        # all that is left to raise it is the SDK's int() of a Retry-After with a date or nonsense in it
        error = Throttled(
            "Webex asks to wait, in a form the SDK cannot read", retry_after=DEFAULT_RETRY_AFTER
        )
    except (webexteamssdkException, TypeError, AttributeError, AssertionError, KeyError, RecursionError):
        error = Doubtful("the answer is malformed")
    raise error
